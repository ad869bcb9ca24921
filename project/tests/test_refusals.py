"""Every denied request leaves an entry with its user, in every package."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from auth_audit.personal.readable_entry import read
from auth_audit.testing.trail import recorded
from auth_core.contracts import Transport
from auth_core.testing.browsers import post
from auth_core.testing.doors import Doors
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

DOORS = Doors.read(Path(__file__).parent / "doors.toml")

METHODS = ("get", "post", "patch", "delete")


def without_a_trace(caller: Browser, address: str) -> list[str]:
    """Return the methods that were refused with 403 without an entry in the trail."""
    missed = []
    for method in METHODS:
        before = len(recorded("auth.access.denied"))
        is_refused = getattr(caller, method)(address).status_code == 403
        if is_refused and len(recorded("auth.access.denied")) != before + 1:
            missed.append(method)
    return missed


@pytest.mark.asvs("16.3.2")
@pytest.mark.parametrize("address", DOORS.addresses("permitted"))
def test_a_request_without_permission_is_in_the_trail(address: str, alice: Any) -> None:
    caller = sign_in(alice, transport=Transport.TOKEN)

    assert without_a_trace(caller, address) == []

    entries = recorded("auth.access.denied")
    assert entries
    assert {entry.reason for entry in entries} == {"permission_denied"}
    assert {entry.data["route"] for entry in entries} <= {route for kind in DOORS.kinds.values() for route in kind}
    assert all(entry.subject_id and entry.session_id and entry.correlation_id for entry in entries)
    assert all(entry.network for entry in read(entries).values())


@pytest.mark.asvs("16.3.3")
@pytest.mark.parametrize("address", DOORS.addresses("signed_in", "permitted"))
def test_a_request_without_a_csrf_token_is_in_the_trail(address: str, alice: Any) -> None:
    browser = sign_in(alice)
    del browser.defaults["HTTP_X_CSRFTOKEN"]

    assert without_a_trace(browser, address) == []


def test_a_route_that_records_no_denial_is_detected(alice: Any, settings: Any) -> None:
    caller = sign_in(alice, transport=Transport.TOKEN)
    settings.MIDDLEWARE = [name for name in settings.MIDDLEWARE if "RequestContext" not in name]

    assert without_a_trace(caller, "/api/v1/roles/") == list(METHODS)


@pytest.mark.asvs("16.3.2")
def test_denials_of_the_admin_are_in_the_trail(alice: Any) -> None:
    alice.is_staff = True
    alice.save()
    browser = sign_in(alice, assurance="aal2")

    statuses = [browser.get(f"/admin/auth_rbac/{page}/").status_code for page in ("role", "assignment", "role/add")]

    assert statuses == [403] * 3
    assert [entry.data["route"] for entry in recorded("auth.access.denied")] == [
        "admin/auth_rbac/role/",
        "admin/auth_rbac/assignment/",
        "admin/auth_rbac/role/add/",
    ]


@pytest.mark.asvs("16.3.2")
def test_users_see_denied_requests_in_their_activity(alice: Any) -> None:
    caller = sign_in(alice, transport=Transport.TOKEN)
    caller.get("/api/v1/roles/")

    (activity,) = [
        entry for entry in caller.get("/api/v1/me/activity/").json()["results"] if entry["name"] == "auth.access.denied"
    ]

    assert activity["what"] == "A signed-in person was denied access."
    assert activity["outcome"] == "denied"


def test_anonymous_requests_leave_no_entries(browser: Browser) -> None:
    for address in DOORS.addresses("permitted", "signed_in"):
        for method in METHODS:
            getattr(browser, method)(address)
    for _attempt in range(3):
        post(Browser(enforce_csrf_checks=True), "logout")
        Browser().get("/", HTTP_HOST="evil.example")

    assert recorded() == []
