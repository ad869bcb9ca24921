"""Step-ups: a session with new evidence gets a new credential and is not prolonged."""

import time
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
import time_machine
from django.utils import timezone

from auth_core.assurance.evidence import Evidence, Method
from auth_core.contracts import Grant, Purpose, Transport
from auth_core.errors import LoginExpired
from auth_core.login.journey import advance
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in
from auth_core.testing.parallel import at_once
from auth_core.testing.settings import redis_url
from auth_sessions import lifecycle
from auth_sessions.models import Session
from auth_sessions.models.session import SessionQuerySet
from conftest import Caller

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


def pending(user: Any, session: Session, *proved: Evidence, transport: Transport = Transport.TOKEN) -> PendingLogin:
    return PendingLogin.objects.open(
        user=user,
        backend=session.backend,
        purpose=Purpose.STEP_UP,
        transport=transport,
        evidence=list(proved or [Evidence.now(Method.TOTP, credential="totp-1")]),
        session_id=session.pk,
    )


def step_up_session(user: Any, session: Session, *proved: Evidence) -> Grant:
    outcome: Any = advance(pending(user, session, *proved), Client())
    return outcome.grant  # type: ignore[no-any-return]  # a grant, or the test fails


@pytest.mark.asvs("7.2.4")
def test_a_step_up_keeps_the_session_and_replaces_the_credential(alice: Any, caller: Caller) -> None:
    caller.log_in()
    session, old = Session.objects.get(), caller.credential

    caller.credential = step_up_session(alice, session).credential

    assert caller.get("me/").json()["acr"] == "aal2"
    assert Session.objects.get().pk == session.pk
    caller.credential = old
    assert caller.get("me/").status_code == 401


def test_earlier_evidence_still_counts(alice: Any, caller: Caller) -> None:
    caller.log_in()

    grant = step_up_session(alice, Session.objects.get())

    assert [evidence.method for evidence in grant.session.evidence] == [Method.PASSWORD, Method.TOTP]


def test_repeated_evidence_counts_once_with_the_latest_time(alice: Any, caller: Caller) -> None:
    caller.log_in()
    later = timezone.now() + timedelta(hours=2)

    with time_machine.travel(later, tick=False):
        grant = step_up_session(alice, Session.objects.get(), Evidence.now(Method.PASSWORD))

    assert [(evidence.method, evidence.at) for evidence in grant.session.evidence] == [(Method.PASSWORD, later)]


def test_a_key_touch_does_not_cancel_earlier_user_verification(alice: Any, caller: Caller) -> None:
    caller.log_in()
    session = Session.objects.get()
    caller_key = {"credential": "key-1"}
    step_up_session(alice, session, Evidence.now(Method.PASSKEY, user_verified=True, **caller_key))

    grant = step_up_session(alice, session, Evidence.now(Method.PASSKEY, **caller_key))

    assert grant.session.acr == "aal2"


def test_an_old_session_can_be_stepped_up(alice: Any, caller: Caller) -> None:
    caller.log_in()
    later = timezone.now() + timedelta(days=3)

    with time_machine.travel(later, tick=False):
        grant = step_up_session(alice, Session.objects.get())
        caller.credential = grant.credential
        assert caller.get("me/").status_code == 200

    assert grant.session.expires_at == later + timedelta(hours=24)
    assert grant.session.idle_expires_at == later + timedelta(hours=1)


@pytest.mark.asvs("7.3.2")
def test_a_step_up_does_not_prolong_a_session(alice: Any, caller: Caller) -> None:
    caller.log_in()
    session = Session.objects.get()
    end = step_up_session(alice, session).session.expires_at

    with time_machine.travel(timezone.now() + timedelta(minutes=50), tick=False):
        grant = step_up_session(alice, session)

    assert grant.session.expires_at == end


def test_an_ended_session_cannot_be_stepped_up(alice: Any, caller: Caller) -> None:
    caller.log_in()
    session = Session.objects.get()
    login = pending(alice, session)
    lifecycle.end_session(session_id=session.pk, user=alice, reason="revoked")

    with pytest.raises(LoginExpired):
        advance(login, Client())


def test_a_cookie_session_is_not_stepped_up_by_token(alice: Any, caller: Caller, browser: Any) -> None:
    log_in(browser)

    with pytest.raises(LoginExpired):
        step_up_session(alice, Session.objects.get())


def test_an_idle_expired_session_cannot_be_stepped_up(alice: Any, caller: Caller) -> None:
    caller.log_in()

    with time_machine.travel(timezone.now() + timedelta(days=8), tick=False), pytest.raises(LoginExpired):
        step_up_session(alice, Session.objects.get())


def parallel_step_ups(alice: Any, caller: Caller) -> tuple[set[str], set[str]]:
    """Step one session up 20 times in parallel. Return the granted factors and the evidence of the session."""
    caller.log_in()
    session = Session.objects.get()
    factors = [f"totp-{number}" for number in range(20)]

    results = at_once(
        [partial(step_up_session, alice, session, Evidence.now(Method.TOTP, credential=factor)) for factor in factors]
    )

    granted = {factor for factor, result in zip(factors, results, strict=True) if isinstance(result, Grant)}
    session.refresh_from_db()
    return granted, {evidence.credential for evidence in session.facts.evidence if evidence.credential}


@pytest.mark.postgresql
@pytest.mark.asvs("15.4.2")
@pytest.mark.django_db(transaction=True)
def test_parallel_step_ups_do_not_undo_each_other(alice: Any, caller: Caller) -> None:
    granted, proved = parallel_step_ups(alice, caller)

    assert granted
    assert proved == granted


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_an_unconditional_update_would_undo_a_step_up(
    alice: Any, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = SessionQuerySet.update

    def unconditional(self: Any, **changes: Any) -> int:
        time.sleep(0.05)
        return int(real(Session.objects.all(), **changes))

    monkeypatch.setattr(SessionQuerySet, "update", unconditional)

    granted, proved = parallel_step_ups(alice, caller)

    assert proved < granted, "the planted defect must be seen"


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_session_stepped_up_and_ended_in_parallel_has_ended(
    alice: Any, caller: Caller, recorded_events: list[Any]
) -> None:
    for _round in range(10):
        caller.log_in()
        session = Session.objects.live().get()

        raised, ended = at_once(
            [
                partial(step_up_session, alice, session),
                partial(lifecycle.end_session, session_id=session.pk, user=alice, reason="revoked"),
            ]
        )

        assert ended is True
        if isinstance(raised, Grant):
            caller.credential = raised.credential
        assert caller.get("me/").status_code == 401
    assert sum(event.name.value == "session.session.ended" for event in recorded_events) == 10
