"""Browsers that call the API as a front end would. The API must be included under ``/api/v1/``."""

from typing import Any

from django.test import Client as Browser

from auth_core.testing.factories import PASSWORD


def new_browser() -> Browser:
    """Return a browser that checks CSRF and has fetched the token."""
    return with_csrf(Browser(enforce_csrf_checks=True))


def with_csrf(browser: Browser) -> Browser:
    """Fetch a new CSRF token in *browser*, as a page does after a login, and return the browser."""
    browser.defaults["HTTP_X_CSRFTOKEN"] = browser.get("/api/v1/csrf/").json()["csrf_token"]
    return browser


def post(browser: Browser, path: str, **body: Any) -> Any:
    """Post *body* as JSON to ``/api/v1/<path>/``."""
    return browser.post(f"/api/v1/{path}/", body, content_type="application/json")


def log_in(browser: Browser, *, identifier: str = "alice@example.org", password: str = PASSWORD, **body: Any) -> Any:
    """Begin a login and return the response."""
    return post(browser, "login", identifier=identifier, password=password, **body)


def answer(browser: Browser, challenged: Any, **fields: Any) -> Any:
    """Answer the challenge in the response *challenged*."""
    return post(browser, "login/answer", token=challenged.json()["token"], answer=fields)


def code_of(response: Any) -> Any:
    """Return the error code of a problem document."""
    return response.json()["code"]
