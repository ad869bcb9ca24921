"""A login and its session keep the application and the actor with which they began."""

from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from auth_core import registries
from auth_core.assurance.evidence import Evidence, Method, SessionFacts, session_of, set_session
from auth_core.assurance.levels import Demand
from auth_core.contracts import Challenged, Granted, LoginOutcome, Purpose, Transport
from auth_core.errors import InvalidCredentials, LoginExpired, PermissionRefused
from auth_core.events import AuthEvent, Event
from auth_core.login.browser import enter_session
from auth_core.login.journey import answer_login, begin_login, open_login
from auth_core.login.step_up import begin_step_up
from auth_core.models import PendingLogin
from auth_core.models.pending_login import Caller
from auth_core.people.admission import AdmissionRefusal, NotAdmitted, admit
from auth_core.people.locking import disable_account, lock_account
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.testing.browsers import answer, log_in, post, with_csrf
from auth_core.testing.counts import counted
from auth_core.testing.doubles import RIGHT_CODE, SetAssessor
from auth_core.testing.factories import PASSWORD, make_administrator
from auth_core.testing.sessions import sign_in
from test_entering import anonymous_request, facts

pytestmark = pytest.mark.django_db

BACKEND = "auth_core.backends.IdentifierBackend"
BROWSER_SECRET = "elb_" + "x" * 43


@pytest.fixture
def chief(db: None) -> Any:
    return make_administrator("chief@example.org")


@pytest.fixture
def applications(monkeypatch: pytest.MonkeyPatch) -> set[UUID]:
    """The applications that may be used, for a package that knows applications."""
    usable: set[UUID] = set()
    monkeypatch.setattr(registries.application_checks, "_entries", {"test": usable.__contains__})
    return usable


def id_of(person: Any) -> UUID:
    return identity_of(person).subject_id  # type: ignore[no-any-return]  # the type of the field


def open_for(user: Any, **parties: Any) -> LoginOutcome:
    user.backend = BACKEND
    return open_login(
        user=user,
        evidence=Evidence.now(Method.PASSWORD),
        purpose=Purpose.LOGIN,
        transport=Transport.COOKIE,
        client=Client(),
        browser_secret=BROWSER_SECRET,
        **parties,
    )


def answered(outcome: LoginOutcome, **caller: Any) -> LoginOutcome:
    assert isinstance(outcome, Challenged)
    return answer_login(
        token=outcome.token,
        answer={"code": RIGHT_CODE},
        caller=Caller(purposes=frozenset({Purpose.LOGIN}), browser_secret=BROWSER_SECRET, **caller),
        client=Client(),
    )


def session_in(outcome: LoginOutcome) -> SessionFacts:
    assert isinstance(outcome, Granted)
    return outcome.grant.session


def test_a_session_gets_the_application_and_the_actor_of_its_login(alice: Any, chief: Any) -> None:
    application = uuid4()

    session = session_in(open_for(alice, application_id=application, actor_id=id_of(chief)))

    assert (session.application, session.actor) == (application, id_of(chief))


def test_a_login_without_them_has_neither(alice: Any) -> None:
    session = session_in(open_for(alice))

    assert (session.application, session.actor) == (None, None)


def test_a_person_who_signs_in_as_themselves_is_no_actor(alice: Any) -> None:
    assert session_in(open_for(alice, actor_id=id_of(alice))).actor is None


def test_facts_survive_their_stored_form(alice: Any) -> None:
    for stated in (facts(application=uuid4(), actor=uuid4()), facts()):
        assert SessionFacts.from_json(stated.to_json()) == stated


def test_a_password_login_for_an_application_keeps_it(alice: Any) -> None:
    application = uuid4()

    outcome = begin_login(
        identifier="alice@example.org", password=PASSWORD, transport=Transport.COOKIE, client=Client(),
        application_id=application, browser_secret=BROWSER_SECRET,
    )  # fmt: skip

    assert session_in(outcome).application == application


def test_a_wrong_password_names_the_application(alice: Any, recorded_events: list[Any]) -> None:
    application = uuid4()

    with pytest.raises(InvalidCredentials):
        begin_login(
            identifier="alice@example.org", password="wrong", transport=Transport.COOKIE, client=Client(),
            application_id=application, browser_secret=BROWSER_SECRET,
        )  # fmt: skip

    assert [event.application for event in recorded_events if event.name == "auth.login.failed"] == [application]


@pytest.mark.parametrize(
    ("has_application", "has_actor"), [(True, False), (False, True), (True, True)], ids=["application", "actor", "both"]
)
def test_a_login_is_answered_only_for_the_same_application_and_actor(
    has_application: bool, has_actor: bool, alice: Any, chief: Any, second_factor: None
) -> None:
    parties = {
        "application_id": uuid4() if has_application else None, "actor_id": id_of(chief) if has_actor else None,
    }  # fmt: skip
    challenged = open_for(alice, **parties)

    for wrong in ({}, {**parties, "application_id": uuid4()}, {**parties, "actor_id": uuid4()}):
        with pytest.raises(LoginExpired):
            answered(challenged, **wrong)

    session = session_in(answered(challenged, **parties))
    assert (session.application, session.actor) == (parties["application_id"], parties["actor_id"])


def test_a_login_for_no_application_is_not_answered_for_one(alice: Any, second_factor: None) -> None:
    challenged = open_for(alice)

    for parties in ({"application_id": uuid4()}, {"actor_id": uuid4()}):
        with pytest.raises(LoginExpired):
            answered(challenged, **parties)

    assert isinstance(answered(challenged), Granted)


@pytest.mark.parametrize(("has_application", "has_actor"), [(True, False), (False, True), (True, True)])
def test_a_step_up_keeps_the_application_and_the_actor(
    has_application: bool, has_actor: bool, alice: Any, chief: Any
) -> None:
    application = uuid4() if has_application else None
    browser = sign_in(alice, application_id=application, actor=chief if has_actor else None)

    challenged = post(with_csrf(browser), "reauthenticate", required_assurance="aal1", max_age=0)
    granted = answer(browser, challenged, password=PASSWORD)

    assert granted.status_code == 200
    named = {"application": application and str(application), "actor": str(id_of(chief)) if has_actor else None}
    assert named.items() <= granted.json()["session"].items()
    assert named.items() <= browser.get("/api/v1/me/").json().items()


def test_me_and_a_new_session_name_neither_today(alice: Any, browser: Browser) -> None:
    granted = log_in(browser).json()

    assert (granted["session"]["application"], granted["session"]["actor"]) == (None, None)
    assert (granted["user"]["application"], granted["user"]["actor"]) == (None, None)


@pytest.mark.parametrize("field", ["actor", "actor_id", "application", "application_id", "on_behalf_of"])
def test_a_body_cannot_name_an_application_or_an_actor(field: str, alice: Any, chief: Any, browser: Browser) -> None:
    named = {field: str(id_of(chief))}
    bodies: dict[str, dict[str, Any]] = {
        "login": {"identifier": "alice@example.org", "password": PASSWORD},
        "login/answer": {"token": "x", "answer": {"code": "1"}},
        "login/challenge": {"token": "x", "choice": "x"},
    }
    refused = [post(browser, path, **body, **named) for path, body in bodies.items()]
    signed_in = with_csrf(sign_in(alice))
    refused.append(post(signed_in, "reauthenticate", required_assurance="aal1", max_age=0, **named))

    for response in refused:
        assert response.status_code == 400
        assert [(error["field"], error["code"]) for error in response.json()["errors"]] == [(field, "unknown_field")]
    assert not PendingLogin.objects.exclude(user=alice, closed_at__isnull=False).exists()


def test_every_event_of_the_login_names_both_people(
    alice: Any, chief: Any, second_factor: None, events: list[Event]
) -> None:
    parties = {"application_id": uuid4(), "actor_id": id_of(chief)}

    answered(open_for(alice, **parties), **parties)

    of_login = [event for event in events if event.name.startswith("auth.login.")]
    assert [event.name for event in of_login] == [
        AuthEvent.LOGIN_STARTED, AuthEvent.LOGIN_CHALLENGED, AuthEvent.LOGIN_SUCCEEDED,
    ]  # fmt: skip
    assert {(event.subject, event.actor, event.application) for event in of_login} == {
        (alice, chief, parties["application_id"])
    }


def test_no_one_signs_in_as_a_person_who_holds_more(alice: Any, chief: Any) -> None:
    with pytest.raises(PermissionRefused):
        open_for(chief, actor_id=id_of(alice))

    assert not PendingLogin.objects.exists()


def end_by_disabling(person: Any) -> None:
    disable_account(user=person)


def end_by_saving(person: Any) -> None:
    person.is_active = False
    person.save()


def end_by_writing(person: Any) -> None:
    get_user_model()._default_manager.filter(pk=person.pk).update(is_active=False)


def end_by_locking(person: Any) -> None:
    lock_account(user=person)


def end_by_deleting(person: Any) -> None:
    person.delete()


ENDS = [end_by_disabling, end_by_saving, end_by_writing, end_by_locking, end_by_deleting]


@pytest.mark.parametrize("end", ENDS)
def test_a_login_whose_actor_may_not_sign_in_is_refused(
    end: Any, alice: Any, chief: Any, second_factor: None, events: list[Event]
) -> None:
    parties = {"actor_id": id_of(chief)}
    challenged = open_for(alice, **parties)
    end(chief)

    with pytest.raises(InvalidCredentials):
        answered(challenged, **parties)

    assert (events[-1].name, events[-1].reason) == (AuthEvent.LOGIN_FAILED, "actor")


@pytest.mark.parametrize("end", ENDS)
def test_a_session_whose_actor_may_not_sign_in_is_refused(end: Any, alice: Any, chief: Any) -> None:
    browser = sign_in(alice, actor=chief)
    own = sign_in(alice)
    assert browser.get("/api/v1/me/").status_code == 200

    end(chief)

    assert browser.get("/api/v1/me/").status_code == 401
    assert own.get("/api/v1/me/").status_code == 200


@pytest.mark.parametrize("page", ["/account/", "/own/", "/own/async/"])
@pytest.mark.parametrize("end", ENDS)
def test_a_page_refuses_a_session_whose_actor_may_not_sign_in(
    end: Any, page: str, alice: Any, chief: Any, settings: Any
) -> None:
    settings.ROOT_URLCONF = "pages_of_a_site"
    browser, own = sign_in(alice, actor=chief), sign_in(alice)
    assert browser.get(page).status_code == 200

    end(chief)

    assert browser.get(page).status_code == 302
    assert own.get(page).status_code == 200


def test_a_page_refuses_a_session_of_an_application_that_ended(
    alice: Any, applications: set[UUID], settings: Any
) -> None:
    settings.ROOT_URLCONF = "pages_of_a_site"
    application = uuid4()
    applications.add(application)
    browser = sign_in(alice, application_id=application)
    assert browser.get("/own/").status_code == 200

    applications.remove(application)

    assert browser.get("/own/").status_code == 302


def test_a_page_without_an_actor_costs_no_query_more(alice: Any, chief: Any, settings: Any) -> None:
    settings.ROOT_URLCONF = "pages_of_a_site"
    costs = []
    for browser in (sign_in(alice), sign_in(alice, actor=chief)):
        browser.get("/own/")
        with counted() as cost:
            browser.get("/own/")
        costs.append(cost.queries)

    assert costs == [2, 3]


def test_an_unknown_actor_is_refused(alice: Any) -> None:
    with pytest.raises(InvalidCredentials):
        open_for(alice, actor_id=uuid4())


def test_admission_asks_the_packages_that_know_applications(alice: Any, applications: set[UUID]) -> None:
    usable, other = uuid4(), uuid4()
    applications.add(usable)

    admit(alice, application=usable)
    admit(alice, session=facts(application=usable))
    for arguments in ({"application": other}, {"session": facts(application=other)}):
        with pytest.raises(NotAdmitted) as refused:
            admit(alice, **arguments)
        assert refused.value.reason is AdmissionRefusal.APPLICATION


def test_a_login_and_a_session_of_an_application_end_with_it(alice: Any, applications: set[UUID]) -> None:
    application = uuid4()
    applications.add(application)
    browser = sign_in(alice, application_id=application)
    assert browser.get("/api/v1/me/").status_code == 200

    applications.remove(application)

    assert browser.get("/api/v1/me/").status_code == 401
    with pytest.raises(InvalidCredentials):
        open_for(alice, application_id=application)
    with pytest.raises(InvalidCredentials):
        begin_login(
            identifier="alice@example.org", password=PASSWORD, transport=Transport.COOKIE, client=Client(),
            application_id=application, browser_secret=BROWSER_SECRET,
        )  # fmt: skip


def test_admission_without_an_actor_runs_no_query(alice: Any, chief: Any) -> None:
    identity_of(alice)
    for session, queries in ((facts(application=uuid4()), 0), (facts(actor=id_of(chief)), 1)):
        with counted() as cost:
            admit(alice, session=session)
        assert cost.queries == queries


def test_pending_logins_end_with_those_of_their_actor(alice: Any, chief: Any, second_factor: None) -> None:
    parties = {"actor_id": id_of(chief)}
    acted, own = open_for(alice, **parties), open_for(alice)

    assert PendingLogin.objects.end_all_of(chief) == 1

    with pytest.raises(LoginExpired):
        answered(acted, **parties)
    assert isinstance(answered(own), Granted)


def test_a_session_with_an_actor_sets_no_last_login(alice: Any, chief: Any) -> None:
    sign_in(alice, actor=chief)
    alice.refresh_from_db()
    assert alice.last_login is None

    sign_in(alice)
    alice.refresh_from_db()
    assert alice.last_login is not None


def test_the_risk_of_an_actors_login_is_not_taken_for_the_users(
    alice: Any, chief: Any, settings: Any, monkeypatch: pytest.MonkeyPatch, recorded_events: list[Any]
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "RISK_ASSESSOR": "auth_core.testing.doubles.SetAssessor"}
    assessed: list[Any] = []
    monkeypatch.setattr(SetAssessor, "assess", lambda self, user, client: assessed.append(user))

    open_for(alice, actor_id=id_of(chief))

    assert assessed == []
    assert [event.data["score"] for event in recorded_events if "score" in event.data] == [None]


def test_a_step_up_of_one_session_does_not_take_over_the_actor_of_another(alice: Any, chief: Any) -> None:
    session = facts(actor=id_of(chief), application=uuid4())

    outcome = begin_step_up(
        user=alice, session=session, demand=Demand.NONE, max_age=timedelta(0), backend=BACKEND, client=Client(),
        browser_secret=BROWSER_SECRET,
    )  # fmt: skip

    assert isinstance(outcome, Challenged)
    login = PendingLogin.objects.get()
    assert (login.application_id, login.actor_id) == (session.application, session.actor)
    step_up = frozenset({Purpose.STEP_UP})
    other = Caller(purposes=step_up, browser_secret=BROWSER_SECRET, session_id=uuid4(), actor_id=id_of(chief))
    assert not login.serves(other)
    assert login.serves(Caller(purposes=step_up, browser_secret=BROWSER_SECRET, session_id=session.id))


def test_the_session_of_the_request_is_the_new_one_after_a_login(alice: Any, chief: Any) -> None:
    outcome = open_for(alice, actor_id=id_of(chief))
    assert isinstance(outcome, Granted)
    request = anonymous_request()
    set_session(request, facts())

    enter_session(request, outcome.grant)

    entered = session_of(request)
    assert entered is not None
    assert (entered.id, entered.actor) == (outcome.grant.session.id, id_of(chief))
