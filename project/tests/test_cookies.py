"""Every cookie of the service, with the names and attributes of production."""

import ast
from collections.abc import Iterator
from http.cookies import Morsel
from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import delivered, link_in
from auth_core.testing.settings import redis_url
from auth_mfa.testing.factors import KEY, add_totp, current_code

pytestmark = [
    pytest.mark.django_db(transaction=bool(redis_url())), pytest.mark.asvs("3.3.1"), pytest.mark.asvs("3.3.4"),
]  # fmt: skip

PRODUCTION = Path(__file__).parents[1] / "enterprise_auth" / "settings" / "production.py"

#: All cookies. Add new ones here.
COOKIES = {
    "__Host-session", "__Host-csrf", "__Host-login", "__Host-link", "__Host-device", "__Host-messages", "__Host-federation"
}  # fmt: skip


@pytest.fixture
def as_in_production(settings: Any) -> None:
    """Use the cookie settings of production."""
    for node in ast.parse(PRODUCTION.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if "COOKIE" in name or name == "MESSAGE_STORAGE":
                setattr(settings, name, ast.literal_eval(node.value))


def browser_over_tls() -> Browser:
    return Browser(**{"wsgi.url_scheme": "https", "HTTP_REFERER": "https://testserver/"})


def cookies_of_a_journey(alice: Any) -> Iterator[tuple[str, Morsel[str]]]:
    """Yield every cookie that is set from the first page to the logout."""
    browser = browser_over_tls()
    add_totp(alice)

    def cookies_of(answer: Any) -> Iterator[tuple[str, Morsel[str]]]:
        assert answer.status_code < 400, answer.content
        yield from answer.cookies.items()

    api = {"content_type": "application/json"}
    yield from cookies_of(browser.get("/login/"))
    yield from cookies_of(browser.post("/federation/github/login/"))
    yield from cookies_of(browser.get("/api/v1/csrf/"))
    yield from cookies_of(browser.post("/signup/", {"email": "new@example.org", "password": PASSWORD}))
    yield from cookies_of(browser.post("/password/forgot/", {"email": "alice@example.org"}))
    for message in delivered():
        yield from cookies_of(browser.get(link_in(message).removeprefix("https://auth.example.org")))
    yield from cookies_of(browser.post("/login/", {"identifier": "alice@example.org", "password": PASSWORD}))
    yield from cookies_of(browser.post("/login/answer/", {"code": current_code(KEY)}))
    yield from cookies_of(browser.get("/account/second-factors/"))
    yield from cookies_of(browser.post("/api/v1/reauthenticate/", {"required_assurance": "aal1"}, **api))
    change = {"current_password": PASSWORD, "new_password": "another long passphrase"}
    yield from cookies_of(browser.post("/account/password/", change))
    yield from cookies_of(browser.get("/account/"))
    yield from cookies_of(browser.post("/logout/"))


def test_every_cookie_is_host_only_and_httponly(alice: Any, as_in_production: None, settings: Any) -> None:
    github = {"kind": "github", "client_id": "this-service", "client_secret": "secret"}
    settings.AUTH_FEDERATION = {"PROVIDERS": {"github": github}}
    cookies = list(cookies_of_a_journey(alice))

    assert {name for name, _cookie in cookies} == COOKIES
    for name, cookie in cookies:
        if not cookie.value:  # deleted
            assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", ""), name
            continue
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax"), name
        assert (cookie["path"], cookie["domain"]) == ("/", ""), name
