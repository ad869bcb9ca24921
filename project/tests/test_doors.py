"""Every route is classified, and no code signs a user in outside the login journey."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import get_resolver

from auth_core.contracts import Transport
from auth_core.testing.doors import Difference, Doors, past_the_door, routes, scan
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

ROOT = Path(__file__).parents[2]
DOORS = Doors.read(Path(__file__).parent / "doors.toml")

#: Routes of the Django admin, guarded by the permissions of its models.
NOT_OURS = ("admin/",)


@pytest.mark.asvs("6.1.3")
@pytest.mark.asvs("6.3.4")
def test_every_route_is_classified() -> None:
    assert DOORS.compare(routes(without=NOT_OURS)) == Difference()


@pytest.mark.parametrize("address", DOORS.addresses("signed_in", "permitted"))
def test_protected_routes_require_a_session(address: str) -> None:
    for method in ("get", "post", "delete", "patch"):
        answer = getattr(Browser(), method)(address)
        if address.startswith("/api/"):
            assert answer.status_code in (401, 405), method
        else:
            assert answer.headers["Location"].startswith("/login/?next="), method


@pytest.mark.parametrize("address", DOORS.addresses("permitted"))
def test_staff_status_is_not_a_permission(address: str, alice: Any) -> None:
    alice.is_staff = True
    alice.save()
    caller = sign_in(alice, transport=Transport.TOKEN)

    for method in ("get", "post", "delete"):
        assert getattr(caller, method)(address).status_code in (403, 405), method


@pytest.mark.parametrize("address", DOORS.addresses("open", "door"))
def test_an_open_route_creates_no_session(address: str) -> None:
    browser = Browser()
    for method in ("get", "post"):
        getattr(browser, method)(address)

    assert not {"sessionid", "__Host-session"} & set(browser.cookies)
    assert browser.get("/api/v1/me/").status_code == 401


def test_no_code_bypasses_the_login_journey() -> None:
    folders = [*ROOT.glob("packages/*/src"), ROOT / "project" / "enterprise_auth"]

    assert len(folders) == 6
    assert scan(folders) == {}


@pytest.mark.parametrize(
    "planted",
    [
        "from django.contrib.auth import login\ndef view(request):\n    login(request, request.user)",
        "from django.contrib import auth\ndef view(request):\n    auth.login(request, request.user)",
    ],
)
def test_a_view_that_calls_login_is_detected(planted: str) -> None:
    assert past_the_door(planted) == {"login"}


def test_an_unclassified_route_is_detected() -> None:
    class Planted:
        pattern = "back-door/"

    planted = routes([*get_resolver().url_patterns, Planted()], without=NOT_OURS)

    assert DOORS.compare(planted) == Difference(unknown=frozenset({"back-door/"}))
