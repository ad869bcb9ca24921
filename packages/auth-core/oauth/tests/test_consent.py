"""Consent: what the page shows, what is remembered, and when it asks again."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.oauth.models import ApplicationPolicy, Authorization, Consent, Resource
from auth_core.oauth.testing.factories import Registered, make_application
from auth_core.testing.factories import make_user
from people import action_in, allowed, answer_in, approval_in, authorize, browser_of, decide, error_in

pytestmark = pytest.mark.django_db

API = "https://api.example"


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


def is_asked(response: Any) -> bool:
    """Return whether the response is the consent page."""
    return response.status_code == 200 and b'name="decision"' in response.content


@pytest.mark.asvs("10.7.2")
def test_the_page_says_who_asks_and_for_what(web: Registered, browser: Browser) -> None:
    ApplicationPolicy.objects.update(
        logo_uri="https://cdn.example/logo.png",
        policy_uri="https://rp.example/privacy",
        client_uri="https://rp.example/",
    )

    page = authorize(browser, web, scope="openid email offline_access")

    text = page.content.decode()
    for shown in ("Example", "rp.example", "alice@example.org", "See your email address", "Keep this access"):
        assert shown in text
    assert 'src="https://cdn.example/logo.png"' in text
    assert 'href="https://rp.example/privacy"' in text
    assert "img-src 'self' data: https://cdn.example;" in page.headers["Content-Security-Policy"]


@pytest.mark.asvs("10.7.2")
def test_the_page_says_how_long_the_access_lasts(web: Registered, browser: Browser) -> None:
    ApplicationPolicy.objects.update(refresh_token_lifetime=timedelta(days=3))

    online = authorize(browser, web, scope="openid email").content.decode()
    offline = authorize(browser, web, scope="openid offline_access").content.decode()

    assert "The access ends when you sign out." in online
    assert "The access ends after 3 days at the latest." in offline


@pytest.mark.parametrize("address", ["javascript:alert(1)", "http://cdn.example/x", "data:text/html,x"])
def test_an_address_that_is_not_https_is_not_shown(web: Registered, browser: Browser, address: str) -> None:
    ApplicationPolicy.objects.update(logo_uri=address, policy_uri=address, tos_uri=address, client_uri=address)

    assert address not in authorize(browser, web).content.decode()


def test_an_address_cannot_extend_the_policy(web: Registered, browser: Browser) -> None:
    ApplicationPolicy.objects.update(logo_uri="https://cdn.example; script-src *; x/logo.png")

    assert "script-src *" not in authorize(browser, web).headers["Content-Security-Policy"]


def test_the_name_of_an_application_is_text(browser: Browser) -> None:
    application = make_application(name="<script>alert(1)</script>")

    assert b"<script>alert" not in authorize(browser, application).content


def test_what_a_person_agreed_to_is_not_asked_again(web: Registered, browser: Browser) -> None:
    allowed(browser, web, scope="openid email")

    assert not is_asked(authorize(browser, web, scope="openid email"))
    assert not is_asked(authorize(browser, web, scope="openid"))
    assert is_asked(authorize(browser, web, scope="openid profile"))


def test_consents_add_up(web: Registered, browser: Browser) -> None:
    allowed(browser, web, scope="openid email")
    allowed(browser, web, scope="openid profile")

    assert not is_asked(authorize(browser, web, scope="openid email profile"))


def test_a_consent_belongs_to_one_person_and_one_application(web: Registered, browser: Browser) -> None:
    allowed(browser, web)

    assert is_asked(authorize(browser, make_application()))
    assert is_asked(authorize(browser_of(make_user("bob@example.org")), web))


def test_a_consent_that_was_taken_back_is_asked_for_again(web: Registered, browser: Browser) -> None:
    allowed(browser, web)
    Consent.objects.update(revoked_at="2026-01-01T00:00:00Z")

    assert is_asked(authorize(browser, web))


@pytest.mark.parametrize(
    "change", [{"policy_uri": "https://rp.example/other"}, {"logo_uri": "https://rp.example/l.png"}]
)
def test_an_application_that_changed_is_asked_for_again(
    web: Registered, browser: Browser, change: dict[str, str]
) -> None:
    allowed(browser, web)
    ApplicationPolicy.objects.update(**change)

    assert is_asked(authorize(browser, web))


def test_an_application_with_another_name_is_asked_for_again(web: Registered, browser: Browser) -> None:
    allowed(browser, web)
    web.row.name = "Your Bank"
    web.row.save()

    assert is_asked(authorize(browser, web))


def test_a_scope_that_reads_differently_is_asked_for_again(browser: Browser, settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"files": "See your files"}}
    application = make_application(scopes="files")
    allowed(browser, application, scope="openid files")
    assert not is_asked(authorize(browser, application, scope="openid files"))

    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"files": "Delete your files"}}

    assert is_asked(authorize(browser, application, scope="openid files"))


def test_a_resource_is_shown_and_remembered(browser: Browser) -> None:
    Resource.objects.create(uri=API, name="The API", scopes={"notes": "Read your notes"})
    application = make_application(scopes="notes")

    page = authorize(browser, application, scope="notes", resource=f"{API}/")
    decide(browser, page)

    text = page.content.decode()
    assert "The API" in text
    assert "Read your notes" in text
    assert Authorization.objects.get().resources == [API]
    assert not is_asked(authorize(browser, application, scope="notes", resource=API))
    Resource.objects.update(scopes={"notes": "Delete your notes"})
    assert is_asked(authorize(browser, application, scope="notes", resource=API))


def test_the_language_of_the_person_changes_nothing(web: Registered, browser: Browser) -> None:
    allowed(browser, web)

    assert not is_asked(authorize(browser, web, ui_locales="de"))


@pytest.mark.parametrize(
    ("change", "model"),
    [({"policy_uri": "https://evil.example/"}, "policy"), ({"name": "Another"}, "application")],
)
def test_a_change_between_the_page_and_the_approval_asks_again(
    web: Registered, browser: Browser, change: dict[str, str], model: str
) -> None:
    page = authorize(browser, web)
    (ApplicationPolicy.objects if model == "policy" else type(web.row).objects).update(**change)

    again = decide(browser, page)

    assert again.status_code == 409
    assert "has changed" in again.content.decode()
    assert not Authorization.objects.exists()
    assert answer_in(decide(browser, again))["code"]


def change_the_sentence(settings: Any) -> None:
    """The scope reads differently."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"files": "Delete your files"}}


def take_the_scope_away(settings: Any) -> None:
    """The application may not have the scope any more."""
    ApplicationPolicy.objects.update(scopes="")


def change_the_resource(settings: Any) -> None:
    """The scope of the resource reads differently."""
    Resource.objects.update(scopes={"notes": "Delete your notes"})


def rename_the_resource(settings: Any) -> None:
    """The resource has another name."""
    Resource.objects.update(name="Another API")


def prolong_the_access(settings: Any) -> None:
    """The access would last longer than the page says."""
    ApplicationPolicy.objects.update(refresh_token_lifetime=timedelta(days=29))


@pytest.mark.parametrize(
    "change",
    [change_the_sentence, take_the_scope_away, change_the_resource, rename_the_resource, prolong_the_access],
)
def test_a_scope_that_changes_between_the_page_and_the_approval_asks_again(
    browser: Browser, settings: Any, change: Any
) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"files": "See your files"}}
    Resource.objects.create(uri=API, name="The API", scopes={"notes": "Read your notes"})
    application = make_application(scopes="files notes")
    page = authorize(browser, application, scope="files notes offline_access", resource=API)

    change(settings)
    again = decide(browser, page)

    assert again.status_code == 409
    assert "has changed" in again.content.decode()
    assert not Authorization.objects.exists()


def test_an_approval_of_another_request_is_not_one_of_this(web: Registered, browser: Browser) -> None:
    narrow, wide = authorize(browser, web), authorize(browser, web, scope="openid email offline_access")

    response = browser.post(action_in(wide), {**approval_in(narrow), "decision": "allow"})

    assert response.status_code == 409
    assert not Authorization.objects.exists()


def test_an_approval_of_another_session_is_not_one_of_this(web: Registered, alice: Any, browser: Browser) -> None:
    page = authorize(browser, web)

    assert decide(browser_of(alice), page).status_code == 409
    assert decide(browser_of(make_user("bob@example.org")), page).status_code == 409
    assert not Authorization.objects.exists()


@pytest.mark.parametrize("body", [{}, {"decision": "allow"}, {"decision": "allow", "shown": "x"}, {"decision": "ok"}])
def test_a_form_without_the_approval_issues_nothing(web: Registered, browser: Browser, body: dict[str, str]) -> None:
    page = authorize(browser, web)

    browser.post(action_in(page), body)

    assert not Authorization.objects.exists()


def test_an_application_of_the_operator_is_not_asked_for(browser: Browser) -> None:
    application = make_application(is_first_party=True)

    assert not is_asked(authorize(browser, application, scope="openid offline_access"))
    assert is_asked(authorize(browser, application, prompt="consent"))


@pytest.mark.asvs("10.7.1")
@pytest.mark.parametrize("address", ["http://127.0.0.1:8400/cb", "http://localhost/cb", "com.example.app:/cb"])
def test_consent_is_never_left_out_or_remembered_for_a_program(browser: Browser, address: str) -> None:
    """Any program on a computer can have such an address (OAuth 2.1 section 10.7.1)."""
    application = make_application(public=True, redirect_uris=address, is_first_party=True)

    page = authorize(browser, application, redirect_uri=address)
    decide(browser, page)

    assert "an application on your device" in page.content.decode()
    assert is_asked(authorize(browser, application, redirect_uri=address))
    assert not Consent.objects.exists()
    silent = authorize(browser, application, redirect_uri=address, prompt="none")
    assert answer_in(silent, address)["error"] == "consent_required"


def test_offline_access_is_left_out_for_an_application_without_refresh_tokens(browser: Browser) -> None:
    application = make_application(grant_types="authorization_code")

    page = authorize(browser, application, scope="openid offline_access")

    assert "Keep this access" not in page.content.decode()


def test_a_person_who_signed_out_meanwhile_signs_in_again(web: Registered, browser: Browser) -> None:
    page = authorize(browser, web)
    browser.post("/logout/")
    browser.cookies.pop("sessionid", None)

    response = Browser().post(action_in(page), {**approval_in(page), "decision": "allow"})

    assert response.status_code == 303
    assert not Authorization.objects.exists()


def test_a_person_who_is_not_signed_in_refuses_nothing(web: Registered) -> None:
    browser = Browser()
    handle = authorize(browser, web).headers["Location"]

    assert handle.startswith("/login/")
    assert error_in(authorize(browser, web, prompt="none")) == "login_required"
