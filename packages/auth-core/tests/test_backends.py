"""A site that calls Django's `authenticate` itself refuses the people that our own login refuses."""

from collections.abc import Callable
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate, authenticate, get_user, get_user_model
from django.http import HttpRequest
from django.test import Client as Browser

from auth_core.people.locking import disable_account, lock_account
from auth_core.testing.factories import PASSWORD

OURS, DJANGOS = "auth_core.backends.IdentifierBackend", "django.contrib.auth.backends.ModelBackend"

pytestmark = pytest.mark.django_db


@pytest.fixture(params=[[OURS], [OURS, DJANGOS]], ids=["alone", "before Django's own"])
def backends(request: Any, settings: Any) -> None:
    settings.AUTHENTICATION_BACKENDS = request.param


@pytest.mark.parametrize("close", [disable_account, lock_account])
def test_a_closed_account_is_not_authenticated(close: Callable[..., bool], alice: Any, backends: None) -> None:
    before = authenticate(username=alice.get_username(), password=PASSWORD)

    close(user=alice)

    assert before == alice
    assert authenticate(username=alice.get_username(), password=PASSWORD) is None
    assert not Browser().login(username=alice.get_username(), password=PASSWORD)


@pytest.mark.parametrize("close", [disable_account, lock_account])
def test_a_session_of_django_ends_with_the_account(close: Callable[..., bool], alice: Any) -> None:
    browser = Browser()
    browser.force_login(alice)
    request = HttpRequest()
    request.session = browser.session
    before = get_user(request)

    close(user=alice)

    assert before == alice
    assert get_user(request).is_anonymous


def test_the_identifier_may_have_the_name_of_its_column(alice: Any) -> None:
    names = {get_user_model().USERNAME_FIELD: alice.get_username()}

    assert authenticate(**names, password=PASSWORD) == alice


def test_a_session_of_django_costs_one_query(alice: Any, django_assert_num_queries: Any) -> None:
    browser = Browser()
    browser.force_login(alice)
    request = HttpRequest()
    request.session = browser.session
    request.session.get("read")

    with django_assert_num_queries(1):
        assert get_user(request) == alice


@pytest.mark.django_db(transaction=True)
def test_async_authentication_gives_the_same_answer(alice: Any) -> None:
    authenticate_in_a_loop = async_to_sync(aauthenticate)

    assert authenticate_in_a_loop(username=alice.get_username(), password=PASSWORD) == alice
    lock_account(user=alice)
    assert authenticate_in_a_loop(username=alice.get_username(), password=PASSWORD) is None
