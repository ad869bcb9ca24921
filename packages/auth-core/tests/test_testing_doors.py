"""The routes of a site, and code that bypasses the login."""

from pathlib import Path
from typing import Any

import pytest

from auth_core.testing.doors import Difference, Doors, address_of, past_the_door, routes, scan


class Route:
    def __init__(self, pattern: str, *below: Any) -> None:
        self.pattern = pattern
        if below:
            self.url_patterns = below


SITE = [Route("shop/", Route("cart/"), Route("orders/<uuid:order>/")), Route("admin/", Route("users/"))]


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """A list of the routes."""
    path = tmp_path / "doors.toml"
    path.write_text('open = ["shop/cart/"]\nsigned_in = ["shop/orders/<uuid:order>/"]\n', encoding="utf-8")
    return path


def test_a_complete_list_has_no_difference(listed: Path) -> None:
    assert not Doors.read(listed).compare(routes(SITE, without=("admin/",)))


def test_missing_removed_and_repeated_routes_are_named(listed: Path) -> None:
    doors = Doors({**Doors.read(listed).kinds, "door": ["shop/cart/", "login/"]})

    assert doors.compare(routes(SITE)) == Difference(
        unknown=frozenset({"admin/users/"}), gone=frozenset({"login/"}), twice=frozenset({"shop/cart/"})
    )


def test_the_resolver_of_the_site_is_the_default() -> None:
    assert "api/v1/login/" in set(routes())


@pytest.mark.parametrize(
    ("route", "address"),
    [
        ("shop/cart/", "/shop/cart/"),
        ("orders/<uuid:order>/", "/orders/00000000-0000-0000-0000-000000000007/"),
        ("orders/<int:order>/lines/<int:line>/", "/orders/7/lines/7/"),
        ("invite/<str:token>/", f"/invite/elr_{'x' * 43}/"),
    ],
)
def test_a_route_becomes_a_url(route: str, address: str) -> None:
    assert address_of(route) == address


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("from django.contrib.auth import login as enter\nenter(request, user)", {"login"}),
        ("from django.contrib.auth import alogin", {"alogin"}),
        ("from django.contrib import auth as door\ndoor.login(request, user)", {"login"}),
        ("import django.contrib.auth\ndjango.contrib.auth.login(request, user)", {"login"}),
        ("import django.contrib.auth as door\nenter = door.login", {"login"}),
        ("client.force_login(user)", {"force_login"}),
        ("from django.contrib.auth import authenticate, get_user_model", set()),
        ("from auth_core import login\nlogin.open_login(user=user)", set()),
    ],
)
def test_code_that_bypasses_the_login_is_caught(source: str, names: set[str]) -> None:
    assert past_the_door(source) == names


def test_only_running_code_is_scanned(tmp_path: Path) -> None:
    for folder in ("shop", "tests"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "views.py").write_text("from django.contrib.auth import login\n", encoding="utf-8")

    assert scan([tmp_path / "shop"]) == {tmp_path / "shop" / "views.py": {"login"}}
    assert scan([tmp_path]) == {tmp_path / "shop" / "views.py": {"login"}}
