"""A person in a browser, and what an application sends them with, for tests of the pages."""

import html
import re
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from django.test import Client as Browser

from auth_core.contracts import Transport
from auth_core.oauth.grants.code import s256
from auth_core.oauth.testing.factories import REDIRECT_URI, VERIFIER, Registered
from auth_core.testing.factories import PASSWORD
from auth_core.testing.sessions import sign_in

#: What every client of these tests sends.
STATE, NONCE = "state-1", "nonce-1"


def browser_of(user: Any, **options: Any) -> Browser:
    """Return a browser in which *user* has signed in."""
    return sign_in(user, transport=Transport.COOKIE, **options)


def asked(application: Registered, **parameters: Any) -> dict[str, Any]:
    """Return the parameters of an authorization request. ``None`` leaves one out."""
    usual = {
        "client_id": application.client_id,
        "redirect_uri": REDIRECT_URI,
        "response_type": "code",
        "scope": "openid",
        "state": STATE,
        "nonce": NONCE,
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    }
    return {name: value for name, value in {**usual, **parameters}.items() if value is not None}


def authorize(browser: Browser, application: Registered, **parameters: Any) -> Any:
    """Send the browser to the authorization endpoint by GET, and return the response."""
    return browser.get("/oauth/authorize", asked(application, **parameters))


def follow(browser: Browser, response: Any) -> Any:
    """Follow one redirect inside of the site."""
    assert response.status_code == 303, response.content
    return browser.get(response.headers["Location"])


def answer_in(response: Any, redirect_uri: str = REDIRECT_URI) -> dict[str, str]:
    """Return what a response carries to the client: by a redirect, by a page that goes there, or by a form."""
    text = response.content.decode()
    if response.status_code == 303:
        address = response.headers["Location"]
    elif found := re.search(r'http-equiv="refresh" content="0;url=([^"]*)"', text):
        address = html.unescape(found[1])
    else:
        assert f'action="{redirect_uri}"' in text, text
        fields = re.findall(r'type="hidden" name="([^"]*)" value="([^"]*)"', text)
        return {name: html.unescape(value) for name, value in fields}
    assert address.startswith(redirect_uri), address
    own = set(parse_qsl(urlsplit(redirect_uri).query))
    return dict(pair for pair in parse_qsl(urlsplit(address).query) if pair not in own)


def error_in(response: Any) -> str:
    """Return the error that a response carries to the client."""
    return answer_in(response)["error"]


def approval_in(response: Any) -> dict[str, str]:
    """Return the hidden field of a consent page."""
    assert response.status_code in (200, 409), response.content
    (shown,) = re.findall(r'name="shown" value="([^"]*)"', response.content.decode())
    return {"shown": shown}


def action_in(response: Any) -> str:
    """Return where the form of a consent page is posted to."""
    (action,) = re.findall(r'<form method="post" action="(/oauth/[^"]*)"', response.content.decode())
    return action


def decide(browser: Browser, page: Any, decision: str = "allow") -> Any:
    """Press a button of a consent page, and return the response."""
    return browser.post(action_in(page), {**approval_in(page), "decision": decision})


def allowed(browser: Browser, application: Registered, **parameters: Any) -> dict[str, str]:
    """Send the browser to the authorization endpoint, consent, and return what the client gets."""
    return answer_in(decide(browser, authorize(browser, application, **parameters)))


def log_in(browser: Browser, response: Any, user: Any, password: str = PASSWORD) -> Any:
    """Sign in on the login page that *response* leads to, and return the response after it."""
    address = response.headers["Location"]
    assert address.startswith("/login/?"), address
    return browser.post(address, {"identifier": user.email, "password": password})


def query_of(response: Any) -> dict[str, list[str]]:
    """Return the query of the address that *response* leads to."""
    return parse_qs(urlsplit(response.headers["Location"]).query)


def encoded(parameters: Any) -> str:
    """Return parameters as a form. Those with a list are repeated."""
    return urlencode(parameters, doseq=True)
