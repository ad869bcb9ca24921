"""The pages that list and end sessions."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from auth_core.events import Event
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_user
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_sessions import devices
from auth_sessions.models import Device, Session

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

LIST = "/account/sessions/"


def session_of(user: Any) -> Session:
    session: Session = Session.objects.of(user).latest("pk")
    return session


def device_of(user: Any) -> Device:
    device: Device = Device.objects.of(user).latest("pk")
    return device


def is_signed_in(browser: Browser) -> bool:
    return browser.get("/api/v1/me/").status_code == 200


def test_the_page_lists_sessions_and_devices_with_place_and_time(alice: Any) -> None:
    here, _there = sign_in(alice), sign_in(alice)
    Session.objects.filter(pk=session_of(alice).pk).update(country="DE", ip="192.0.2.7")
    devices.rename_device(device=device_of(alice), name="<b>Desk</b>")

    page = here.get(LIST).content.decode()

    assert page.count("This session") == 1
    assert page.count("This device") == 1
    assert "DE · 192.0.2.7" in page
    assert "&lt;b&gt;Desk&lt;/b&gt;" in page
    assert "<b>Desk" not in page
    assert session_of(alice).token_digest not in page


@pytest.mark.asvs("7.5.2")
def test_the_page_lists_no_sessions_of_other_users(alice: Any) -> None:
    sign_in(make_user("bob@example.org"))
    Session.objects.update(ip="192.0.2.99")

    assert "192.0.2.99" not in sign_in(alice).get(LIST).content.decode()


def test_the_page_takes_as_many_queries_for_ten_as_for_one(alice: Any) -> None:
    here = sign_in(alice)
    # The first request after a login reads the session and, in a new database, the epoch.
    here.get(LIST)
    with counted() as few:
        here.get(LIST)
    for _more in range(10):
        sign_in(alice)

    with counted() as many:
        here.get(LIST)

    assert many.queries == few.queries


def test_one_session_is_ended(alice: Any) -> None:
    here, there = sign_in(alice), sign_in(alice)
    address = f"{LIST}{session_of(alice).pk}/end/"

    assert here.get(address).status_code == 200
    assert is_signed_in(there), "GET must not end the session."
    ended = here.post(address)

    assert (ended.status_code, ended.headers["Location"]) == (303, LIST)
    assert (is_signed_in(here), is_signed_in(there)) == (True, False)
    assert here.get(address).status_code == 404
    assert here.post(address).status_code == 404


def test_all_other_sessions_are_ended(alice: Any) -> None:
    here, there = sign_in(alice), sign_in(alice)

    here.post(f"{LIST}end-others/")

    assert (is_signed_in(here), is_signed_in(there)) == (True, False)


@pytest.mark.asvs("7.5.2")
def test_all_sessions_are_ended_and_this_browser_is_signed_out(alice: Any) -> None:
    here, there = sign_in(alice), sign_in(alice)

    ended = here.post(f"{LIST}end-all/")

    assert (ended.status_code, ended.headers["Location"]) == (303, "/logged-out/")
    assert (is_signed_in(here), is_signed_in(there)) == (False, False)
    assert here.get("/logged-out/").status_code == 200


def test_a_device_is_renamed_on_its_page(alice: Any) -> None:
    here = sign_in(alice)
    address = f"/account/devices/{device_of(alice).pk}/"

    named = here.post(address, {"name": "Desk"})

    assert named.status_code == 303
    assert 'value="Desk"' in here.get(address).content.decode()
    assert here.post(address, {"name": "x" * 101}).status_code == 400


def test_a_device_is_blocked_unblocked_and_forgotten(alice: Any) -> None:
    here, there = sign_in(alice), sign_in(alice)
    device = device_of(alice)

    blocked = here.post(f"/account/devices/{device.pk}/block/")
    page = here.get(LIST).content.decode()
    here.post(f"/account/devices/{device.pk}/unblock/")
    unblocked = device_of(alice).blocked_at
    here.post(f"/account/devices/{device.pk}/forget/")

    assert blocked.status_code == 303
    assert "Blocked" in page
    assert unblocked is None
    assert not is_signed_in(there)
    assert not Device.objects.filter(pk=device.pk).exists()


def test_blocking_the_current_device_signs_out(alice: Any) -> None:
    here = sign_in(alice)

    blocked = here.post(f"/account/devices/{device_of(alice).pk}/block/")

    assert blocked.headers["Location"] == "/logged-out/"
    assert not is_signed_in(here)


PAGES = [
    "sessions/{session}/end/",
    "devices/{device}/",
    "devices/{device}/forget/",
    "devices/{device}/block/",
    "devices/{device}/unblock/",
]


@pytest.mark.asvs("7.5.2")
@pytest.mark.parametrize("page", PAGES)
def test_other_users_sessions_and_devices_are_not_found(page: str, alice: Any, recorded_events: list[Event]) -> None:
    bob = make_user("bob@example.org")
    sign_in(bob)
    here = sign_in(alice)
    recorded_events.clear()

    for of in ({"session": session_of(bob).pk, "device": device_of(bob).pk}, {"session": uuid4(), "device": uuid4()}):
        address = f"/account/{page.format(**of)}"
        assert here.get(address).status_code == 404
        assert here.post(address, {"name": "mine"}).status_code == 404

    assert recorded_events == []


@pytest.mark.parametrize("page", ["sessions/", "sessions/end-all/", "sessions/end-others/", *PAGES])
def test_an_anonymous_visitor_is_redirected_to_the_login(page: str, db: None) -> None:
    sent = Browser().get(f"/account/{page.format(session=uuid4(), device=uuid4())}")

    assert sent.headers["Location"].startswith("/login/?next=")


def test_a_form_without_csrf_token_changes_nothing(alice: Any) -> None:
    here = sign_in(alice)
    del here.defaults["HTTP_X_CSRFTOKEN"]

    assert here.post(f"{LIST}end-all/").status_code == 403
    assert is_signed_in(here)
