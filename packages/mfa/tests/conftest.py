"""Fixtures of this package's tests."""

from collections.abc import Iterator

import pytest
from django.db import connection

from partial_login_site import partial_login_site, secured

__all__ = ["partial_login_site", "secured"]


@pytest.fixture(params=[False, True], ids=["", "atomic"])
def atomic_requests(request: pytest.FixtureRequest) -> Iterator[None]:
    """Run with and without ``ATOMIC_REQUESTS``, which rolls refusals back."""
    connection.settings_dict["ATOMIC_REQUESTS"] = request.param
    yield
    connection.settings_dict["ATOMIC_REQUESTS"] = False
