"""What a session says of whoever it let in, and that it is one person's."""

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
from auth_core.testing.sessions import sign_in
from auth_mfa.site_login import partial_login
from conftest import PASSWORD, enrolled
from partial_login_site import OURS, give_password, prove, who

pytestmark = pytest.mark.usefixtures("partial_login_site")


# What the session says afterwards


def test_the_session_has_another_key_after_the_proof(client: Browser, secured: User) -> None:
    given = give_password(client)
    half = client.cookies["sessionid"].value

    prove(client, given["Location"])
    whole = client.cookies["sessionid"].value
    thief = Browser()
    thief.cookies["sessionid"] = half

    assert whole != half
    assert thief.get("/undecorated/").json() == {"user": "", "half": None}


def test_a_whole_session_says_what_was_proved(client: Browser, secured: User) -> None:
    given = give_password(client)
    prove(client, given["Location"])

    evidence = client.get("/facts/").json()["facts"]["evidence"]

    assert [piece["method"] for piece in evidence] == ["password", "totp"]


def test_a_login_without_a_factor_is_a_fresh_proof_of_a_password(client: Browser, bob: User, clock: Clock) -> None:
    give_password(client, "bob")

    evidence = client.get("/facts/").json()["facts"]["evidence"]

    assert evidence == [{"method": "password", "at": timezone.now().isoformat()}]


def test_an_old_session_is_not_freshened_by_a_later_login_elsewhere(bob: User) -> None:
    """A thief's session from before the installation must not borrow the moment of its victim's login."""
    thief, victim = Browser(), Browser()
    thief.force_login(bob)
    give_password(victim, "bob")

    stolen = thief.get("/facts/").json()["facts"]["evidence"][0]["at"]
    own = victim.get("/facts/").json()["facts"]["evidence"][0]["at"]

    assert stolen < "1950"
    assert own > "2020"


def test_an_old_session_gives_the_password_again_before_a_factor_is_added(client: Browser, bob: User) -> None:
    """A stolen session from before the installation must not enrol the thief's own app."""
    client.force_login(bob)

    led = client.get("/account/second-factors/add/")
    asked = client.post(led["Location"])
    back = client.post(asked["Location"], {"password": PASSWORD})

    assert urlsplit(led["Location"]).path == "/auth/login/again/"
    assert back["Location"] == "/account/second-factors/add/"
    assert client.get(back["Location"]).status_code == 200


def test_a_login_by_somebody_elses_word_is_evidence_of_a_provider(client: Browser, bob: User, settings: Any) -> None:
    settings.MIDDLEWARE = [*settings.MIDDLEWARE, "django.contrib.auth.middleware.RemoteUserMiddleware"]
    settings.AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.RemoteUserBackend"]

    evidence = client.get("/facts/", REMOTE_USER="bob").json()["facts"]["evidence"]

    assert [piece["method"] for piece in evidence] == ["provider"]


def test_a_judged_session_costs_no_further_question(client: Browser, bob: User, django_assert_num_queries: Any) -> None:
    give_password(client, "bob")
    client.get("/undecorated/")

    with django_assert_num_queries(2):  # the session and the user, as without us
        client.get("/undecorated/")


# Facts are one person's


def whole_session_of(browser: Browser) -> None:
    prove(browser, give_password(browser)["Location"])
    assert who(browser) == "alice"


def test_facts_that_a_careless_sign_out_left_behind_let_nobody_else_in(
    client: Browser, secured: User, bob: User
) -> None:
    enrolled(bob)
    whole_session_of(client)
    client.get("/forget/")

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "half": "bob"}


def test_facts_that_were_left_behind_before_the_installation_let_nobody_else_in(
    client: Browser, secured: User, bob: User, settings: Any
) -> None:
    enrolled(bob)
    with_ours = settings.MIDDLEWARE
    settings.MIDDLEWARE = [name for name in with_ours if name != OURS]
    before = sign_in(secured, assurance="aal2")
    before.get("/forget/")
    settings.MIDDLEWARE = with_ours
    client.cookies.update(before.cookies)

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "half": "bob"}


def test_facts_do_not_follow_a_name_that_is_written_over(client: Browser, secured: User, bob: User) -> None:
    enrolled(bob)
    whole_session_of(client)

    client.get("/name/bob/")

    assert client.get("/undecorated/").json() == {"user": "", "half": "bob"}


def test_without_the_binding_somebody_else_gets_in_with_alices_factor(
    client: Browser, secured: User, bob: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The defect that the two tests above look for, planted."""
    monkeypatch.setattr(partial_login, "_owner", lambda session: ["anybody", partial_login._facts_id(session)])
    enrolled(bob)
    whole_session_of(client)

    client.get("/name/bob/")

    assert who(client) == "bob"


def test_whoever_logs_in_again_in_their_own_session_stays_in(client: Browser, secured: User) -> None:
    whole_session_of(client)

    client.get("/as/alice/")

    assert who(client) == "alice"


def test_somebody_else_who_logs_in_over_a_whole_session_is_judged(client: Browser, secured: User, bob: User) -> None:
    enrolled(bob)
    whole_session_of(client)

    give_password(client, "bob")

    assert client.get("/undecorated/").json() == {"user": "", "half": "bob"}


def test_a_store_that_has_facts_of_its_own_is_asked_for_them_and_left_alone(bob: User) -> None:
    class Store(SessionStore):  # as `auth_sessions` has one, whose rows belong to one person each
        facts: Any = None

    store = Store()
    login_keys = {SESSION_KEY: str(bob.pk), BACKEND_SESSION_KEY: site.AUTHENTICATION_BACKENDS[0]}
    store.update(login_keys)

    was_unjudged = partial_login.is_unjudged(store)
    is_half = partial_login.judge(store, bob, proved_at=timezone.now())
    Store.facts = partial_login.SessionFacts(
        id=UUID(int=1), transport="cookie", evidence=(), authenticated_at=timezone.now()
    )
    partial_login.tidy(store)

    assert (was_unjudged, is_half, partial_login.is_unjudged(store)) == (True, False, False)
    assert dict(store.items()) == login_keys
