"""A browser that goes to a provider and comes back, with the cookies and the forms of a real one."""

import http.client
import re
from html import unescape
from typing import Any
from urllib.parse import urlsplit

from django.test import Client as Browser
from django.urls import reverse

from auth_core.testing.browsers import text_of

_ADDRESS = re.compile(r'<a class="button" href="([^"]+)" rel="noreferrer">')
_FIELD = re.compile(r'name="([^"]+)" value="([^"]*)"')


def begin(browser: Browser, slug: str, *, onward: str = "", connects: bool = False) -> str:
    """Press the button of a provider, and return the address that the browser is sent to."""
    address = reverse(f"federation:{'connect' if connects else 'login'}", kwargs={"slug": slug})
    page = browser.post(f"{address}?next={onward}" if onward else address)
    found = _ADDRESS.search(page.content.decode())
    assert found, f"There is no way to the provider: {page.status_code} {text_of(page)}"
    return unescape(found[1])


def visit(address: str) -> "Returned":
    """Visit a provider on this machine as a person who agrees, and return where it sends the browser."""
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=10)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}")
        answer = connection.getresponse()
        body = answer.read().decode()
        location = answer.getheader("Location")
    finally:
        connection.close()
    if location is not None:
        return Returned(location, None)
    action = re.search(r'action="([^"]+)"', body)
    assert action, body
    return Returned(unescape(action[1]), {name: unescape(value) for name, value in _FIELD.findall(body)})


class Returned:
    """Where a provider sends a browser: an address, and the form that it posts there, if it does.

    Args:
        address: The callback address.
        form: What is posted. ``None``: nothing, the answer is in the address.
    """

    def __init__(self, address: str, form: dict[str, str] | None) -> None:
        self.address = address
        self.form = form

    @property
    def path(self) -> str:
        """The address without its origin."""
        parts = urlsplit(self.address)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def deliver(self, browser: Browser) -> Any:
        """Come back with *browser*, and return the answer of the site. A posted answer comes back a second time."""
        if self.form is None:
            return browser.get(self.path)
        # A page of another site posts it: no cookie of SameSite=Lax comes along, and no token of ours.
        posted = Browser(enforce_csrf_checks=True).post(self.path, self.form)
        if posted.status_code != http.client.SEE_OTHER:
            return posted
        assert not posted.cookies, "The answer to a posted answer sets cookies."
        return browser.get(posted.headers["Location"])


def sign_in_at(browser: Browser, slug: str, *, onward: str = "", connects: bool = False) -> Any:
    """Press the button, agree at the provider, and come back. Return the answer of the site."""
    return visit(begin(browser, slug, onward=onward, connects=connects)).deliver(browser)
