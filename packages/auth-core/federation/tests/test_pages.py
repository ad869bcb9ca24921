"""The buttons, the pages that lead to a provider, and what they must not do."""

import json
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from django.core.checks import run_checks
from django.http import HttpResponse
from django.test import Client as Browser
from django.test import RequestFactory

from auth_core.contracts import Purpose
from auth_core.federation.checks import check_addresses, check_providers, check_settings
from auth_core.federation.conf import FederationSettings
from auth_core.federation.protocol.attempts import Attempt
from auth_core.federation.providers.base import ProviderOptions
from auth_core.federation.testing.browsers import begin, sign_in_at, visit
from auth_core.federation.testing.providers import CLIENT_SECRET, FakeApple, FakeGitHub, FakeProvider
from auth_core.pages.form_targets import allow_form_targets, apply_form_targets
from auth_core.testing.browsers import text_of
from conftest import configure

pytestmark = pytest.mark.django_db


def test_the_buttons_are_on_the_login_page_in_their_order(provide: Any, browser: Browser, settings: Any) -> None:
    assert "Continue with" not in text_of(browser.get("/login/"))
    fake = provide(FakeProvider, "directory", name="Our <directory>", order=2)
    provide(FakeGitHub, order=1)
    configure(settings, "off", fake.options(enabled=False, name="Off"))

    page = browser.get("/login/?next=/account/connections/").content.decode()

    assert page.index("Continue with GitHub") < page.index("Continue with Our &lt;directory&gt;")
    assert "Continue with Off" not in page
    assert 'action="/federation/directory/login/?next=%2Faccount%2Fconnections%2F"' in page
    assert not fake.requests, "The login page waits for a provider."


def test_a_person_goes_on_where_they_wanted_to(provide: Any, browser: Browser) -> None:
    provide(FakeProvider)

    assert sign_in_at(browser, "openid", onward="/account/connections/").headers["Location"] == "/account/connections/"


@pytest.mark.parametrize(
    "onward", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"]
)
def test_no_address_of_another_site(onward: str, provide: Any, browser: Browser) -> None:
    provide(FakeProvider)

    assert sign_in_at(browser, "openid", onward=onward).headers["Location"] == "/account/"


@pytest.mark.asvs("7.6.2")
def test_a_sign_in_begins_by_a_post_of_our_own(provide: Any) -> None:
    fake = provide(FakeProvider)
    stranger = Browser(enforce_csrf_checks=True)

    assert stranger.get("/federation/openid/login/").headers["Location"] == "/login/"
    assert stranger.post("/federation/openid/login/").status_code == 403
    assert not fake.requests


def test_an_unknown_provider(provide: Any, browser: Browser) -> None:
    provide(FakeProvider)
    for slug in ("unknown", "OPENID"):
        assert browser.post(f"/federation/{slug}/login/").status_code == 404
        assert browser.get(f"/federation/{slug}/callback/?code=a&state=b").status_code == 404


def test_the_cookie_is_encrypted_and_for_this_site_alone(provide: Any, browser: Browser) -> None:
    provide(FakeProvider)
    address = begin(browser, "openid")
    cookie = browser.cookies["__Host-federation"]

    assert (cookie["secure"], cookie["httponly"], cookie["samesite"], cookie["path"]) == (True, True, "Lax", "/")
    assert cookie["max-age"] == 600
    parameters = dict(parse_qsl(urlsplit(address).query))
    assert parameters["state"] not in cookie.value
    assert parameters["nonce"] not in cookie.value
    assert len(cookie.value) < 4000
    sign_in_at(browser, "openid")
    assert browser.cookies["__Host-federation"].value == ""


def test_a_click_makes_no_row_and_no_session(provide: Any, browser: Browser, django_assert_num_queries: Any) -> None:
    provide(FakeProvider)
    begin(browser, "openid")

    assert "sessionid" not in browser.cookies


def test_secrets_are_in_no_text() -> None:
    attempt = Attempt.begin(provider="openid", purpose=Purpose.LOGIN)
    options = ProviderOptions(kind="apple", client_id="a", client_secret="the-secret", private_key="the-key")

    shown = f"{attempt!r} {options!r}"

    for secret in (attempt.state, attempt.nonce, attempt.verifier, "the-secret", "the-key"):
        assert secret not in shown


def test_a_posted_answer_sets_nothing_and_comes_back(provide: Any, browser: Browser) -> None:
    provide(FakeApple)
    returned = visit(begin(browser, "apple"))
    assert returned.form is not None
    stranger = Browser(enforce_csrf_checks=True)

    posted = stranger.post(returned.path, {**returned.form, "user": json.dumps({"email": "victim@example.org"})})

    assert posted.status_code == 303
    assert not posted.cookies
    location = posted.headers["Location"]
    assert location.startswith("/federation/apple/callback/?answer=")
    assert returned.form["code"] not in location
    assert returned.form["state"] not in location
    assert stranger.get(location).status_code == 401, "Another browser has no cookie."
    assert browser.get(location).status_code == 303
    assert browser.get(location).status_code == 401, "A handle opens once."


def test_a_handle_is_for_its_provider_and_for_a_minute(provide: Any, browser: Browser, clock: Any) -> None:
    provide(FakeApple)
    provide(FakeApple, "other")
    returned = visit(begin(browser, "apple"))
    location = Browser().post(returned.path, returned.form).headers["Location"]

    assert browser.get(location.replace("/apple/", "/other/")).status_code == 401
    assert browser.get("/federation/apple/callback/?answer=v1.test.AAAA").status_code == 401
    clock.forward(seconds=61)
    assert browser.get(location).status_code == 401


def test_the_number_of_attempts_has_a_budget(provide: Any, browser: Browser, settings: Any) -> None:
    provide(FakeApple)
    minute = settings.AUTH_CORE.get("BUDGETS", {})

    settings.AUTH_CORE = {
        **settings.AUTH_CORE,
        "BUDGETS": {**minute, "provider": {"network": (3, timedelta(minutes=1))}},
    }

    statuses = [browser.post("/federation/apple/login/").status_code for _click in range(4)]

    assert statuses == [200, 200, 200, 429]
    assert Browser().post("/federation/apple/callback/", {"code": "a"}).status_code == 429
    assert Browser().get("/federation/apple/callback/?code=a").status_code == 429


# --- The policy ------------------------------------------------------------------------------------------------------------


def test_the_policy_of_a_page_names_where_its_forms_lead(settings: Any) -> None:
    settings.SECURE_CSP = {"default-src": ["'none'"], "form-action": ["'self'"]}
    request, response = RequestFactory().get("/"), HttpResponse()
    allow_form_targets(request, ["https://accounts.google.com"])
    allow_form_targets(request, ["https://github.com"])
    apply_form_targets(request, response)

    named: Any = response
    assert named._csp_update == {"form-action": ["https://accounts.google.com", "https://github.com"]}
    assert named._csp_config == {
        "default-src": ["'none'"],
        "form-action": ["'self'", "https://accounts.google.com", "https://github.com"],
    }


def test_a_page_without_providers_keeps_its_policy(settings: Any) -> None:
    settings.SECURE_CSP = {"form-action": ["'self'"]}
    response = HttpResponse()
    apply_form_targets(RequestFactory().get("/"), response)

    assert not hasattr(response, "_csp_config")


# --- Checks ----------------------------------------------------------------------------------------------------------------


def texts(found: list[Any]) -> str:
    return "\n".join(f"{each.msg} {each.hint}" for each in found)


def test_a_site_that_is_set_up_has_no_findings(provide: Any) -> None:
    provide(FakeProvider)
    provide(FakeGitHub)
    provide(FakeApple)

    assert not [found for found in run_checks() if str(found.id).startswith("auth_federation")]


@pytest.mark.parametrize(
    ("slug", "options", "problem"),
    [
        ("Google", {"kind": "google", "client_id": "a", "client_secret": "b"}, "small letters"),
        ("google", {"kind": "google", "client_id": "a"}, "client_secret is missing"),
        ("google", {"kind": "google", "client_secret": "a"}, "client_id is missing"),
        ("google", {"kind": "gooogle", "client_id": "a", "client_secret": "b"}, "unknown kind"),
        ("google", {"client_id": "a", "client_secret": "b"}, "unknown kind"),
        ("google", {"kind": "google", "client_id": "a", "client_secret": "b", "secret": "c"}, "unknown options: secret"),
        ("google", {"kind": "google", "client_id": "a", "client_secret": "b", "order": "1"}, "order has the wrong type"),
        ("google", {"kind": "google", "client_id": "a", "client_secret": "b", "scopes": "openid"}, "scopes has the wrong"),
        ("entra", {"kind": "microsoft", "client_id": "a", "client_secret": "b"}, "tenant is missing"),
        ("entra", {"kind": "microsoft", "client_id": "a", "client_secret": "b", "tenant": "common"}, "not the id"),
        ("oidc", {"kind": "openid", "client_id": "a", "client_secret": "b"}, "issuer is missing"),
        ("oidc", {"kind": "openid", "client_id": "a", "client_secret": "b", "issuer": "http://x.example"}, "no https"),
        ("oidc", {"kind": "openid", "client_id": "a", "client_secret": "b", "issuer": "https://x", "algorithms": ["none"]}, "unknown algorithms: none"),
        ("oidc", {"kind": "openid", "client_id": "a", "client_secret": "b", "issuer": "https://x", "algorithms": ["HS256", "ES256"]}, "stands alone"),
        ("any", {"kind": "oauth2", "client_id": "a", "client_secret": "b"}, "userinfo_endpoint is missing"),
        ("any", {"kind": "oauth2", "client_id": "a", "client_secret": "b", "token_endpoint": "http://x.example/t"}, "token_endpoint is no https"),
        ("apple", {"kind": "apple", "client_id": "a", "team_id": "b", "key_id": "c"}, "private_key is missing"),
        ("apple", {"kind": "apple", "client_id": "a", "team_id": "b", "key_id": "c", "private_key": "d"}, "no EC key"),
    ],
)  # fmt: skip
def test_a_check_names_what_is_missing_and_the_callback_address(
    slug: str, options: dict[str, Any], problem: str, settings: Any
) -> None:
    configure(settings, slug, options)

    found = texts(check_providers())

    assert problem in found
    assert CLIENT_SECRET not in found
    if slug != "Google":
        assert f"https://auth.example.org/federation/{slug}/callback/" in found


def test_a_check_refuses_unknown_settings(settings: Any) -> None:
    settings.AUTH_FEDERATION = {"PROVIDER": {}}
    assert [found.id for found in check_settings()] == ["auth_federation.E001"]
    assert "PROVIDERS" in FederationSettings.options


def test_a_check_needs_the_public_url(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PUBLIC_URL": ""}
    assert [found.id for found in check_addresses()] == ["auth_federation.E004"]


def test_a_check_needs_the_pages(settings: Any) -> None:
    settings.ROOT_URLCONF = "auth_core.api.urls"
    assert [found.id for found in check_addresses()] == ["auth_federation.E003"]
