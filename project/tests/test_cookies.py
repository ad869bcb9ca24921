"""Every cookie that the service sets, under the names and rules of production."""

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

#: All there are. Whoever adds one adds it here.
COOKIES = {"__Host-session", "__Host-csrf", "__Host-login", "__Host-link", "__Host-device", "__Host-messages"}


@pytest.fixture
def as_in_production(settings: Any) -> None:
    """Let cookies have the names and rules that the settings of production give them."""
    for node in ast.parse(PRODUCTION.read_text()).body:
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
            name = node.targets[0].id
            if "COOKIE" in name or name == "MESSAGE_STORAGE":
                setattr(settings, name, ast.literal_eval(node.value))


def new_browser() -> Browser:
    return Browser(**{"wsgi.url_scheme": "https", "HTTP_REFERER": "https://testserver/"})


def set_by_a_day_of_use(alice: Any) -> Iterator[tuple[str, Morsel[str]]]:
    """Yield every cookie that a browser is given from the first page to the logout."""
    browser = new_browser()
    add_totp(alice)

    def came(answer: Any) -> Iterator[tuple[str, Morsel[str]]]:
        assert answer.status_code < 400, answer.content
        yield from answer.cookies.items()

    api = {"content_type": "application/json"}
    yield from came(browser.get("/login/"))
    yield from came(browser.get("/api/v1/csrf/"))
    yield from came(browser.post("/signup/", {"email": "new@example.org", "password": PASSWORD}))
    yield from came(browser.post("/password/forgot/", {"email": "alice@example.org"}))
    for message in delivered():
        yield from came(browser.get(link_in(message).removeprefix("https://auth.example.org")))
    yield from came(browser.post("/login/", {"identifier": "alice@example.org", "password": PASSWORD}))
    yield from came(browser.post("/login/answer/", {"code": current_code(KEY)}))
    yield from came(browser.get("/account/second-factors/"))
    yield from came(browser.post("/api/v1/reauthenticate/", {"required_assurance": "aal1"}, **api))
    change = {"current_password": PASSWORD, "new_password": "another long passphrase"}
    yield from came(browser.post("/account/password/", change))
    yield from came(browser.get("/account/"))
    yield from came(browser.post("/logout/"))


def test_every_cookie_is_host_only_and_httponly(alice: Any, as_in_production: None) -> None:
    came = list(set_by_a_day_of_use(alice))

    assert {name for name, _cookie in came} == COOKIES
    for name, cookie in came:
        if not cookie.value:  # taken away again
            assert (cookie["secure"], cookie["path"], cookie["domain"]) == (True, "/", ""), name
            continue
        assert (cookie["httponly"], cookie["secure"], cookie["samesite"]) == (True, True, "Lax"), name
        assert (cookie["path"], cookie["domain"]) == ("/", ""), name
