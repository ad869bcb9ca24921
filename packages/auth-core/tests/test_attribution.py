"""Events name the session, the application and the people behind a request."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import SESSION_KEY, get_user_model
from django.contrib.auth.models import AnonymousUser
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils.functional import SimpleLazyObject

from auth_core.assurance.evidence import session_of, set_session
from auth_core.events import AuthEvent, Event, record
from auth_core.login.django_session import new_store
from auth_core.middleware import RequestContextMiddleware
from auth_core.people.actors import current_session_of
from auth_core.request.attribution import attributed
from auth_core.request.context import CurrentSession
from auth_core.testing.browsers import log_in, post, with_csrf
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_administrator
from auth_core.testing.sessions import sign_in

PERSON, ACTOR, THIRD, FOURTH = (get_user_model()(pk=uuid4(), email=f"{number}@example.org") for number in range(4))
HERE, ELSEWHERE, APPLICATION, OTHER_APPLICATION = (uuid4() for _number in range(4))


def session(*, actor: Any = None, application: Any = APPLICATION) -> CurrentSession:
    return CurrentSession(id=HERE, person=PERSON, application=application, actor=actor)


@pytest.mark.parametrize("actor", [None, ACTOR], ids=["in person", "with an actor"])
@pytest.mark.parametrize("application", [None, APPLICATION], ids=["for no application", "for an application"])
@pytest.mark.parametrize(
    ("stated", "is_filled"),
    [
        ({}, True),
        ({"session": HERE}, True),
        ({"session": ELSEWHERE}, False),
        ({"application": OTHER_APPLICATION}, True),
        ({"session": HERE, "application": OTHER_APPLICATION}, True),
        ({"session": ELSEWHERE, "application": OTHER_APPLICATION}, False),
    ],
)
def test_a_session_and_its_application_are_filled_in_together(
    stated: dict[str, Any], is_filled: bool, application: Any, actor: Any
) -> None:
    event = attributed(
        Event(name=AuthEvent.EMAIL_VERIFIED, subject=PERSON, **stated), session(actor=actor, application=application)
    )

    assert event.session == (HERE if is_filled else ELSEWHERE)
    assert event.application == stated.get("application", application if is_filled else None)


@pytest.mark.parametrize("subject", [None, PERSON, ACTOR, THIRD], ids=["no one", "person", "actor", "third"])
@pytest.mark.parametrize("named_actor", [None, PERSON, ACTOR, FOURTH], ids=["none", "person", "actor", "another"])
@pytest.mark.parametrize("on_behalf_of", [None, FOURTH], ids=["unsaid", "said"])
def test_a_session_in_person_changes_no_people(subject: Any, named_actor: Any, on_behalf_of: Any) -> None:
    event = Event(name=AuthEvent.ACCOUNT_LOCKED, subject=subject, actor=named_actor, on_behalf_of=on_behalf_of)

    filled = attributed(event, session())

    assert (filled.subject, filled.actor, filled.on_behalf_of) == (subject, named_actor, on_behalf_of)


@pytest.mark.parametrize("said_on_behalf_of", [None, FOURTH], ids=["unsaid", "said"])
@pytest.mark.parametrize(
    ("subject", "named_actor", "actor", "on_behalf_of"),
    [
        # The event happened to the person of the session.
        (PERSON, None, ACTOR, None),
        (PERSON, PERSON, ACTOR, None),
        (PERSON, ACTOR, ACTOR, None),
        # It happened to another person, or to no one: the person of the session is named beside the actor.
        (THIRD, None, ACTOR, PERSON),
        (THIRD, PERSON, ACTOR, PERSON),
        (THIRD, ACTOR, ACTOR, PERSON),
        (None, None, ACTOR, PERSON),
        (None, PERSON, ACTOR, PERSON),
        (None, ACTOR, ACTOR, PERSON),
        # It happened to the actor, who did it in the session of the person.
        (ACTOR, None, ACTOR, PERSON),
        (ACTOR, PERSON, ACTOR, PERSON),
        (ACTOR, ACTOR, ACTOR, PERSON),
        # Another person did it, by their own right.
        (PERSON, FOURTH, FOURTH, None),
        (THIRD, FOURTH, FOURTH, None),
        (None, FOURTH, FOURTH, None),
        (ACTOR, FOURTH, FOURTH, None),
    ],
)
def test_a_session_with_an_actor_names_both_people(
    subject: Any, named_actor: Any, actor: Any, on_behalf_of: Any, said_on_behalf_of: Any
) -> None:
    event = Event(name=AuthEvent.ACCOUNT_LOCKED, subject=subject, actor=named_actor, on_behalf_of=said_on_behalf_of)

    filled = attributed(event, session(actor=ACTOR))

    assert filled.subject is subject
    assert filled.actor is actor
    assert filled.on_behalf_of is (said_on_behalf_of or on_behalf_of)


def test_people_are_compared_by_their_keys() -> None:
    copy = get_user_model()(pk=PERSON.pk)

    filled = attributed(Event(name=AuthEvent.ACCOUNT_LOCKED, subject=copy, actor=copy), session(actor=ACTOR))

    assert (filled.actor, filled.on_behalf_of) == (ACTOR, None)


@pytest.mark.django_db
def test_outside_a_request_nothing_is_filled_in(alice: Any, recorded_events: list[Event]) -> None:
    event = Event(name=AuthEvent.ACCOUNT_LOCKED, subject=alice)

    record(event)

    assert recorded_events == [event]


@pytest.mark.django_db
def test_a_request_without_a_session_fills_nothing_in(alice: Any, browser: Browser, events: list[Event]) -> None:
    log_in(browser, password="wrong")

    (event,) = events
    assert (event.name, event.session, event.application, event.actor) == (AuthEvent.LOGIN_FAILED, None, None, None)


@pytest.mark.django_db
def test_an_event_in_a_session_names_it_and_its_application(alice: Any, events: list[Event]) -> None:
    application = uuid4()
    browser = sign_in(alice, application_id=application)
    del events[:]

    post(browser, "password/change", current_password="wrong", new_password="x" * 20)

    (event,) = events
    assert (event.name, event.subject, event.actor) == (AuthEvent.PASSWORD_CHANGE_FAILED, alice, None)
    assert event.session is not None
    assert event.application == application


@pytest.mark.django_db
def test_an_event_in_a_session_with_an_actor_names_the_actor(alice: Any, events: list[Event]) -> None:
    chief = make_administrator()
    browser = sign_in(alice, actor=chief)
    del events[:]

    post(browser, "password/change", current_password="wrong", new_password="x" * 20)
    log_in(with_csrf(browser), identifier="unknown@example.org")

    changed, failed = events
    assert (changed.subject, changed.actor, changed.on_behalf_of) == (alice, chief, None)
    assert (failed.name, failed.subject) == (AuthEvent.LOGIN_FAILED, None)
    assert (failed.actor, failed.on_behalf_of) == (chief, alice)


@pytest.mark.django_db
def test_an_administrator_as_another_one_is_named_for_what_they_change(events: list[Event]) -> None:
    boss, chief = make_administrator(), make_administrator()
    browser = sign_in(boss, actor=chief)
    del events[:]

    invited = post(browser, "invitations", email="new@example.org")

    assert invited.status_code == 201
    (event,) = events
    assert (event.name, event.actor, event.on_behalf_of) == (AuthEvent.INVITATION_SENT, chief, boss)


@pytest.mark.django_db
@pytest.mark.parametrize("path", ["me", "csrf"])
def test_only_a_session_with_an_actor_costs_more_queries(path: str, alice: Any) -> None:
    costs = []
    for actor in (None, make_administrator()):
        browser = sign_in(alice, actor=actor)
        with counted() as cost:
            assert browser.get(f"/api/v1/{path}/").status_code == 200
        costs.append(cost.queries)

    assert costs[1] == costs[0] + 2  # whether the actor is still admitted, and who it is


@pytest.mark.django_db
def test_a_session_that_the_request_did_not_read_is_not_loaded(alice: Any) -> None:
    request: Any = RequestFactory().get("/")
    request.session = new_store("x" * 32)
    request.user = SimpleLazyObject(lambda: alice)

    with counted() as cost:
        assert current_session_of(request) is None

    assert cost.queries == 0


@pytest.mark.django_db
def test_a_user_of_another_authentication_has_no_session_here(alice: Any, bob: Any) -> None:
    """A package with tokens of its own sets the user, while the browser also has a session of another person."""
    browser = sign_in(bob)
    request: Any = RequestFactory().get("/")
    request.session = new_store(browser.cookies["sessionid"].value)
    assert request.session[SESSION_KEY] == str(bob.pk)

    request.user = alice
    assert current_session_of(request) is None
    request.user = bob
    assert getattr(current_session_of(request), "person", None) == bob


@pytest.mark.django_db
def test_a_user_that_an_asynchronous_view_loaded_counts(alice: Any) -> None:
    request: Any = RequestFactory().get("/")
    request.session = new_store(sign_in(alice).cookies["sessionid"].value)
    assert request.session[SESSION_KEY]
    request.user = SimpleLazyObject(AnonymousUser)
    request._acached_user = alice

    assert getattr(current_session_of(request), "person", None) == alice


@pytest.mark.django_db
def test_an_actor_is_found_once_in_a_request(alice: Any) -> None:
    chief = make_administrator()
    request: Any = RequestFactory().get("/")
    request.session = new_store(sign_in(alice, actor=chief).cookies["sessionid"].value)
    facts = session_of(request)
    assert facts is not None
    request.user = get_user_model()._default_manager.get(pk=alice.pk)
    set_session(request, facts)

    with counted() as cost:
        sessions = [current_session_of(request) for _event in range(3)]

    assert [found.actor for found in sessions if found] == [chief] * 3
    assert cost.queries == 1


@pytest.mark.django_db
def test_the_request_log_still_loads_nothing(alice: Any, rf: RequestFactory) -> None:
    def view(request: Any) -> Any:
        request.user = SimpleLazyObject(lambda: pytest.fail("The user was loaded."))
        return Browser().get("/api/v1/csrf/")

    assert RequestContextMiddleware(view)(rf.get("/")).status_code == 200
