"""The trail names both people when one acts in the session of another, and such a session ends with its actor."""

from typing import Any

import pytest

from auth_audit.testing.trail import recorded
from auth_core.flows.account_creation import create_account
from auth_core.oauth.testing.factories import make_application
from auth_core.people.locking import disable_account
from auth_core.people.lookup import identity_of
from auth_core.testing.browsers import post
from auth_core.testing.factories import PASSWORD
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


@pytest.fixture
def root(db: None) -> Any:
    return create_account(email="root@example.org", password=PASSWORD, superuser=True)


@pytest.fixture
def chief(db: None) -> Any:
    return create_account(email="chief@example.org", password=PASSWORD, superuser=True)


def id_of(person: Any) -> Any:
    return identity_of(person).subject_id


def test_the_trail_names_the_actor_the_person_and_the_subject(alice: Any, root: Any, chief: Any) -> None:
    application = make_application().policy.id
    site = sign_in(root, assurance="aal2", actor=chief, application_id=application)
    session = Session.objects.get()

    identity = identity_of(alice)
    site.post("/admin/auth_core/identity/", {"action": "disable", "_selected_action": [str(identity.pk)]})

    (entry,) = recorded("auth.account.disabled")
    assert (entry.subject_id, entry.actor_id, entry.on_behalf_of) == (id_of(alice), id_of(chief), id_of(root))
    assert (entry.session_id, entry.application_id) == (session.pk, application)


def test_what_an_actor_does_to_the_account_of_the_session_names_them(alice: Any, chief: Any) -> None:
    browser = sign_in(alice, actor=chief)
    session = Session.objects.get()

    post(browser, "password/change", current_password="wrong", new_password="x" * 20)

    (entry,) = recorded("auth.password.refused")
    assert (entry.subject_id, entry.actor_id, entry.on_behalf_of) == (id_of(alice), id_of(chief), None)
    assert entry.session_id == session.pk


def test_what_a_person_does_in_their_own_session_names_no_actor(alice: Any) -> None:
    browser = sign_in(alice)

    post(browser, "password/change", current_password="wrong", new_password="x" * 20)

    (entry,) = recorded("auth.password.refused")
    assert (entry.subject_id, entry.actor_id, entry.on_behalf_of) == (id_of(alice), None, None)
    assert entry.session_id == Session.objects.get().pk


@pytest.mark.asvs("7.4.2")
def test_a_disabled_administrator_acts_for_no_one_any_more(alice: Any, root: Any, chief: Any) -> None:
    browser, own = sign_in(alice, actor=chief), sign_in(alice)

    disable_account(user=chief, actor=root)

    assert [each.get("/api/v1/me/").status_code for each in (browser, own)] == [401, 200]
    (entry,) = recorded("session.session.ended")
    assert (entry.subject_id, entry.actor_id, entry.reason) == (id_of(alice), id_of(root), "actor_ended")


def test_a_deleted_administrator_acts_for_no_one_any_more(alice: Any, root: Any, chief: Any) -> None:
    browser, actor_id = sign_in(alice, actor=chief), id_of(chief)

    chief.delete()

    assert browser.get("/api/v1/me/").status_code == 401
    (entry,) = recorded("session.session.ended")
    assert (entry.subject_id, entry.actor_id, entry.reason) == (id_of(alice), actor_id, "actor_ended")
