"""The web server knows every route that hashes a password for anyone who asks (decision record 0043)."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import reverse

from auth_core.hashers import Argon2idHasher
from auth_core.testing.browsers import new_browser
from auth_core.testing.doors import Doors
from auth_core.testing.factories import PASSWORD
from enterprise_auth.asgi import HASHING_ROUTES, application

pytestmark = pytest.mark.django_db

DOORS = Doors.read(Path(__file__).parent / "doors.toml")

#: Every field that an anonymous caller may send. A route refuses those that it does not know.
FIELDS: dict[str, Any] = {
    "identifier": "eve@example.org", "email": "eve@example.org", "username": "eve", "password": PASSWORD,
    "new_password": PASSWORD, "current_password": PASSWORD, "transport": "token", "code": "123456",
    "token": "elt_" + "a" * 43, "answer": {"code": "123456"}, "choice": "a", "credential": {},
}  # fmt: skip


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The texts that are hashed. Nothing is."""
    hashed: list[str] = []
    monkeypatch.setattr(Argon2idHasher, "encode", lambda self, text, salt: hashed.append(text) or "argon2$x")
    monkeypatch.setattr(Argon2idHasher, "verify", lambda self, text, encoded: bool(hashed.append(text)))
    return hashed


def post_what_it_takes(browser: Browser, address: str) -> None:
    """Post all fields, and then without those that the answer refuses."""
    if not address.startswith("/api/"):
        browser.post(address, FIELDS | {"answer": "123456", "credential": "{}"})
        return
    body = dict(FIELDS)
    for _attempt in range(3):
        answer = browser.post(address, body, content_type="application/json")
        is_refused = answer.content.startswith(b"{") and "errors" in answer.json()
        wrong = {error["field"].partition(".")[0] for error in answer.json()["errors"]} if is_refused else set()
        if not wrong & set(body):
            return
        body = {name: value for name, value in body.items() if name not in wrong}


def hashing_addresses() -> set[str]:
    return {reverse(route) for route in HASHING_ROUTES}


@pytest.mark.parametrize("address", sorted(set(DOORS.addresses("open", "door")) | hashing_addresses()))
def test_a_route_that_hashes_for_anyone_waits_in_the_web_server(address: str, hashes: list[str]) -> None:
    post_what_it_takes(new_browser(), address)

    assert bool(hashes) == (address in hashing_addresses())


def test_the_web_server_has_threads_for_them() -> None:
    lanes = {address: application._lane_of({"path": address, "method": "POST"}) for address in hashing_addresses()}

    assert set(lanes.values()) == {application._logins}
    assert application._lane_of({"path": reverse("core-api:login"), "method": "GET"}) is application._lane
    assert application._lane_of({"path": reverse("core-api:me"), "method": "POST"}) is application._lane
