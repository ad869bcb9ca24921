"""How people connect and disconnect accounts at providers, on the pages, over the API and by administrators."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Permission
from django.db import IntegrityError
from django.test import Client as Browser
from django.utils import timezone

from auth_core.assurance.methods import Evidence, Method
from auth_core.contracts import Purpose, Transport
from auth_core.events import Event
from auth_core.federation.connections.login import sign_in
from auth_core.federation.connections.rows import disconnect
from auth_core.federation.errors import LastWayIn
from auth_core.federation.events import FederationEvent
from auth_core.federation.models import Connection, SpentState
from auth_core.federation.providers.configuration import find_provider
from auth_core.federation.providers.identity import ProviderIdentity
from auth_core.federation.sweep import delete_expired
from auth_core.federation.testing.browsers import begin, sign_in_at, visit
from auth_core.federation.testing.providers import FakeApple, FakeProvider
from auth_core.models import OutboxMessage, PendingLogin
from auth_core.request.client import Client
from auth_core.testing.factories import make_administrator, make_user
from auth_core.testing.parallel import at_once, one_winner
from auth_core.testing.sessions import sign_in as signed_in_browser
from conftest import configure

pytestmark = pytest.mark.django_db

PAGE = "/account/connections/"
API = "/api/v1/me/connections/"


def connection_of(user: Any, provider: str = "openid", subject: str = "1", **columns: Any) -> Connection:
    return Connection.objects.create(
        user=user, provider=provider, issuer="https://x.example", subject=subject, **columns
    )


def without_password(user: Any) -> Any:
    user.password = make_password(None)
    user.save()
    return user


@pytest.mark.parametrize("kind", [FakeProvider, FakeApple])
def test_a_person_connects_an_account_whose_address_is_another_one(
    kind: type[FakeProvider], provide: Any, alice: Any, events: list[Event]
) -> None:
    fake = provide(kind)
    fake.person |= {"email": "private@elsewhere.example", "email_verified": False}
    browser = signed_in_browser(alice)

    answer = sign_in_at(browser, fake.kind, connects=True)

    assert (answer.status_code, answer.headers["Location"]) == (303, PAGE)
    assert Connection.objects.get().user == alice
    assert "private@elsewhere.example" in browser.get(PAGE).content.decode()
    assert [event.name for event in events if event.name in list(FederationEvent)] == [FederationEvent.CONNECTION_ADDED]
    assert OutboxMessage.objects.get().template == "connection_added"
    assert sign_in_at(Browser(), fake.kind).status_code == 303


def test_a_connection_needs_the_session_that_began_it(provide: Any, alice: Any, bob: Any) -> None:
    provide(FakeProvider)
    browser = signed_in_browser(alice)
    returned = visit(begin(browser, "openid", connects=True))
    other = signed_in_browser(bob)
    other.cookies["__Host-federation"] = browser.cookies["__Host-federation"].value

    assert returned.deliver(other).status_code == 401
    assert not Connection.objects.exists()


def test_a_sign_in_does_not_become_a_connection(provide: Any, alice: Any, bob: Any) -> None:
    """A cookie of a sign-in that a stranger planted signs in as the stranger at most. It never connects their account."""
    provide(FakeProvider)
    returned = visit(begin(Browser(), "openid"))
    attacker = Browser()
    returned = visit(begin(attacker, "openid"))
    victim = signed_in_browser(bob)
    victim.cookies["__Host-federation"] = attacker.cookies["__Host-federation"].value

    returned.deliver(victim)

    assert not Connection.objects.filter(user=bob).exists()


def test_an_account_that_is_connected_elsewhere(provide: Any, alice: Any, bob: Any) -> None:
    provide(FakeProvider)
    assert sign_in_at(signed_in_browser(alice), "openid", connects=True).status_code == 303

    answer = sign_in_at(signed_in_browser(bob), "openid", connects=True)

    assert answer.status_code == 409
    assert Connection.objects.get().user == alice
    assert sign_in_at(signed_in_browser(alice), "openid", connects=True).status_code == 303
    assert Connection.objects.count() == 1


def test_connecting_needs_a_recent_proof(provide: Any, alice: Any, clock: Any) -> None:
    fake = provide(FakeProvider)
    browser = signed_in_browser(alice)
    clock.forward(minutes=11)

    answer = browser.post(f"{PAGE}openid/connect/")

    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login/again/")
    assert fake.count("/.well-known/openid-configuration") == 0


def test_pages_of_connections_need_a_login(provide: Any, browser: Browser, alice: Any) -> None:
    provide(FakeProvider)
    row = connection_of(alice)
    for address in (PAGE, f"{PAGE}openid/connect/", f"{PAGE}{row.pk}/disconnect/"):
        assert "/login/" in browser.get(address).headers["Location"]
        assert "/login/" in browser.post(address).headers["Location"]
    assert browser.get(API).status_code == 401


def test_a_link_connects_and_begins_nothing(provide: Any, alice: Any) -> None:
    fake = provide(FakeProvider)
    browser = signed_in_browser(alice)

    assert browser.get(f"{PAGE}openid/connect/").headers["Location"] == PAGE
    assert browser.get("/federation/openid/login/").headers["Location"] == "/login/"
    assert not fake.requests


def test_a_person_disconnects_an_account(provide: Any, alice: Any, bob: Any, events: list[Event]) -> None:
    provide(FakeProvider)
    row, other = connection_of(alice), connection_of(bob, subject="2")
    browser = signed_in_browser(alice)

    assert browser.get(f"{PAGE}{other.pk}/disconnect/").status_code == 404
    assert browser.post(f"{PAGE}{other.pk}/disconnect/").status_code == 404
    assert "OpenID Connect" in browser.get(f"{PAGE}{row.pk}/disconnect/").content.decode()
    assert browser.post(f"{PAGE}{row.pk}/disconnect/").headers["Location"] == PAGE
    assert browser.post(f"{PAGE}{row.pk}/disconnect/").status_code == 404

    assert list(Connection.objects.all()) == [other]
    assert events[-1].name is FederationEvent.CONNECTION_REMOVED
    assert events[-1].target == ("connection", str(row.pk))


def test_the_api_lists_and_disconnects(provide: Any, alice: Any, bob: Any) -> None:
    provide(FakeProvider, name="Our directory")
    row, other = connection_of(alice, label="alice@example.org"), connection_of(bob, subject="2")
    browser = signed_in_browser(alice)

    assert browser.get(API).json()["results"] == [browser.get(f"{API}{row.pk}/").json()]
    assert browser.get(f"{API}{row.pk}/").json() == {
        "id": str(row.pk), "provider": "openid", "name": "Our directory", "account": "alice@example.org", "signs_in": True,
        "created_at": row.created_at.isoformat().replace("+00:00", "Z"), "used_at": None,
    }  # fmt: skip
    assert browser.get(f"{API}?surprise=1").status_code == 400
    for unknown in (other.pk, uuid4()):
        assert browser.get(f"{API}{unknown}/").status_code == 404
        assert browser.delete(f"{API}{unknown}/").status_code == 404
    assert browser.delete(f"{API}{row.pk}/").status_code == 204
    assert browser.delete(f"{API}{row.pk}/").status_code == 404


def test_the_last_way_in_is_never_disconnected(provide: Any, alice: Any, settings: Any) -> None:
    fake = provide(FakeProvider)
    row = connection_of(without_password(alice))
    browser = signed_in_browser(alice)

    answer = browser.delete(f"{API}{row.pk}/")
    assert (answer.status_code, answer.json()["code"]) == (409, "last_way_in")
    assert browser.post(f"{PAGE}{row.pk}/disconnect/").status_code == 409

    disabled = connection_of(alice, subject="2", disabled_at=timezone.now())
    gone = connection_of(alice, provider="gone", subject="3")
    assert browser.delete(f"{API}{row.pk}/").status_code == 409
    assert browser.delete(f"{API}{disabled.pk}/").status_code == 204
    assert browser.delete(f"{API}{gone.pk}/").status_code == 204

    configure(settings, "second", fake.options(enabled=False))
    second = connection_of(alice, provider="second", subject="4")
    assert browser.delete(f"{API}{row.pk}/").status_code == 409
    configure(settings, "second", fake.options())
    assert browser.delete(f"{API}{row.pk}/").status_code == 204
    assert list(Connection.objects.all()) == [second]


def test_disconnecting_needs_a_recent_proof(provide: Any, alice: Any, clock: Any) -> None:
    provide(FakeProvider)
    row = connection_of(alice)
    browser = signed_in_browser(alice)
    clock.forward(minutes=11)

    assert browser.delete(f"{API}{row.pk}/").json()["code"] == "insufficient_user_authentication"
    assert browser.post(f"{PAGE}{row.pk}/disconnect/").headers["Location"].startswith("/login/again/")
    assert Connection.objects.exists()


def test_a_disconnected_account_ends_the_login_that_it_proved(provide: Any, alice: Any) -> None:
    provide(FakeProvider)
    row = connection_of(alice)
    evidence = [Evidence.now(Method.PROVIDER, credential=str(row.pk))]
    PendingLogin.objects.open(
        user=alice, backend="x", purpose=Purpose.LOGIN, transport=Transport.TOKEN, evidence=evidence, provider="openid"
    )

    signed_in_browser(alice).delete(f"{API}{row.pk}/")

    assert PendingLogin.objects.get(provider="openid").closed_at is not None


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_of_two_last_connections_one_stays(provide: Any, alice: Any) -> None:
    provide(FakeProvider)
    without_password(alice)
    rows = [connection_of(alice, subject=str(number)) for number in range(2)]

    def remove(number: int) -> bool:
        try:
            return disconnect(user=alice, connection_id=rows[number].pk, client=Client())
        except LastWayIn:
            return False

    assert sorted(at_once([lambda number=number: remove(number) for number in range(2)])) == [False, True]
    assert Connection.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_ten_callbacks_of_one_new_account_create_one(provide: Any) -> None:
    fake = provide(FakeProvider)
    provider = find_provider("openid")
    assert provider is not None
    identity = ProviderIdentity(issuer=fake.issuer, subject="1", email="new@example.org", is_email_verified=True)

    def enter() -> Any:
        return sign_in(provider=provider, identity=identity, client=Client(), browser_secret="", continue_to="")

    granted = at_once([enter] * 10)

    assert len({outcome.grant.user.pk for outcome in granted}) == 1
    assert Connection.objects.count() == 1


@pytest.mark.postgresql
@pytest.mark.django_db(transaction=True)
def test_a_state_is_spent_once() -> None:
    until = timezone.now() + timedelta(minutes=10)

    one_winner(lambda number: [lambda: SpentState.spend(f"{number:064}", expires_at=until)] * 20, refusal={"False"})


def test_expired_states_are_deleted() -> None:
    now = timezone.now()
    SpentState.spend("a" * 64, expires_at=now - timedelta(seconds=1))
    SpentState.spend("b" * 64, expires_at=now + timedelta(minutes=1))

    assert delete_expired() == 1
    assert SpentState.objects.get().digest == "b" * 64


def test_the_database_keeps_one_owner_of_an_account(alice: Any, bob: Any) -> None:
    connection_of(alice)
    with pytest.raises(IntegrityError):
        connection_of(bob)


# --- Administrators --------------------------------------------------------------------------------------------------------

ADMIN = "/admin/auth_federation/connection/"


def act(browser: Browser, action: str, *rows: Connection) -> Any:
    return browser.post(ADMIN, {"action": action, "_selected_action": [str(row.pk) for row in rows]})


def test_an_administrator_disables_enables_and_removes(provide: Any, alice: Any, events: list[Event]) -> None:
    fake = provide(FakeProvider)
    row = Connection.objects.create(user=alice, provider="openid", issuer=fake.issuer, subject=fake.person["sub"])
    browser = signed_in_browser(make_administrator(), assurance="aal2")

    assert "alice@example.org" in browser.get(ADMIN).content.decode()
    assert browser.get(f"{ADMIN}{row.pk}/change/").status_code == 200
    act(browser, "disable", row)
    assert sign_in_at(Browser(), "openid").status_code == 401
    act(browser, "disable", row)
    act(browser, "enable", row)
    assert sign_in_at(Browser(), "openid").status_code == 303
    act(browser, "remove", row)

    assert not Connection.objects.exists()
    changes = [event for event in events if event.name.value.startswith("federation.connection")]
    assert [event.name.value.rpartition(".")[2] for event in changes] == ["disabled", "enabled", "removed"]
    assert all(event.actor is not None and event.subject == alice for event in changes)


def test_a_clerk_does_not_touch_a_superuser(provide: Any, alice: Any) -> None:
    provide(FakeProvider)
    row = connection_of(make_administrator())
    clerk = make_user(is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="auth_federation"))
    browser = signed_in_browser(clerk, assurance="aal2")

    for action in ("disable", "remove"):
        act(browser, action, row)

    row.refresh_from_db()
    assert row.disabled_at is None
    assert browser.get(f"{ADMIN}add/").status_code == 403
    assert browser.post(f"{ADMIN}{row.pk}/change/", {"subject": "2"}).status_code == 403
    assert browser.post(f"{ADMIN}{row.pk}/delete/", {"post": "yes"}).status_code == 403
