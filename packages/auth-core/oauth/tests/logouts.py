"""A browser at the logout endpoint."""

import html
import re
from typing import Any

from auth_core.oauth.testing.factories import Registered, exchange
from people import answer_in, authorize

AFTER = "https://rp.example/signed-out"
BACK = "https://rp.example/backchannel"


def hint_of(browser: Any, application: Registered) -> str:
    """Return an ID token of this browser's session."""
    token: str = exchange(application, answer_in(authorize(browser, application))["code"]).json()["id_token"]
    return token


def is_signed_in(browser: Any) -> bool:
    """Return whether the browser still has its session."""
    return bool(browser.get("/account/").status_code == 200)


def logout(browser: Any, **parameters: Any) -> Any:
    """Send the browser to the logout endpoint by GET."""
    return browser.get("/oauth/logout", parameters)


def confirmed(browser: Any, response: Any) -> Any:
    """Press the button of the page that *response* leads to."""
    assert response.status_code == 303, response.content
    assert is_signed_in(browser)
    page = browser.get(response.headers["Location"])
    assert page.status_code == 200
    return browser.post(response.headers["Location"])


def leads_to(response: Any) -> str:
    """Return where the page that *response* holds goes by itself."""
    assert response.status_code == 200, response.headers
    (address,) = re.findall(r'http-equiv="refresh" content="0;url=([^"]*)"', response.content.decode())
    return html.unescape(address)
