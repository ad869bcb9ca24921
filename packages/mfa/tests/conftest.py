"""Fixtures of this package's tests."""

from partial_login_site import partial_login_site, secured

__all__ = ["partial_login_site", "secured"]
