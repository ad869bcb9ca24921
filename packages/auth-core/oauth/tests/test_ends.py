"""What ends an authorization: the session that gave it, and the person."""

from typing import Any

import pytest
from django.db import transaction

from auth_core.events import AuthEvent, Event, record
from auth_core.ids import uuid7
from auth_core.oauth.testing.factories import Registered, make_tokens, refresh, session_facts, userinfo
from auth_core.people.locking import disable_account, lock_account
from auth_core.testing.factories import make_user

pytestmark = pytest.mark.django_db


def ended(name: AuthEvent, alice: Any, **fields: Any) -> None:
    with transaction.atomic():
        record(Event(name=name, subject=alice, **fields))


def is_live(application: Registered, body: dict[str, Any]) -> bool:
    """Return whether both tokens work, which is one answer: they rest on one authorization."""
    answers = {
        refresh(application, body["refresh_token"]).status_code == 200,
        userinfo(body["access_token"]).status_code == 200,
    }
    assert len(answers) == 1
    return answers.pop()


@pytest.fixture
def online(web: Registered, alice: Any) -> dict[str, Any]:
    return make_tokens(web, alice, session=session_facts(id=SESSION))


@pytest.fixture
def offline(web: Registered, alice: Any) -> dict[str, Any]:
    return make_tokens(web, alice, session=session_facts(id=SESSION), scopes=["openid", "offline_access"])


SESSION = uuid7()


@pytest.mark.asvs("7.6.1")
def test_the_end_of_a_session_ends_what_it_gave_and_not_what_was_given_offline(
    web: Registered, alice: Any, online: Any, offline: Any
) -> None:
    elsewhere = make_tokens(web, alice)

    ended(AuthEvent.SESSION_ENDED, alice, session=SESSION)

    assert not is_live(web, online)
    assert is_live(web, offline)
    assert is_live(web, elsewhere)


def test_a_changed_password_ends_all_but_what_this_session_gave(
    web: Registered, alice: Any, online: Any, offline: Any
) -> None:
    elsewhere = make_tokens(web, alice)

    ended(AuthEvent.PASSWORD_CHANGED, alice, session=SESSION)

    assert is_live(web, online)
    assert not is_live(web, offline)
    assert not is_live(web, elsewhere)


@pytest.mark.parametrize("end", ["reset", "disabled", "locked"])
def test_a_reset_password_a_disabled_and_a_locked_account_end_all(
    end: str, web: Registered, alice: Any, online: Any, offline: Any
) -> None:
    if end == "reset":
        ended(AuthEvent.PASSWORD_RESET, alice)
    else:
        (disable_account if end == "disabled" else lock_account)(user=alice)

    assert not is_live(web, online)
    assert not is_live(web, offline)


def test_what_another_person_gave_goes_on(web: Registered, alice: Any) -> None:
    body = make_tokens(web, make_user())

    disable_account(user=alice)

    assert is_live(web, body)
