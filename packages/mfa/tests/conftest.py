"""Fixtures of this package's tests."""

from partial_login_site import bob, partial_login_site, secured

__all__ = ["bob", "partial_login_site", "secured"]
