"""The test kit finds the API and the pages wherever a site includes them."""

from typing import Any

import pytest
from django.test import Client as Browser
from django.urls import NoReverseMatch, include, path

from auth_core.testing.browsers import api_address, log_in, log_in_on_page, logged_in, new_browser, post

pytestmark = pytest.mark.django_db

PAGES = (path("people/", include("auth_core.pages.urls")),)


@pytest.fixture
def other_prefix(settings: Any) -> None:
    """A site with the API and the pages below prefixes of its own."""
    settings.ROOT_URLCONF = (path("service/auth/", include("auth_core.api.urls")), *PAGES)


@pytest.fixture
def pages_only(settings: Any) -> None:
    """A site without the API."""
    settings.ROOT_URLCONF = PAGES


def test_requests_go_to_the_prefix_of_the_site(alice: Any, other_prefix: None) -> None:
    assert api_address("password/change") == "/service/auth/password/change/"
    assert log_in(new_browser()).status_code == 200
    assert post(logged_in(), "logout").status_code == 204


def test_the_login_page_is_found_below_the_prefix_of_the_site(alice: Any, other_prefix: None) -> None:
    assert log_in_on_page(new_browser()).status_code == 303


def test_a_browser_of_a_site_with_pages_alone_has_a_valid_token(alice: Any, pages_only: None) -> None:
    browser = new_browser()

    refused = Browser(enforce_csrf_checks=True).post("/people/login/", {"identifier": "alice@example.org"})
    accepted = browser.post("/people/login/", {"identifier": "alice@example.org", "password": "wrong"})

    assert refused.status_code == 403
    assert accepted.status_code not in {403, 500}


def test_a_token_in_the_session_is_valid_as_well(alice: Any, pages_only: None, settings: Any) -> None:
    settings.CSRF_USE_SESSIONS = True
    browser = new_browser()

    assert browser.post("/people/login/", {"identifier": "alice@example.org", "password": "wrong"}).status_code != 403


def test_a_request_to_an_api_that_the_site_lacks_says_so(pages_only: None) -> None:
    with pytest.raises(NoReverseMatch, match="core-api"):
        post(Browser(), "logout")
