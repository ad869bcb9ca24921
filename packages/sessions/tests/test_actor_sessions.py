"""Sessions that were opened for an application, and sessions in which another person acts."""

import json
from collections.abc import Callable
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client as Browser

from auth_core.assurance.evidence import Evidence, Method
from auth_core.contracts import Challenged, Purpose, Transport
from auth_core.errors import LoginExpired
from auth_core.events import AuthEvent, Event
from auth_core.flows.password_change import change_password
from auth_core.login.journey import advance
from auth_core.models import PendingLogin
from auth_core.people.locking import disable_account, enable_account
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.testing.browsers import post, with_csrf
from auth_core.testing.counts import counted
from auth_core.testing.factories import PASSWORD, make_administrator, make_user
from auth_core.testing.mails import delivered
from auth_core.testing.redis import OwnRedis
from auth_core.testing.sessions import begin, sign_in
from auth_sessions import concurrency, lifecycle
from auth_sessions.history import history_of
from auth_sessions.models import Device, NotMeLink, Session
from auth_sessions.not_me import revoke_by_link

# The cache is written after the commit, which a test transaction would never reach.
pytestmark = pytest.mark.django_db(transaction=True)

APPLICATION = uuid4()


@pytest.fixture
def events(db: None, recorded_events: list[Event]) -> list[Event]:
    """The recorded events in order."""
    return recorded_events


@pytest.fixture
def chief(db: None) -> Any:
    return make_administrator("chief@example.org")


def id_of(person: Any) -> UUID:
    return identity_of(person).subject_id  # type: ignore[no-any-return]  # the type of the field


def me(browser: Browser) -> int:
    return browser.get("/api/v1/me/").status_code


def parties_in(browser: Browser) -> tuple[str | None, str | None]:
    """Return the application and the actor of the session in *browser*, as the API tells them."""
    shown = browser.get("/api/v1/me/").json()
    return shown["application"], shown["actor"]


@pytest.mark.parametrize("transport", list(Transport))
def test_a_session_keeps_its_application_and_its_actor_in_the_cache_and_in_the_row(
    transport: Transport, shared: OwnRedis, alice: Any, chief: Any
) -> None:
    browser = sign_in(alice, transport=transport, application_id=APPLICATION, actor=chief)
    named = (str(APPLICATION), str(id_of(chief)))

    from_the_row, from_the_cache = parties_in(browser), parties_in(browser)
    shared.kill()
    without_cache = parties_in(browser)

    assert [from_the_row, from_the_cache, without_cache] == [named] * 3


def test_only_the_actor_of_a_cached_session_costs_a_query(shared: OwnRedis, alice: Any, chief: Any) -> None:
    for actor, queries in ((None, 0), (chief, 1)):
        browser = sign_in(alice, transport=Transport.TOKEN, application_id=APPLICATION, actor=actor)
        me(browser)
        with counted() as cost:
            assert me(browser) == 200
        assert cost.queries == queries


def test_a_new_credential_keeps_them(alice: Any, chief: Any, events: list[Event]) -> None:
    browser = sign_in(alice, application_id=APPLICATION, actor=chief)
    old = browser.cookies["sessionid"].value
    del events[:]

    alice.groups.add(Group.objects.create(name="staff"))
    named = parties_in(browser)

    assert browser.cookies["sessionid"].value != old
    assert named == parties_in(browser) == (str(APPLICATION), str(id_of(chief)))
    (rotated,) = [event for event in events if event.name.value == "session.session.rotated"]
    assert (rotated.subject, rotated.actor, rotated.application) == (alice, chief, APPLICATION)


def test_a_step_up_keeps_them(alice: Any, chief: Any) -> None:
    sign_in(alice, transport=Transport.TOKEN, application_id=APPLICATION, actor=chief)
    session = Session.objects.get()

    granted: Any = advance(step_up(alice, session, application_id=APPLICATION, actor_id=id_of(chief)), Client())

    facts = granted.grant.session
    assert (facts.id, facts.application, facts.actor) == (session.pk, APPLICATION, id_of(chief))


@pytest.mark.parametrize("changed", [{"application_id": None}, {"actor_id": None}, {"application_id": uuid4()}])
def test_a_step_up_for_others_raises_nothing(changed: dict[str, Any], alice: Any, chief: Any) -> None:
    sign_in(alice, transport=Transport.TOKEN, application_id=APPLICATION, actor=chief)
    session = Session.objects.get()
    parties = {"application_id": APPLICATION, "actor_id": id_of(chief), **changed}

    with pytest.raises(LoginExpired):
        advance(step_up(alice, session, **parties), Client())

    assert Session.objects.get().evidence_stored == session.evidence_stored


def step_up(user: Any, session: Session, **parties: Any) -> PendingLogin:
    return PendingLogin.objects.open(
        user=user, backend=session.backend, purpose=Purpose.STEP_UP, transport=Transport.TOKEN,
        evidence=[Evidence.now(Method.TOTP, credential="totp-1")], session_id=session.pk, **parties,
    )  # fmt: skip


def test_another_user_in_the_same_row_has_neither(alice: Any, bob: Any, chief: Any) -> None:
    """A site that signs another user in without Django's ``flush`` begins a session of its own kind."""
    browser = sign_in(alice, application_id=APPLICATION, actor=chief)
    store: Any = browser.session
    store["_auth_user_id"], store["_auth_user_hash"] = str(bob.pk), bob.get_session_auth_hash()

    store.save()

    session = Session.objects.get()
    assert (session.user, session.application_id, session.actor_id) == (bob, None, None)


def test_the_owner_sees_who_acts(alice: Any, chief: Any) -> None:
    own = sign_in(alice, transport=Transport.TOKEN)
    sign_in(alice, transport=Transport.TOKEN, application_id=APPLICATION, actor=chief)
    acted = Session.objects.latest("pk")

    listed = own.get("/api/v1/sessions/").json()["results"]
    single = own.get(f"/api/v1/sessions/{acted.pk}/").json()

    assert [(row["application"], row["actor"]) for row in listed] == [
        (str(APPLICATION), str(id_of(chief))), (None, None),
    ]  # fmt: skip
    assert single == listed[0]


def test_administrators_see_who_acts(alice: Any, chief: Any) -> None:
    sign_in(alice, transport=Transport.TOKEN, application_id=APPLICATION, actor=chief)
    acted = Session.objects.get()
    api, site = sign_in(chief, transport=Transport.TOKEN), sign_in(chief)

    found = api.get(f"/api/v1/users/sessions/{acted.pk}/").json()
    page = site.get(f"/admin/auth_sessions/session/{acted.pk}/change/").content.decode()
    out = StringIO()
    call_command("sessions", "list", "--user", "alice@example.org", "--json", stdout=out)

    named = {"application": str(APPLICATION), "actor": str(id_of(chief))}
    assert named.items() <= found.items()
    assert set(named.values()) <= set(page.replace("<", " ").replace(">", " ").split())
    assert named.items() <= json.loads(out.getvalue())[0].items()


def test_events_of_the_session_name_both_people(alice: Any, chief: Any, events: list[Event]) -> None:
    sign_in(alice, transport=Transport.TOKEN, application_id=APPLICATION, actor=chief)
    lifecycle.end_all_sessions(user=alice, reason="revoked")

    opened, ended = [event for event in events if event.name.startswith("session.session.")]
    assert (opened.subject, opened.actor, opened.application) == (alice, chief, APPLICATION)
    assert (ended.subject, ended.actor, ended.application) == (alice, None, APPLICATION)


# What a session with an actor leaves behind.


def test_it_leaves_no_last_login_and_no_known_device(alice: Any, chief: Any) -> None:
    browser = sign_in(alice, actor=chief)

    alice.refresh_from_db()
    session = Session.objects.get()
    assert alice.last_login is None
    assert (session.device_id, session.device_known) == (None, None)
    assert not Device.objects.exists()
    assert delivered() == []
    assert me(browser) == 200


def test_it_sends_no_mail_about_a_new_device(alice: Any, chief: Any) -> None:
    sign_in(alice)
    sign_in(alice, actor=chief)
    assert delivered() == []

    sign_in(alice)
    assert len(delivered()) == 1


def test_it_is_no_past_login_of_the_user(alice: Any, chief: Any) -> None:
    sign_in(alice, actor=chief)
    assert history_of(alice).logins == []

    sign_in(alice)
    assert len(history_of(alice).logins) == 1


@pytest.mark.parametrize("policy", ["refuse", "end_oldest", "end_least_recent"])
def test_it_takes_no_place_of_the_user(policy: str, alice: Any, chief: Any, settings: Any) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "LIMIT": 1, "LIMIT_POLICY": policy}

    before = sign_in(alice, actor=chief)
    own = sign_in(alice)
    after = sign_in(alice, actor=chief)

    assert [me(browser) for browser in (before, own, after)] == [200, 200, 200]


def test_it_is_not_asked_which_session_to_end(alice: Any, chief: Any, settings: Any) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "LIMIT": 1, "LIMIT_POLICY": concurrency.ASK}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": ["auth_sessions.login.SessionLimit"]}
    sign_in(alice)
    own = Session.objects.get()

    sign_in(alice, actor=chief)
    outcome = advance(begin(alice), Client())

    assert isinstance(outcome, Challenged)
    assert [choice.id for choice in outcome.challenge.choices] == [str(own.pk)]


# The end of a session with an actor.


def disable(chief: Any) -> None:
    disable_account(user=chief)


def disable_and_enable(chief: Any) -> None:
    disable_account(user=chief)
    enable_account(user=chief)


def change_the_password(chief: Any) -> None:
    change_password(
        user=chief, current_password=PASSWORD, new_password="quite another passphrase", session=None, client=Client()
    )


def sign_out_everywhere(chief: Any) -> None:
    lifecycle.end_all_sessions(user=chief, reason="revoked")


def sign_out_elsewhere(chief: Any) -> None:
    own = sign_in(chief)
    assert post(with_csrf(own), "sessions/revoke-others").status_code == 204
    assert me(own) == 200


def revoke_by_command(chief: Any) -> None:
    out = StringIO()
    call_command("sessions", "revoke", "--user", "chief@example.org", stdout=out)
    assert out.getvalue() == "Ended 2 sessions.\n"


def disown_a_login(chief: Any) -> None:
    revoke_by_link(token=NotMeLink.objects.open(user=chief, device_id=uuid4()).token, client=Client())


def delete(chief: Any) -> None:
    chief.delete()


@pytest.mark.parametrize(
    "end",
    [
        disable, disable_and_enable, change_the_password, sign_out_everywhere, sign_out_elsewhere, revoke_by_command,
        disown_a_login, delete,
    ],
)  # fmt: skip
@pytest.mark.parametrize("transport", list(Transport))
def test_it_ends_with_the_account_or_with_all_sessions_of_its_actor(
    transport: Transport, end: Callable[[Any], None], shared: OwnRedis, alice: Any, chief: Any
) -> None:
    sign_in(chief)
    acted, own = sign_in(alice, transport=transport, actor=chief), sign_in(alice)
    of_another = sign_in(alice, transport=transport, actor=make_administrator())
    assert [me(browser) for browser in (acted, own, of_another)] == [200, 200, 200]
    row = Session.objects.get(actor_id=id_of(chief))

    end(chief)

    assert [me(browser) for browser in (acted, own, of_another)] == [401, 200, 200]
    row.refresh_from_db()
    assert (row.ended_at is None, row.ended_reason) == (False, lifecycle.ACTOR_ENDED)


def test_its_end_is_recorded_with_its_actor(alice: Any, chief: Any, events: list[Event]) -> None:
    sign_in(alice, transport=Transport.TOKEN, application_id=APPLICATION, actor=chief)
    session = Session.objects.get()
    root = make_administrator()

    disable_account(user=chief, actor=root)

    (ended,) = [event for event in events if event.name is AuthEvent.SESSION_ENDED]
    assert (ended.subject, ended.actor, ended.session, ended.application, ended.reason) == (
        alice, root, session.pk, APPLICATION, lifecycle.ACTOR_ENDED,
    )  # fmt: skip


def test_its_end_needs_no_authority_over_its_user(events: list[Event]) -> None:
    """An administrator who may sign another one out ends what that one does as a person who holds more."""
    helper, keeper = make_user(is_staff=True), make_user(is_staff=True)
    boss = make_administrator()
    sign_in(boss, transport=Transport.TOKEN, actor=helper)

    lifecycle.end_all_sessions(user=helper, reason="administrator", actor=keeper)

    assert Session.objects.get(user=boss).ended_reason == lifecycle.ACTOR_ENDED
    assert {event.actor for event in events if event.name is AuthEvent.SESSION_ENDED} == {keeper}


def test_an_ended_or_expired_session_is_not_ended_again(alice: Any, chief: Any, events: list[Event]) -> None:
    sign_in(alice, transport=Transport.TOKEN, actor=chief)
    lifecycle.end_all_sessions(user=alice, reason="revoked")
    sign_in(alice, transport=Transport.TOKEN, actor=chief)
    Session.objects.filter(ended_at=None).update(expires_at="2020-01-01T00:00:00Z")
    del events[:]

    assert lifecycle.end_acted_sessions(user=chief) == 0

    assert events == []


def test_the_end_of_one_session_of_the_actor_leaves_it(alice: Any, chief: Any) -> None:
    own = sign_in(chief)
    acted = sign_in(alice, actor=chief)

    assert post(with_csrf(own), "logout").status_code == 204

    assert me(acted) == 200
