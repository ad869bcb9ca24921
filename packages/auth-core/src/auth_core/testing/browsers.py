"""Browsers and what they send, as a page of a site would; addresses as in ``auth_core.api.urls`` under ``/api/v1/``."""

from typing import Any

from django.test import Client as Browser

from auth_core.testing.factories import PASSWORD


def new_browser() -> Browser:
    """Return a browser that has fetched the CSRF token, as a page would; without it, it is refused."""
    return with_csrf(Browser(enforce_csrf_checks=True))


def with_csrf(browser: Browser) -> Browser:
    """Have *browser* fetch the CSRF token anew, as a page does after a login; return it."""
    browser.defaults["HTTP_X_CSRFTOKEN"] = browser.get("/api/v1/csrf/").json()["csrf_token"]
    return browser


def post(browser: Browser, path: str, **body: Any) -> Any:
    """Post *body* as JSON to ``/api/v1/<path>/``."""
    return browser.post(f"/api/v1/{path}/", body, content_type="application/json")


def log_in(browser: Browser, *, identifier: str = "alice@example.org", password: str = PASSWORD, **body: Any) -> Any:
    """Begin a login; return the answer."""
    return post(browser, "login", identifier=identifier, password=password, **body)


def answer(browser: Browser, challenged: Any, **given: Any) -> Any:
    """Answer what the login asked."""
    return post(browser, "login/answer", token=challenged.json()["token"], answer=given)


def code_of(answer: Any) -> Any:
    """Return the code of a problem."""
    return answer.json()["code"]
