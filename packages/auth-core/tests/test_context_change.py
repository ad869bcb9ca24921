"""A session that is used elsewhere changes nothing: the function asks, and so do the bases of views."""

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
from auth_core.testing.browsers import with_csrf
from conftest import PASSWORD, log_in, post

pytestmark = [pytest.mark.django_db, pytest.mark.asvs("8.2.4")]

NEW = "another long passphrase"


def facts(*changes: str) -> SessionFacts:
    evidence = (Evidence.now(Method.PASSWORD), Evidence.now(Method.TOTP))
    return SessionFacts(
        id=uuid4(), transport="cookie", evidence=evidence, authenticated_at=timezone.now(), context_changed=changes
    )


@pytest.fixture
def signed_in(alice: Any, browser: Browser) -> Browser:
    log_in(browser)
    return with_csrf(browser)


@pytest.fixture
def used_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let every session of a request be one that changed its country."""
    for module in ("auth_core.api.views", "auth_core.pages.base", "auth_core.api.password_views"):
        monkeypatch.setattr(f"{module}.session_of", lambda request: facts("country"))


@pytest.mark.parametrize("what", ["country", "user_agent", "network"])
def test_a_session_that_changed_its_context_has_to_prove_it(what: str) -> None:
    with pytest.raises(InsufficientUserAuthentication) as refused:
        check_context(facts(what))

    assert refused.value.context_changed
    assert refused.value.members == {"required_assurance": "aal1", "max_age": None}


@pytest.mark.parametrize("session", [facts(), None])
def test_one_where_it_was_proved_is_not_asked_nor_one_of_which_nothing_is_known(session: SessionFacts | None) -> None:
    check_context(session)


def test_the_function_that_changes_a_password_asks_before_it_looks_at_one(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_at: list[str] = []
    monkeypatch.setattr(hashing, "verify", lambda user, password: looked_at.append(password) or True)

    with pytest.raises(InsufficientUserAuthentication):
        change_password(
            user=alice, current_password=PASSWORD, new_password=NEW, session=facts("country"), client=Client()
        )

    alice.refresh_from_db()
    assert (looked_at, alice.check_password(PASSWORD)) == ([], True)


def test_the_api_asks_and_says_what_for(signed_in: Browser, used_elsewhere: None) -> None:
    refused = post(signed_in, "password/change", current_password=PASSWORD, new_password=NEW)

    assert (refused.status_code, refused.json()["code"]) == (401, "insufficient_user_authentication")
    assert refused.json()["required_assurance"] == "aal1"


@pytest.mark.parametrize("method", ["get", "post"])
def test_a_page_with_a_form_leads_to_the_proof(method: str, signed_in: Browser, used_elsewhere: None) -> None:
    led = getattr(signed_in, method)("/account/password/")

    assert (led.status_code, led.headers["Location"]) == (
        303,
        "/login/again/?next=%2Faccount%2Fpassword%2F&assurance=aal1",
    )


def test_what_only_reads_is_not_asked(signed_in: Browser, used_elsewhere: None) -> None:
    assert signed_in.get("/api/v1/me/").status_code == 200
    assert signed_in.get("/account/").status_code == 200


def test_the_way_out_and_the_proof_itself_are_not_asked(signed_in: Browser, used_elsewhere: None) -> None:
    assert signed_in.get("/login/again/").status_code == 200
    assert post(signed_in, "reauthenticate", required_assurance="aal1").status_code == 202
    assert post(signed_in, "logout").status_code == 204


def test_a_proof_that_is_old_is_no_change_of_context(signed_in: Browser, clock: Any) -> None:
    clock.forward(seconds=timedelta(hours=5).total_seconds())

    changed = post(signed_in, "password/change", current_password=PASSWORD, new_password=NEW)

    assert changed.status_code == 204
