"""Browsers that use the API and the pages as a front end would, wherever the site includes them."""

import html
import re
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.test import Client as Browser
from django.urls import NoReverseMatch, reverse

from auth_core.testing.factories import PASSWORD

_FORM_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')


def api_address(path: str) -> str:
    """Return the address of *path* in the API, such as ``/api/v1/login/`` for ``login``.

    The prefix is that of ``auth_core.api.urls``. Other packages are expected below the same prefix.

    Raises:
        NoReverseMatch: the site does not include ``auth_core.api.urls``.
    """
    return f"{reverse('core-api:csrf').removesuffix('csrf/')}{path}/"


def new_browser(**defaults: Any) -> Browser:
    """Return a browser that checks CSRF and has fetched the token.

    Args:
        defaults: Sent with every request, such as ``REMOTE_ADDR`` or ``HTTP_USER_AGENT``.
    """
    return with_csrf(Browser(enforce_csrf_checks=True, **defaults))


def with_csrf(browser: Browser) -> Browser:
    """Fetch a new CSRF token in *browser*, as a page does after a login, and return the browser.

    A site with pages alone has no address for the token. There it comes from Django's middleware.
    """
    try:
        address = api_address("csrf")
    except NoReverseMatch:
        browser.defaults["HTTP_X_CSRFTOKEN"] = _token_without_api(browser)
    else:
        browser.defaults["HTTP_X_CSRFTOKEN"] = browser.get(address).json()["csrf_token"]
    return browser


def _token_without_api(browser: Browser) -> str:
    request = HttpRequest()
    request.COOKIES = {name: morsel.value for name, morsel in browser.cookies.items()}
    if settings.CSRF_USE_SESSIONS:
        request.session = browser.session
    middleware = CsrfViewMiddleware(lambda _request: HttpResponse())
    middleware.process_request(request)
    token = get_token(request)
    browser.cookies.update(middleware.process_response(request, HttpResponse()).cookies)
    if settings.CSRF_USE_SESSIONS:
        request.session.save()
    return token


def post(browser: Browser, path: str, /, **body: Any) -> Any:
    """Post *body* as JSON to *path* in the API: ``post(browser, "login", identifier="alice", password="…")``."""
    return browser.post(api_address(path), body, content_type="application/json")


def log_in(browser: Browser, /, *, identifier: str = "alice@example.org", password: str = PASSWORD, **body: Any) -> Any:
    """Begin a login over the API and return the response.

    Args:
        identifier: Defaults to that of the fixture ``alice``.
        password: Defaults to that of the factories.
        body: Further fields, such as ``transport="token"``.
    """
    return post(browser, "login", identifier=identifier, password=password, **body)


def with_credential(granted: Any, /) -> Browser:
    """Return a client that sends the credential in the response *granted*, as a front end without cookies does."""
    return Browser(enforce_csrf_checks=True, HTTP_AUTHORIZATION=f"Session {granted.json()['credential']}")


def sign_up(browser: Browser, /, email: str, *, password: str = PASSWORD) -> Any:
    """Request an account for *email* over the API and return the response. A mail with a link and a code follows."""
    return post(browser, "signup", email=email, password=password)


def logged_in(browser: Browser | None = None, /, **login: Any) -> Browser:
    """Log in over the API and return the browser with its new CSRF token. The site must grant the login at once.

    For a session of a given assurance see `auth_core.testing.sessions.sign_in`.

    Args:
        browser: Defaults to a new one.
        login: The arguments of `log_in`.
    """
    browser = browser or new_browser()
    granted = log_in(browser, **login)
    assert granted.status_code == HTTPStatus.OK, f"The login was not granted: {granted.content!r}"
    return with_csrf(browser)


def answer(browser: Browser, challenged: Any, /, **fields: Any) -> Any:
    """Answer the challenge of a login: ``answer(browser, challenged, code="123456")``.

    Args:
        challenged: The response with the challenge, or the token of the login.
    """
    token = challenged if isinstance(challenged, str) else challenged.json()["token"]
    return post(browser, "login/answer", token=token, answer=fields)


def submit(browser: Browser, address: str, /, *, page: Any = None, **fields: Any) -> Any:
    """Fill in the form of a page and submit it with its CSRF token, as a browser without scripts does.

    Args:
        address: Where the form is submitted.
        page: The response with the form. Defaults to the page at *address*.
    """
    shown = text_of(browser.get(address) if page is None else page)
    token = _FORM_TOKEN.search(shown)
    assert token, f"There is no form: {shown}"
    return browser.post(address, {"csrfmiddlewaretoken": token[1], **fields})


def log_in_on_page(
    browser: Browser,
    /,
    address: str = "",
    *,
    identifier: str = "alice@example.org",
    password: str = PASSWORD,
) -> Any:
    """Begin a login on the login page and return the response.

    Args:
        address: Defaults to the login page of ``auth_core.pages.urls``.
    """
    return submit(browser, address or reverse("core-pages:login"), identifier=identifier, password=password)


def code_of(response: Any) -> Any:
    """Return the error code of a problem document."""
    return response.json()["code"]


def text_of(response: Any) -> str:
    """Return the content of a page, with its entities as characters."""
    return html.unescape(response.content.decode())
