"""What people gave to applications: the page, the API, and how they take it back."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client as Browser

from auth_core.events import Event
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import Authorization, Consent
from auth_core.oauth.testing.factories import Registered, exchange, make_application, make_tokens, refresh, userinfo
from auth_core.testing.factories import make_user
from people import allowed, authorize, browser_of

pytestmark = pytest.mark.django_db

LIST = "/api/v1/me/applications/"


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


def test_the_list_has_what_stands(web: Registered, browser: Browser) -> None:
    allowed(browser, web, scope="openid email offline_access")

    (access,) = browser.get(LIST).json()["results"]

    assert access["id"] == str(web.policy.pk)
    assert access["name"] == "Example"
    assert access["scopes"] == ["openid", "email", "offline_access"]
    assert access["offline"] is True
    assert access["used_at"]
    assert browser.get(f"{LIST}{access['id']}/").json() == access


@pytest.mark.asvs("10.7.3")
def test_the_page_says_it_in_words(web: Registered, browser: Browser) -> None:
    allowed(browser, web, scope="openid email offline_access")

    text = browser.get("/account/applications/").content.decode()

    assert "Example" in text
    assert "See your email address" in text
    assert "Also when you are signed out" in text
    assert "No applications." in browser_of(make_user("bob@example.org")).get("/account/applications/").content.decode()


def test_a_person_sees_and_ends_only_their_own(web: Registered, alice: Any, browser: Browser) -> None:
    tokens = make_tokens(web, alice)
    bob = browser_of(make_user("bob@example.org"))
    address = f"{LIST}{web.policy.pk}/"

    assert bob.get(LIST).json()["results"] == []
    assert bob.get(address).status_code == 404
    assert bob.delete(address).status_code == 404
    assert bob.get(f"/account/applications/{web.policy.pk}/revoke/").status_code == 404
    assert bob.post(f"/account/applications/{web.policy.pk}/revoke/").status_code == 404
    assert userinfo(tokens["access_token"]).status_code == 200
    assert browser.get(f"{LIST}{uuid4()}/").status_code == 404


def revoke_by_api(browser: Browser, web: Registered) -> None:
    """Take the access back through the API."""
    assert browser.delete(f"{LIST}{web.policy.pk}/").status_code == 204


def revoke_by_page(browser: Browser, web: Registered) -> None:
    """Take the access back on the page. A look at it changes nothing."""
    address = f"/account/applications/{web.policy.pk}/revoke/"
    assert b"Example" in browser.get(address).content
    assert Authorization.objects.live().exists()
    assert browser.post(address).headers["Location"] == "/account/applications/"


@pytest.mark.asvs("10.7.3")
@pytest.mark.asvs("10.4.9")
@pytest.mark.parametrize("revoke", [revoke_by_api, revoke_by_page])
def test_what_is_taken_back_ends_at_once(web: Registered, browser: Browser, events: list[Event], revoke: Any) -> None:
    answer = allowed(browser, web, scope="openid offline_access")
    tokens = exchange(web, answer["code"]).json()
    other = make_application()
    allowed(browser, other)

    revoke(browser, web)

    assert userinfo(tokens["access_token"]).status_code == 401
    assert refresh(web, tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert Authorization.objects.get(application=web.row).ended_reason == "revoked"
    assert Consent.objects.get(application=web.row).revoked_at is not None
    assert authorize(browser, web).status_code == 200
    assert [row["id"] for row in browser.get(LIST).json()["results"]] == [str(other.policy.pk)]
    names = [event.name for event in events]
    assert OAuthEvent.ACCESS_REVOKED in names
    assert OAuthEvent.AUTHORIZATION_ENDED in names


@pytest.mark.asvs("10.7.3")
def test_a_person_keeps_a_part_by_removing_it_and_consenting_to_less(web: Registered, browser: Browser) -> None:
    allowed(browser, web, scope="openid email offline_access")
    revoke_by_page(browser, web)

    answer = allowed(browser, web, scope="openid email")

    (access,) = browser.get(LIST).json()["results"]
    assert access["scopes"] == ["openid", "email"]
    assert access["offline"] is False
    assert exchange(web, answer["code"]).json()["scope"] == "openid email"
    assert authorize(browser, web, scope="openid email offline_access").status_code == 200, "more is asked for again"


def test_a_consent_without_tokens_can_be_taken_back(web: Registered, browser: Browser) -> None:
    allowed(browser, web)
    Authorization.objects.all().delete()

    (access,) = browser.get(LIST).json()["results"]
    revoke_by_api(browser, web)

    assert access["used_at"] is None
    assert browser.get(LIST).json()["results"] == []


def test_taking_back_twice_is_not_found(web: Registered, browser: Browser) -> None:
    allowed(browser, web)

    revoke_by_api(browser, web)

    assert browser.delete(f"{LIST}{web.policy.pk}/").status_code == 404


@pytest.mark.parametrize("method", ["get", "delete"])
def test_nobody_who_is_not_signed_in_gets_an_answer(web: Registered, method: str) -> None:
    assert getattr(Browser(), method)(f"{LIST}{web.policy.pk}/").status_code == 401
    assert Browser().get("/account/applications/").headers["Location"].startswith("/login/?next=")


def test_an_access_token_takes_nothing_back(web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice)["access_token"]

    response = Browser().delete(f"{LIST}{web.policy.pk}/", HTTP_AUTHORIZATION=f"Bearer {token}")

    assert response.status_code in (401, 403)
    assert userinfo(token).status_code == 200


def test_the_list_takes_the_same_queries_for_many(
    browser: Browser, alice: Any, django_assert_max_num_queries: Any
) -> None:
    for _number in range(5):
        make_tokens(make_application(), alice)

    with django_assert_max_num_queries(8):
        assert len(browser.get(LIST).json()["results"]) == 5
