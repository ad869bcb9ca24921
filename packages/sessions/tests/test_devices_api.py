"""Devices and sessions over the API, for users and administrators."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from auth_core.contracts import Transport
from auth_core.events import AuthEvent, Event
from auth_core.people.lookup import identity_of
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_user
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_sessions import devices
from auth_sessions.models import Device, Session

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

API = "/api/v1/"


def send(browser: Browser, method: str, path: str, **body: Any) -> Any:
    return getattr(browser, method)(f"{API}{path}", body, content_type="application/json")


def permit(user: Any, *codenames: str) -> Any:
    user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
    return user


def device_of(user: Any) -> Device:
    device: Device = Device.objects.of(user).latest("pk")
    return device


@pytest.fixture
def warden(db: None) -> Browser:
    return sign_in(permit(make_user("warden@example.org"), "view_session", "change_session"))


def test_users_list_their_devices_with_the_current_one_marked(alice: Any, bob: Any) -> None:
    here, _there, _of_bob = sign_in(alice), sign_in(alice), sign_in(bob)

    rows = here.get(f"{API}devices/").json()["results"]

    assert [device["current"] for device in rows] == [False, True]
    assert set(rows[0]) == {
        "id", "name", "kind", "os", "browser", "current", "recognised", "first_seen_at", "last_seen_at", "blocked_at",
        "places",
    }  # fmt: skip
    assert rows[0]["places"] == [{"country": None, "network": "127.0.0.1"}]
    assert here.get(f"{API}devices/{rows[1]['id']}/").json() == rows[1]


def test_a_device_lists_its_latest_places_without_duplicates(alice: Any) -> None:
    browser = sign_in(alice)
    opened = Session.objects.get()
    for number in [*range(12), 3]:
        opened.pk, opened.token_digest, opened.country = uuid4(), uuid4().hex, "DE"
        opened.network = f"192.0.2.{number}"
        opened.save(force_insert=True)

    (rows,) = browser.get(f"{API}devices/").json()["results"]

    assert len(rows["places"]) == 10
    assert len({place["network"] for place in rows["places"]}) == 10


def test_a_session_has_place_device_and_risk_score(alice: Any) -> None:
    browser = sign_in(alice)
    Session.objects.update(country="DE", network="192.0.2.7", risk_score=40)
    devices.rename_device(device=device_of(alice), name="Desk")

    (rows,) = browser.get(f"{API}sessions/").json()["results"]

    assert rows["place"] == {"country": "DE", "network": "192.0.2.7"}
    assert rows["device"]["name"] == "Desk"
    assert rows["risk_score"] == 40
    assert browser.get(f"{API}sessions/{rows['id']}/").json() == rows


def test_the_session_of_a_forgotten_device_has_no_device(alice: Any) -> None:
    browser = sign_in(alice)
    Device.objects.all().delete()

    assert browser.get(f"{API}sessions/").json()["results"][0]["device"] is None


def test_a_device_is_renamed(alice: Any) -> None:
    browser = sign_in(alice)

    renamed = send(browser, "patch", f"devices/{device_of(alice).pk}/", name="Desk <b>")

    assert (renamed.status_code, renamed.json()["name"]) == (200, "Desk <b>")
    assert device_of(alice).name == "Desk <b>"


@pytest.mark.parametrize("body", [{}, {"name": 5}, {"name": "x" * 101}, {"name": "x", "kind": "bot"}])
def test_a_bad_name_is_400(body: dict[str, Any], alice: Any) -> None:
    browser = sign_in(alice)

    assert send(browser, "patch", f"devices/{device_of(alice).pk}/", **body).status_code == 400
    assert device_of(alice).name == ""


def test_forgetting_a_device_ends_its_sessions(alice: Any) -> None:
    here, there = sign_in(alice), sign_in(alice)

    assert send(here, "delete", f"devices/{device_of(alice).pk}/").status_code == 204

    assert there.get(f"{API}me/").status_code == 401
    assert len(here.get(f"{API}devices/").json()["results"]) == 1


def test_a_device_is_blocked_and_unblocked(alice: Any) -> None:
    here, there = sign_in(alice), sign_in(alice)
    path = f"devices/{device_of(alice).pk}/block/"

    answers = [send(here, "post", path).status_code for _twice in range(2)]
    blocked = device_of(alice).blocked_at

    assert answers == [204, 204]
    assert blocked is not None
    assert there.get(f"{API}me/").status_code == 401
    assert send(here, "delete", path).status_code == 204
    assert device_of(alice).blocked_at is None


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("get", "devices/{}/"),
        ("patch", "devices/{}/"),
        ("delete", "devices/{}/"),
        ("post", "devices/{}/block/"),
        ("delete", "devices/{}/block/"),
    ],
)
def test_another_users_device_is_not_found(method: str, path: str, alice: Any, bob: Any) -> None:
    sign_in(bob)
    browser = sign_in(alice)
    body = {"name": "mine"} if method == "patch" else {}
    before = Device.objects.filter(pk=device_of(bob).pk).values().get()

    answers = [send(browser, method, path.format(of), **body) for of in (device_of(bob).pk, uuid4())]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert Device.objects.filter(pk=before["id"]).values().get() == before


def test_lists_take_as_many_queries_for_fifty_as_for_one(alice: Any, warden: Browser) -> None:
    alices = sign_in(alice)
    for browser in (alices, warden):
        # The first request after a login reads the session and, in a new database, the epoch.
        browser.get(f"{API}devices/")
    few = []
    for browser, path in ((alices, "devices/"), (alices, "sessions/"), (warden, "users/sessions/")):
        with counted() as cost:
            browser.get(f"{API}{path}")
        few.append(cost.queries)
    for _more in range(10):
        sign_in(alice)
        sign_in(make_user())

    many = []
    for browser, path in ((alices, "devices/"), (alices, "sessions/"), (warden, "users/sessions/")):
        with counted() as cost:
            assert len(browser.get(f"{API}{path}").json()["results"]) >= 10
        many.append(cost.queries)

    assert many == few


def test_an_administrator_finds_sessions_by_user_device_network_and_risk(alice: Any, bob: Any, warden: Browser) -> None:
    for user, network, score in ((alice, "192.0.2.1", 10), (bob, "192.0.2.2", 80)):
        sign_in(user)
        Session.objects.of(user).update(network=network, risk_score=score)
    subject = str(identity_of(bob).subject_id)

    def found(**filters: Any) -> list[str]:
        answer = warden.get(f"{API}users/sessions/", filters)
        assert answer.status_code == 200, answer.json()
        return [session["subject"] for session in answer.json()["results"]]

    assert found(subject=subject) == [subject]
    assert found(device=str(device_of(bob).pk)) == [subject]
    assert found(network="192.0.2.2") == [subject]
    assert found(risk_min=80) == [subject]
    assert found(risk_min=81) == []
    assert len(found()) == 3
    assert found(subject=str(uuid4())) == []


def test_an_administrator_filters_live_and_ended_sessions(alice: Any, warden: Browser, clock: Any) -> None:
    ended, _live = sign_in(alice), sign_in(alice)
    send(ended, "post", "logout/")

    results = {
        live: warden.get(f"{API}users/sessions/", {"live": live}).json()["results"] for live in ("true", "false")
    }

    assert [session["ended_reason"] for session in results["false"]] == ["logout"]
    assert len(results["true"]) == 2
    assert {session["ended_at"] for session in results["true"]} == {None}


@pytest.mark.parametrize(
    "query",
    [
        "user=1",
        "subject=1",
        "device=x",
        "risk_min=101",
        "risk_min=-1",
        "risk_min=x",
        "live=maybe",
        "live=true&live=true",
        "network=" + "x" * 50,
        "cursor=nonsense",
        "page_size=201",
    ],
)
def test_an_unknown_or_broken_filter_is_400(query: str, warden: Browser) -> None:
    assert warden.get(f"{API}users/sessions/?{query}").status_code == 400


def test_an_administrator_ends_a_session_and_is_recorded(
    alice: Any, warden: Browser, recorded_events: list[Event]
) -> None:
    browser = sign_in(alice)
    session = Session.objects.of(alice).get()

    shown = warden.get(f"{API}users/sessions/{session.pk}/")
    ended = [send(warden, "delete", f"users/sessions/{session.pk}/").status_code for _twice in range(2)]

    assert shown.json()["id"] == str(session.pk)
    assert ended == [204, 404]
    assert browser.get(f"{API}me/").status_code == 401
    (event,) = [event for event in recorded_events if event.name is AuthEvent.SESSION_ENDED]
    assert (event.subject, event.reason, event.actor.get_username()) == (alice, "administrator", "warden@example.org")


def test_view_permission_alone_does_not_end_sessions(alice: Any) -> None:
    sign_in(alice)
    session = Session.objects.of(alice).get()
    reader = sign_in(permit(make_user(), "view_session"), transport=Transport.TOKEN)

    assert reader.get(f"{API}users/sessions/{session.pk}/").status_code == 200
    assert send(reader, "delete", f"users/sessions/{session.pk}/").status_code == 403
    assert send(reader, "delete", f"users/sessions/{uuid4()}/").status_code == 403


def test_without_permission_no_session_is_shown_or_ended(alice: Any) -> None:
    alice.is_staff = True
    alice.save()
    browser = sign_in(alice)
    session = Session.objects.get()

    assert browser.get(f"{API}users/sessions/").status_code == 403
    assert browser.get(f"{API}users/sessions/{session.pk}/").status_code == 403
    assert send(browser, "delete", f"users/sessions/{session.pk}/").status_code == 403


def test_an_administrators_list_is_paginated_by_cursor(warden: Browser) -> None:
    for _person in range(3):
        sign_in(make_user())

    first = warden.get(f"{API}users/sessions/", {"page_size": 2, "live": "true"}).json()
    second = warden.get(first["next"]).json()

    ids = [session["id"] for page in (first, second) for session in page["results"]]
    assert len(set(ids)) == 4


def test_no_answer_contains_a_digest(alice: Any, warden: Browser) -> None:
    browser = sign_in(alice)
    session, device = Session.objects.of(alice).get(), device_of(alice)

    answers = [
        browser.get(f"{API}devices/"),
        browser.get(f"{API}sessions/"),
        warden.get(f"{API}users/sessions/"),
    ]

    for answer in answers:
        for secret in (session.token_digest, device.digest, session.auth_hash):
            assert secret not in answer.content.decode()
