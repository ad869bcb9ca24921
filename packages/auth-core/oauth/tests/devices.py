"""An application on a device, and the person who connects it in a browser, for tests of the device grant."""

import re
from typing import Any

from django.test import Client as Browser

from auth_core.oauth.clients.registry import DEVICE_CODE
from auth_core.oauth.testing.factories import Registered, make_application
from people import browser_of, follow

#: What a television sends, and where it is.
AGENT, ADDRESS = "Mozilla/5.0 (X11; Linux x86_64) Chrome/120.0 Safari/537.36", "203.0.113.9"


def make_device_application(*, public: bool = True, **columns: Any) -> Registered:
    """Create an application that may use the device grant and refresh tokens, and has no redirect address."""
    columns = {"redirect_uris": "", "grant_types": f"{DEVICE_CODE} refresh_token", **columns}
    return make_application(public=public, grant=DEVICE_CODE, **columns)


def ask(application: Registered, browser: Browser | None = None, *, proof: str = "", **parameters: Any) -> Any:
    """Ask for a device code, and return the response."""
    device = browser or Browser(REMOTE_ADDR=ADDRESS, HTTP_USER_AGENT=AGENT)
    fields = {"scope": "openid email offline_access", **parameters}
    return application.post("/oauth/device_authorization", device, proof=proof, **fields)


def asked_codes(application: Registered, **parameters: Any) -> dict[str, Any]:
    """Ask for a device code, and return the body."""
    response = ask(application, **parameters)
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body


def poll(application: Registered, code: str, browser: Browser | None = None, **parameters: Any) -> Any:
    """Ask for tokens, and return the response."""
    return application.post("/oauth/token", browser, grant_type=DEVICE_CODE, device_code=code, **parameters)


def error_of(response: Any) -> str:
    """Return the error of a response of the token endpoint."""
    assert response.status_code == 400, response.content
    return str(response.json()["error"])


def enter(browser: Browser, code: str) -> Any:
    """Type a code in the form, and return the response."""
    return browser.post("/device/", {"user_code": code})


def decision_page(browser: Browser, code: str) -> Any:
    """Type a code, and return the page that asks for the decision."""
    page = follow(browser, enter(browser, code))
    assert page.status_code == 200, page.content
    return page


def press(browser: Browser, page: Any, decision: str) -> Any:
    """Press a button of the page that asks for the decision, and return the response."""
    text = page.content.decode()
    (action,) = re.findall(r'<form method="post" action="(/device/[^"]*)"', text)
    (shown,) = re.findall(r'name="shown" value="([^"]*)"', text)
    return browser.post(action, {"shown": shown, "decision": decision})


def connect(user: Any, codes: dict[str, Any], decision: str = "allow", **options: Any) -> Browser:
    """Sign *user* in, enter the code, and decide. Return the browser."""
    browser = browser_of(user, **options)
    response = press(browser, decision_page(browser, codes["user_code"]), decision)
    assert response.status_code == 200, response.content
    return browser


def device_tokens(application: Registered, user: Any, **parameters: Any) -> dict[str, Any]:
    """Return the tokens that *application* gets on a device of *user*."""
    codes = asked_codes(application, **parameters)
    connect(user, codes)
    response = poll(application, codes["device_code"])
    assert response.status_code == 200, response.content
    body: dict[str, Any] = response.json()
    return body
