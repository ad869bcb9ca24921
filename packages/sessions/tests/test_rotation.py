"""A new privilege rotates the session credential, without signing out parallel requests."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client as Browser
from django.utils import timezone

from auth_core.assurance.evidence import Evidence, Method
from auth_core.contracts import Purpose, Transport
from auth_core.login.journey import advance
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in
from auth_core.testing.clock import stopped_clock
from auth_core.testing.redis import OwnRedis
from auth_sessions import lifecycle
from auth_sessions.engine import SessionStore
from auth_sessions.models import Session
from conftest import Caller

# The cache is written after the commit, which a test transaction would never reach.
pytestmark = pytest.mark.django_db(transaction=True)

COOKIE = "sessionid"


@pytest.fixture
def signed_in_browser(alice: Any, browser: Browser) -> Browser:
    assert log_in(browser).status_code == 200
    assert browser.get("/api/v1/me/").status_code == 200
    return browser


def with_cookie(credential: str) -> Browser:
    browser = Browser()
    browser.cookies[COOKIE] = credential
    return browser


def me(browser: Browser) -> int:
    return browser.get("/api/v1/me/").status_code


@pytest.mark.asvs("7.2.4")
@pytest.mark.parametrize("with_cache", [True, False])
def test_the_next_request_gets_a_new_credential_and_the_old_one_expires(
    with_cache: bool, shared: OwnRedis, alice: Any, signed_in_browser: Browser, settings: Any
) -> None:
    if not with_cache:
        settings.AUTH_CORE = {**settings.AUTH_CORE, "REDIS_URL": ""}
    old, public_id = signed_in_browser.cookies[COOKIE].value, Session.objects.get().pk

    alice.is_staff = True
    alice.save()

    with stopped_clock() as clock:
        assert me(signed_in_browser) == 200
        new = signed_in_browser.cookies[COOKIE].value
        parallel = me(with_cookie(old))
        clock.forward(seconds=16)
        after = me(with_cookie(old))

        assert new != old
        assert (parallel, after, me(with_cookie(new))) == (200, 401, 200)
    assert Session.objects.get().pk == public_id


def test_a_rotation_is_recorded(alice: Any, signed_in_browser: Browser, recorded_events: list[Any]) -> None:
    lifecycle.rotate_sessions(user=alice)
    me(signed_in_browser)

    assert [event.name.value for event in recorded_events] == ["session.session.rotated"]


def test_a_parallel_request_gets_no_credential_of_its_own(alice: Any, signed_in_browser: Browser) -> None:
    old = signed_in_browser.cookies[COOKIE].value
    lifecycle.rotate_sessions(user=alice)
    me(signed_in_browser)

    parallel = with_cookie(old)
    assert me(parallel) == 200

    assert parallel.cookies[COOKIE].value == old


def test_an_ended_session_is_invalid_with_both_credentials(alice: Any, signed_in_browser: Browser) -> None:
    old = signed_in_browser.cookies[COOKIE].value
    lifecycle.rotate_sessions(user=alice)
    me(signed_in_browser)

    lifecycle.end_all_sessions(user=alice, reason="revoked")

    assert (me(signed_in_browser), me(with_cookie(old))) == (401, 401)


@pytest.mark.parametrize("grant", ["is_superuser", "group", "permission", "member"])
def test_every_way_to_grant_a_privilege_in_django_rotates(grant: str, alice: Any, signed_in_browser: Browser) -> None:
    group = Group.objects.create(name="clerks")
    if grant == "group":
        alice.groups.add(group)
    elif grant == "permission":
        alice.user_permissions.add(Permission.objects.first())
    elif grant == "member":
        group.user_set.add(alice)
    else:
        alice.is_superuser = True
        alice.save(update_fields=["is_superuser"])

    assert Session.objects.get().rotates


def test_changes_without_new_privileges_do_not_rotate(alice: Any, signed_in_browser: Browser) -> None:
    alice.first_name = "Alice"
    alice.save()
    alice.groups.clear()

    assert not Session.objects.get().rotates


def test_a_token_is_not_rotated(alice: Any, caller: Caller) -> None:
    caller.log_in()

    assert lifecycle.rotate_sessions(user=alice) == 0
    assert caller.get("me/").status_code == 200


def test_only_the_last_previous_credential_stays_valid(alice: Any, signed_in_browser: Browser) -> None:
    first = signed_in_browser.cookies[COOKIE].value
    for _rise in range(2):
        lifecycle.rotate_sessions(user=alice)
        me(signed_in_browser)

    assert me(with_cookie(first)) == 401
    assert Session.objects.get().previous_until <= timezone.now() + timedelta(seconds=15)


def test_a_step_up_invalidates_the_previous_credential(alice: Any, signed_in_browser: Browser) -> None:
    old = signed_in_browser.cookies[COOKIE].value
    lifecycle.rotate_sessions(user=alice)
    me(signed_in_browser)
    assert me(with_cookie(old)) == 200

    row = Session.objects.get()
    login = PendingLogin.objects.open(
        user=alice, backend=row.backend, purpose=Purpose.STEP_UP, transport=Transport.COOKIE,
        evidence=[Evidence.now(Method.TOTP, credential="totp-1")], session_id=row.pk,
    )  # fmt: skip
    advance(login, Client())

    assert me(with_cookie(old)) == 401


def test_cycling_the_key_invalidates_the_previous_credential(alice: Any, signed_in_browser: Browser) -> None:
    old = signed_in_browser.cookies[COOKIE].value
    lifecycle.rotate_sessions(user=alice)
    me(signed_in_browser)

    SessionStore(signed_in_browser.cookies[COOKIE].value).cycle_key()

    assert me(with_cookie(old)) == 401
