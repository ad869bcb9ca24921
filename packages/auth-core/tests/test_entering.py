"""The session after a login: old facts, other transports and ended sessions."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.test import RequestFactory
from django.utils import timezone

from auth_core.assurance.evidence import FACTS_KEY, SessionFacts, session_of
from auth_core.assurance.levels import Demand
from auth_core.assurance.methods import Evidence, Method
from auth_core.contracts import Challenged, Grant, Purpose, Transport
from auth_core.errors import LoginExpired, MoreProofRequired
from auth_core.login.browser import enter_session
from auth_core.login.django_session import new_store
from auth_core.login.step_up import begin_step_up
from auth_core.models import PendingLogin
from auth_core.models.pending_login import Caller
from auth_core.people.admission import AdmissionRefusal, NotAdmitted, admit
from auth_core.request.client import Client

pytestmark = pytest.mark.django_db


def facts(**changed: Any) -> SessionFacts:
    defaults = {
        "id": uuid4(), "transport": "cookie", "evidence": (Evidence.now(Method.PASSWORD),),
        "authenticated_at": timezone.now(),
    }  # fmt: skip
    return SessionFacts(**{**defaults, **changed})


def anonymous_request(**session_data: Any) -> Any:
    """Return an anonymous request whose session contains *session_data*."""
    request: Any = RequestFactory().get("/")
    request.session = new_store()
    request.session.update(session_data)
    request.session.save()
    request.user = AnonymousUser()
    return request


def granted_elsewhere(alice: Any) -> Grant:
    """Return a grant of an issuer that stores no facts in the session."""
    store = new_store()
    store.create()
    return Grant(user=alice, session=facts(), credential=str(store.session_key), backend="")


def test_old_session_facts_are_not_kept_at_login(alice: Any) -> None:
    old = facts(evidence=(Evidence.now(Method.PASSWORD), Evidence.now(Method.TOTP)))
    request = anonymous_request(**{FACTS_KEY: old.to_json(), "basket": [1, 2]})

    enter_session(request, granted_elsewhere(alice))

    assert FACTS_KEY not in request.session
    assert session_of(request) is None
    assert request.session["basket"] == [1, 2]


def test_a_login_changes_the_session_key(alice: Any) -> None:
    request = anonymous_request(basket=[1])
    before = request.session.session_key

    enter_session(request, granted_elsewhere(alice))

    assert request.session.session_key != before
    assert not new_store().exists(before)


@pytest.mark.parametrize(("began", "other"), [(Transport.TOKEN, Transport.COOKIE), (Transport.COOKIE, Transport.TOKEN)])
def test_a_pending_login_serves_the_transport_it_began_with(began: Transport, other: Transport, alice: Any) -> None:
    secret = "elb_" + "b" * 43 if began is Transport.COOKIE else ""
    login = PendingLogin.objects.open(
        user=alice, backend="", purpose=Purpose.LOGIN, transport=began, browser_secret=secret
    )
    purposes = frozenset({Purpose.LOGIN})

    assert PendingLogin.objects.find(login.token, Caller(purposes=purposes, transport=began, browser_secret=secret))
    with pytest.raises(LoginExpired):
        PendingLogin.objects.find(login.token, Caller(purposes=purposes, transport=other, browser_secret=secret))


@pytest.mark.parametrize(
    ("change", "is_ended"),
    [
        ({}, False),
        ({"expires_at": timedelta(seconds=1)}, False),
        ({"expires_at": timedelta(0)}, True),
        ({"idle_expires_at": timedelta(0)}, True),
        ({"idle_expires_at": timedelta(seconds=1), "expires_at": timedelta(seconds=-1)}, True),
        ({"idle_expires_at": timedelta(seconds=-1), "expires_at": timedelta(hours=1)}, True),
    ],
)
def test_an_ended_session_is_not_admitted(change: dict[str, timedelta], is_ended: bool, alice: Any, clock: Any) -> None:
    session = facts(**{name: timezone.now() + away for name, away in change.items()})

    if not is_ended:
        admit(alice, session=session)
        return
    with pytest.raises(NotAdmitted) as refused:
        admit(alice, session=session)
    assert refused.value.reason is AdmissionRefusal.ENDED


@pytest.mark.parametrize("max_age", [None, timedelta(hours=1)])
def test_a_step_up_asks_again_for_a_level_already_proved(max_age: timedelta | None, alice: Any) -> None:
    outcome = begin_step_up(
        user=alice, session=facts(), demand=Demand.NONE, max_age=max_age, backend="", client=Client(),
    )  # fmt: skip

    assert isinstance(outcome, Challenged)
    assert PendingLogin.objects.get().evidence == ()


def test_a_step_up_for_a_second_factor_asks_for_every_factor(alice: Any) -> None:
    proved = facts(evidence=(Evidence.now(Method.PASSWORD), Evidence.now(Method.TOTP)))

    with pytest.raises(MoreProofRequired):
        begin_step_up(user=alice, session=proved, demand=Demand.AAL2, max_age=None, backend="", client=Client())
    assert PendingLogin.objects.get().evidence == ()


def test_a_step_up_belongs_to_no_browser_and_continues_nowhere_unless_told(alice: Any) -> None:
    session = facts(transport="token")
    begin_step_up(user=alice, session=session, demand=Demand.NONE, max_age=None, backend="", client=Client())

    login = PendingLogin.objects.get()
    assert (login.continue_to, login.browser_digest) == ("", "")
    assert login.serves(Caller(purposes=frozenset({Purpose.STEP_UP}), transport=Transport.TOKEN, session_id=session.id))


def test_a_fresh_password_counts_for_a_second_factor(alice: Any, second_factor: None) -> None:
    outcome: Any = begin_step_up(
        user=alice, session=facts(), demand=Demand.AAL2, max_age=timedelta(minutes=5), backend="", client=Client()
    )

    assert outcome.challenge.kind == "code"


@pytest.mark.parametrize(
    ("proved", "demand"),
    [
        ((), Demand.NONE),
        ((Method.PASSWORD,), Demand.NONE),
        ((Method.PASSWORD, Method.EMAIL_CODE), Demand.SECOND_FACTOR),
        ((Method.PASSWORD, Method.TOTP), Demand.AAL2),
    ],
)
def test_in_another_context_a_step_up_asks_for_all_that_was_proved(
    proved: tuple[Method, ...], demand: Demand, alice: Any, second_factor: None
) -> None:
    evidence = tuple(Evidence.now(method) for method in proved)

    for changed, wanted in (((), Demand.NONE), (("country",), demand)):
        begin_step_up(
            user=alice, session=facts(evidence=evidence, context_changed=changed), demand=Demand.NONE, max_age=None,
            backend="", client=Client(),
        )  # fmt: skip
        assert PendingLogin.objects.order_by("-pk")[0].demand == wanted
