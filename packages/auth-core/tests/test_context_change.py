"""A session with a changed context cannot change data. The function and the base views check it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser
from django.utils import timezone

from auth_core.assurance.evidence import SessionFacts, check_context
from auth_core.assurance.methods import Evidence, Method
from auth_core.errors import InsufficientUserAuthentication
from auth_core.flows.password_change import change_password
from auth_core.passwords import hashing
from auth_core.request.client import Client
from auth_core.testing.browsers import post
from auth_core.testing.factories import PASSWORD

pytestmark = [pytest.mark.django_db, pytest.mark.asvs("8.2.4")]

NEW = "another long passphrase"


def facts(*changes: str) -> SessionFacts:
    evidence = (Evidence.now(Method.PASSWORD), Evidence.now(Method.TOTP))
    return SessionFacts(
        id=uuid4(), transport="cookie", evidence=evidence, authenticated_at=timezone.now(), context_changed=changes
    )


@pytest.fixture
def used_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make every session appear with a changed country."""
    for module in ("auth_core.api.views", "auth_core.pages.base", "auth_core.api.password_views"):
        monkeypatch.setattr(f"{module}.session_of", lambda request: facts("country"))


@pytest.mark.parametrize("what", ["country", "user_agent", "network"])
def test_a_session_with_a_changed_context_needs_a_new_proof(what: str) -> None:
    with pytest.raises(InsufficientUserAuthentication) as refused:
        check_context(facts(what))

    assert refused.value.context_changed
    assert refused.value.members == {"required_assurance": "aal1", "max_age": None}


@pytest.mark.parametrize("session", [facts(), None])
def test_a_session_with_the_same_or_an_unknown_context_needs_no_proof(session: SessionFacts | None) -> None:
    check_context(session)


def test_change_password_checks_the_context_before_the_password(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []
    monkeypatch.setattr(hashing, "verify", lambda user, password: looked_at.append(password) or True)

    with pytest.raises(InsufficientUserAuthentication):
        change_password(
            user=alice, current_password=PASSWORD, new_password=NEW, session=facts("country"), client=Client()
        )

    alice.refresh_from_db()
    assert (looked_at, alice.check_password(PASSWORD)) == ([], True)


def test_the_api_requires_the_proof_and_names_it(browser_of_alice: Browser, used_elsewhere: None) -> None:
    refused = post(browser_of_alice, "password/change", current_password=PASSWORD, new_password=NEW)

    assert (refused.status_code, refused.json()["code"]) == (401, "insufficient_user_authentication")
    assert refused.json()["required_assurance"] == "aal1"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_with_a_form_redirects_to_the_proof(
    method: str, browser_of_alice: Browser, used_elsewhere: None
) -> None:
    led = getattr(browser_of_alice, method)("/account/password/")

    assert (led.status_code, led.headers["Location"]) == (
        303,
        "/login/again/?next=%2Faccount%2Fpassword%2F&assurance=aal1",
    )


def test_reading_needs_no_new_proof(browser_of_alice: Browser, used_elsewhere: None) -> None:
    assert browser_of_alice.get("/api/v1/me/").status_code == 200
    assert browser_of_alice.get("/account/").status_code == 200


def test_logout_and_reauthentication_are_exempt(browser_of_alice: Browser, used_elsewhere: None) -> None:
    assert browser_of_alice.get("/login/again/").status_code == 200
    assert post(browser_of_alice, "reauthenticate", required_assurance="aal1").status_code == 202
    assert post(browser_of_alice, "logout").status_code == 204


def test_an_old_proof_is_not_a_changed_context(browser_of_alice: Browser, clock: Any) -> None:
    clock.forward(seconds=timedelta(hours=5).total_seconds())

    changed = post(browser_of_alice, "password/change", current_password=PASSWORD, new_password=NEW)

    assert changed.status_code == 204
