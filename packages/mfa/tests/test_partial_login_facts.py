"""The facts of sessions, which belong to one user."""

from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

import pytest
from django.conf import settings as site
from django.contrib.auth import BACKEND_SESSION_KEY, SESSION_KEY
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.test import Client as Browser
from django.utils import timezone

from auth_core.testing.clock import Clock
from auth_core.testing.factories import PASSWORD
from auth_core.testing.sessions import sign_in
from auth_mfa.site_login import partial_login
from auth_mfa.testing.factors import add_totp
from partial_login_site import OURS, give_password, prove, who

pytestmark = pytest.mark.usefixtures("partial_login_site")


# The session afterwards


def test_the_session_key_changes_after_the_proof(client: Browser, secured: User) -> None:
    response = give_password(client)
    partial_key = client.cookies["sessionid"].value

    prove(client, response["Location"])
    full_key = client.cookies["sessionid"].value
    thief = Browser()
    thief.cookies["sessionid"] = partial_key

    assert full_key != partial_key
    assert thief.get("/undecorated/").json() == {"user": "", "partial": None}


def test_a_full_session_records_its_evidence(client: Browser, secured: User) -> None:
    response = give_password(client)
    prove(client, response["Location"])

    evidence = client.get("/facts/").json()["facts"]["evidence"]

    assert [entry["method"] for entry in evidence] == ["password", "totp"]


def test_a_login_without_a_factor_is_a_fresh_proof_of_a_password(client: Browser, bob: User, clock: Clock) -> None:
    give_password(client, "bob")

    evidence = client.get("/facts/").json()["facts"]["evidence"]

    assert evidence == [{"method": "password", "at": timezone.now().isoformat()}]


def test_a_later_login_elsewhere_does_not_refresh_an_old_session(bob: User) -> None:
    """A thief's session from before the installation must not use the time of the victim's login."""
    thief, victim = Browser(), Browser()
    thief.force_login(bob)
    give_password(victim, "bob")

    stolen = thief.get("/facts/").json()["facts"]["evidence"][0]["at"]
    own = victim.get("/facts/").json()["facts"]["evidence"][0]["at"]

    assert stolen < "1950"
    assert own > "2020"


def test_an_old_session_needs_the_password_before_adding_a_factor(client: Browser, bob: User) -> None:
    """A stolen session from before the installation must not enrol the thief's own app."""
    client.force_login(bob)

    redirected = client.get("/account/second-factors/add/")
    challenged = client.post(redirected["Location"])
    back = client.post(challenged["Location"], {"password": PASSWORD})

    assert urlsplit(redirected["Location"]).path == "/auth/login/again/"
    assert back["Location"] == "/account/second-factors/add/"
    assert client.get(back["Location"]).status_code == 200


def test_a_remote_user_login_is_evidence_of_a_provider(client: Browser, bob: User, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.RemoteUserMiddleware"]
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]

    evidence = client.get("/facts/", REMOTE_USER="bob").json()["facts"]["evidence"]

    assert [entry["method"] for entry in evidence] == ["provider"]


def test_a_checked_session_costs_no_further_queries(client: Browser, bob: User, django_assert_num_queries: Any) -> None:
    give_password(client, "bob")
    client.get("/undecorated/")

    with django_assert_num_queries(2):  # the session and the user, as without the middleware
        client.get("/undecorated/")


# Facts belong to one user


def whole_session_of(browser: Browser) -> None:
    prove(browser, give_password(browser)["Location"])
    assert who(browser) == "alice"


def test_facts_left_by_a_careless_sign_out_do_not_admit_another_user(client: Browser, secured: User, bob: User) -> None:
    add_totp(bob)
    whole_session_of(client)
    client.get("/forget/")

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "partial": "bob"}


def test_facts_left_before_the_installation_do_not_admit_another_user(
    client: Browser, secured: User, bob: User, settings: Any
) -> None:
    add_totp(bob)
    with_ours = settings.MIDDLEWARE
    settings.MIDDLEWARE = [name for name in with_ours if name != OURS]
    before = sign_in(secured, assurance="aal2")
    before.get("/forget/")
    settings.MIDDLEWARE = with_ours
    client.cookies.update(before.cookies)

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "partial": "bob"}


def test_facts_do_not_follow_a_replaced_user(client: Browser, secured: User, bob: User) -> None:
    add_totp(bob)
    whole_session_of(client)

    client.get("/name/bob/")

    assert client.get("/undecorated/").json() == {"user": "", "partial": "bob"}


def test_without_the_binding_another_user_would_use_alices_factor(
    client: Browser, secured: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The planted defect that the two tests above detect."""
    monkeypatch.setattr(partial_login, "_owner", lambda session: ["anybody", partial_login._facts_id(session)])
    add_totp(bob)
    whole_session_of(client)

    client.get("/name/bob/")

    assert who(client) == "bob"


def test_logging_in_again_keeps_a_full_session(client: Browser, secured: User) -> None:
    whole_session_of(client)

    client.get("/as/alice/")

    assert who(client) == "alice"


def test_another_user_who_logs_in_over_a_full_session_is_checked(client: Browser, secured: User, bob: User) -> None:
    add_totp(bob)
    whole_session_of(client)

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "partial": "bob"}


def test_a_session_store_with_its_own_facts_is_left_alone(bob: User) -> None:
    class Store(SessionStore):  # like the store of `auth_sessions`, whose rows belong to one user each
        facts: Any = None

    store = Store()
    login_keys = {SESSION_KEY: str(bob.pk), BACKEND_SESSION_KEY: site.AUTHENTICATION_BACKENDS[0]}
    store.update(login_keys)

    was_unjudged = partial_login.is_unjudged(store)
    is_partial = partial_login.judge(store, bob, proved_at=timezone.now())
    Store.facts = partial_login.SessionFacts(
        id=UUID(int=1), transport="cookie", evidence=(), authenticated_at=timezone.now()
    )
    partial_login.tidy(store)

    assert (was_unjudged, is_partial, partial_login.is_unjudged(store)) == (True, False, False)
    assert dict(store.items()) == login_keys
