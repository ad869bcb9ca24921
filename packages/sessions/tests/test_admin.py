"""Sessions, devices and allowances in the admin site."""

from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.test import Client as Browser
from django.test import RequestFactory
from django.utils import timezone

from auth_core.events import AuthEvent, Event
from auth_core.people.lookup import identity_of
from auth_core.testing.factories import make_administrator, make_user
from auth_core.testing.plans import unindexed
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_sessions.events import SessionEvent
from auth_sessions.models import Device, Session, SessionAllowance

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))

SITE = "/admin/auth_sessions/"


@pytest.fixture
def chief(db: None) -> Any:
    return make_administrator("chief@example.org")


@pytest.fixture
def site(chief: Any) -> Browser:
    return sign_in(chief)


def act(site: Browser, model: str, action: str, row: Any) -> Any:
    return site.post(f"{SITE}{model}/", {"action": action, "_selected_action": [str(row.pk)]})


def listed(site: Browser, model: str, **query: Any) -> list[Any]:
    answer = site.get(f"{SITE}{model}/", query)
    assert answer.status_code == 200
    return list(answer.context["cl"].result_list)


def test_sessions_are_filtered_by_state_risk_and_device(site: Browser, alice: Any) -> None:
    for _session in range(2):
        sign_in(alice)
    live, over = Session.objects.of(alice).order_by("pk")
    Session.objects.filter(pk=over.pk).update(ended_at=timezone.now(), risk_score=60, device_known=True)

    assert over not in listed(site, "session", state="live")
    assert listed(site, "session", state="over") == [over]
    assert listed(site, "session", risk="50") == [over]
    assert listed(site, "session", risk="75") == []
    assert live in listed(site, "session", risk="none")
    assert listed(site, "session", device="known") == [over]
    assert live in listed(site, "session", device="new")
    assert listed(site, "session", device="none") == []
    assert len(listed(site, "session")) == 3


@pytest.mark.parametrize("filters", [{"state": "x"}, {"risk": "x"}, {"risk": "-1"}, {"device": "x"}])
def test_an_unknown_filter_value_hides_nothing(filters: dict[str, str], site: Browser) -> None:
    assert len(listed(site, "session", **filters)) == 1


def test_sessions_are_found_by_id_device_user_address_and_network(site: Browser, alice: Any) -> None:
    sign_in(alice)
    session = Session.objects.of(alice).get()
    Session.objects.of(alice).update(network="192.0.2.9")

    terms = [session.pk, session.device_id, identity_of(alice).subject_id, "alice@example.org", " 192.0.2.9 "]

    assert [listed(site, "session", q=str(term)) for term in terms] == [[session]] * len(terms)
    for nonsense in ("nobody@example.org", "x" * 500, "'--", "00000000-0000-0000-0000-000000000000"):
        assert listed(site, "session", q=nonsense) == []


def test_an_ipv6_address_finds_its_network(site: Browser, alice: Any) -> None:
    sign_in(alice)
    Session.objects.of(alice).update(network="2001:db8:1:2::/64")

    assert len(listed(site, "session", q="2001:db8:1:2:3:4:5:6")) == 1
    assert len(listed(site, "session", q="2001:db8:1:2::/64")) == 1


def test_blocking_and_unblocking_a_device_is_recorded_with_the_administrator(
    site: Browser, chief: Any, alice: Any, recorded_events: list[Event]
) -> None:
    of_alice = sign_in(alice)
    device = Device.objects.of(alice).get()

    act(site, "device", "block", device)
    blocked = listed(site, "device", state="blocked")
    act(site, "device", "unblock", device)

    assert blocked == [device]
    assert device in listed(site, "device", state="open")
    assert of_alice.get("/api/v1/me/").status_code == 401
    events = [
        event for event in recorded_events if event.name in (SessionEvent.DEVICE_BLOCKED, AuthEvent.SESSION_ENDED)
    ]
    assert {(event.subject, event.actor) for event in events} == {(alice, chief)}
    assert [event.reason for event in events] == ["administrator", "device_blocked"]


@pytest.mark.asvs("7.4.5")
def test_ending_a_session_is_recorded_with_the_administrator(
    site: Browser, chief: Any, alice: Any, recorded_events: list[Event]
) -> None:
    of_alice = sign_in(alice)

    act(site, "session", "end_sessions", Session.objects.of(alice).get())

    assert of_alice.get("/api/v1/me/").status_code == 401
    (event,) = [event for event in recorded_events if event.name is AuthEvent.SESSION_ENDED]
    assert (event.actor, event.reason) == (chief, "administrator")


def test_an_allowance_is_added_changed_and_deleted(
    site: Browser, chief: Any, alice: Any, recorded_events: list[Event]
) -> None:
    site.post(f"{SITE}sessionallowance/add/", {"user": alice.pk, "sessions": "3", "policy": "end_oldest"})
    added = SessionAllowance.objects.get()
    site.post(f"{SITE}sessionallowance/{added.pk}/change/", {"sessions": "", "policy": "deny_new"})
    changed = SessionAllowance.objects.get()
    site.post(f"{SITE}sessionallowance/{added.pk}/delete/", {"post": "yes"})

    assert (added.user, added.sessions, added.policy) == (alice, 3, "end_oldest")
    assert (changed.user, changed.sessions, changed.policy) == (alice, None, "deny_new")
    assert not SessionAllowance.objects.exists()
    events = [event for event in recorded_events if event.name.value.startswith("session.allowance.")]
    assert [event.name.value.rpartition(".")[2] for event in events] == ["changed", "changed", "removed"]
    assert events[1].changes["sessions"] == {"before": 3, "after": None}
    assert {event.actor for event in events} == {chief}


def test_no_page_shows_a_digest_or_session_data(site: Browser, alice: Any) -> None:
    sign_in(alice)
    Session.objects.of(alice).update(data='{"kept": "a secret of the site"}')
    session, device = Session.objects.of(alice).get(), Device.objects.of(alice).get()

    pages = [
        site.get(f"{SITE}{address}").content.decode()
        for address in ("session/", f"session/{session.pk}/change/", "device/", f"device/{device.pk}/change/")
    ]

    for page in pages:
        for secret in (session.token_digest, session.auth_hash, device.digest, "a secret of the site"):
            assert secret not in page


def test_view_permission_alone_allows_no_changes(alice: Any) -> None:
    watcher = make_user()
    watcher.is_staff = True
    watcher.save()
    watcher.user_permissions.set(Permission.objects.filter(codename__in=["view_device", "view_session"]))
    site = sign_in(watcher)
    sign_in(alice)

    assert site.get(f"{SITE}device/").status_code == 200
    act(site, "device", "block", Device.objects.of(alice).get())
    act(site, "session", "end_sessions", Session.objects.of(alice).get())

    assert not Device.objects.filter(blocked_at__isnull=False).exists()
    assert Session.objects.of(alice).live().exists()
    assert site.get(f"{SITE}sessionallowance/").status_code == 403


TERMS = ["00000000-0000-0000-0000-000000000000", "192.0.2.1", "2001:db8::1", "nobody@example.org"]


@pytest.mark.postgresql
@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("model", [Session, Device])
def test_admin_search_uses_an_index(model: Any, term: str, db: None) -> None:
    request = RequestFactory().get("/")
    rows = model._default_manager.order_by("-pk")

    def search() -> None:
        found, _twice = admin.site.get_model_admin(model).get_search_results(request, rows, term)
        list(found[:100])

    assert unindexed(search) == []


def test_a_person_is_deleted_with_their_sessions_and_devices(site: Browser, alice: Any) -> None:
    sign_in(alice)
    page = f"/admin/auth/user/{alice.pk}/delete/"

    shown = site.get(page)
    answer = site.post(page, {"post": "yes"})

    assert not shown.context["perms_lacking"]
    assert not shown.context["protected"]
    assert answer.status_code == 302
    assert not Session.objects.filter(user_id=alice.pk).exists()


def test_people_are_deleted_by_the_action_of_the_list(site: Browser, alice: Any) -> None:
    sign_in(alice)
    chosen = {"action": "delete_selected", "_selected_action": [str(alice.pk)]}

    shown = site.post("/admin/auth/user/", chosen)
    site.post("/admin/auth/user/", {**chosen, "post": "yes"})

    assert not shown.context["perms_lacking"]
    assert not Session.objects.filter(user_id=alice.pk).exists()


def test_a_session_is_not_deleted_on_its_own_pages(site: Browser, alice: Any) -> None:
    sign_in(alice)
    row = Session.objects.of(alice).get()

    assert site.post(f"{SITE}session/{row.pk}/delete/", {"post": "yes"}).status_code == 403
    site.post(f"{SITE}session/", {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"})
    assert Session.objects.of(alice).get() == row
