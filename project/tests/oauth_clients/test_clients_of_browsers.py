"""The applications of docs/browser-applications.md, in Chromium, against the running service."""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest

from live.chromium import Watch, Window
from live.service import Service, free_port
from oauth_clients.callers import Application
from oauth_clients.installation import python_with_authlib
from oauth_clients.processes import HOST, run_script
from oauth_clients.sites import BROWSERS, Guide, django_site, single_page_application
from oauth_clients.test_clients_browser import confirm_sign_out, is_signed_in, sign_in_and_allow

pytestmark = [pytest.mark.postgresql, pytest.mark.live, pytest.mark.shots]


@pytest.fixture
def port(watch: Watch) -> int:
    """The port of an application."""
    number = free_port()
    watch.clients.append(f"http://{HOST}:{number}")
    return number


def press(window: Window, name: str) -> None:
    """Press a button whose script calls the service."""
    window.page.locator(f"#{name}").click()


def wait_for(window: Window, text: str) -> None:
    """Wait until the page shows *text*."""
    window.page.get_by_text(text, exact=True).wait_for()


def test_the_single_page_application(service: Service, email: str, here: Window, port: int, tmp_path: Path) -> None:
    """Login, userinfo, a refresh token that works once, and logout, all bound to a key of the page."""
    guide = Guide(issuer=service.url, port=port, page=BROWSERS)
    made = json.loads(service.manage(*guide.registration("sh register-spa"), "--json"))
    requested: list[Any] = []
    here.page.on("request", lambda request: requested.append((request.method, request.url.removeprefix(service.url))))
    with single_page_application(guide, port=port, folder=tmp_path, client_id=made["client_id"]) as home:
        here.open(home)
        press(here, "login")
        here.page.wait_for_url(f"{service.url}/login/**")
        sign_in_and_allow(here, email, "Shop")
        wait_for(here, f"You are {email}")
        assert here.page.url == home, "the code is not left in the address"

        for _refresh in range(2):
            here.page.evaluate("document.querySelector('#told').textContent = ''")
            press(here, "refresh")
            wait_for(here, f"You are {email} again")
        ((rows, used),) = service.query(
            "SELECT count(*), count(r.used_at) FROM auth_oauth_refreshtoken r"
            " JOIN auth_oauth_authorization a ON a.id = r.authorization_id"
            f" JOIN oauth2_provider_application p ON p.id = a.application_id WHERE p.client_id = '{made['client_id']}'"
        )
        assert (rows, used) == (3, 2)
        assert here.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]

        press(here, "logout")
        here.page.wait_for_url(f"{service.url}/oauth/logout/**")
        confirm_sign_out(here)
        assert not is_signed_in(here, service)
        assert ("POST", "/oauth/revoke") in requested


def test_a_page_of_another_origin_reads_nothing(service: Service, here: Window, port: int, tmp_path: Path) -> None:
    """The same files, at an origin that no application has registered."""
    guide = Guide(issuer=service.url, port=port, page=BROWSERS)
    with single_page_application(guide, port=port, folder=tmp_path, client_id="unknown") as home:
        here.open("/login/")
        here.open(home)
        for path in ("token", "revoke", "userinfo"):
            failed = here.page.evaluate(
                "(address) => fetch(address, { method: 'POST', body: 'a=b' }).then(() => '', (problem) => problem.name)",
                f"{service.url}/oauth/{path}",
            )
            assert failed == "TypeError", path
        assert (
            here.page.evaluate(f"fetch('{service.url}/.well-known/jwks.json').then((answer) => answer.status)") == 200
        )


@pytest.mark.asvs("10.1.1")
def test_the_back_end_in_front_of_a_page(service: Service, email: str, here: Window, port: int, tmp_path: Path) -> None:
    guide = Guide(issuer=service.url, port=port, page=BROWSERS)
    application = Application.register(service, guide.registration("sh register-django"))
    certificate = {"REQUESTS_CA_BUNDLE": str(service.certificate)}
    arrived: list[str] = []

    def note(route: Any) -> None:
        answer = route.fetch(max_redirects=0)
        arrived.append(json.dumps(answer.headers) + answer.text())
        route.fulfill(response=answer)

    here.page.route(f"http://{HOST}:{port}/**", note)
    with django_site(
        guide,
        port=port,
        folder=tmp_path,
        client_id=application.id,
        client_secret=application.secret,
        **certificate,
    ) as home:
        here.open(home)
        assert here.page.evaluate("fetch('/api/person/').then((answer) => answer.status)") == 401
        here.press("Sign in")
        sign_in_and_allow(here, email, "Shop")
        wait_for(here, f"You are {email}.")
        assert here.page.evaluate("fetch('/api/other/').then((answer) => answer.status)") == 404
        assert here.page.evaluate("fetch('/logout/', { method: 'POST' }).then((answer) => answer.status)") == 403

        in_sessions(tmp_path, "token['expires_at'] = 0")
        assert here.page.evaluate("fetch('/api/person/').then((answer) => answer.status)") == 200
        in_sessions(tmp_path, "assert token['expires_at'] > 0, token")

        here.page.get_by_role("button", name="Sign out").click()
        here.page.wait_for_url(f"{service.url}/oauth/logout/**")
        confirm_sign_out(here)
        assert not is_signed_in(here, service)
        assert here.page.evaluate("fetch('/api/person/').then((answer) => answer.status)") == 401
    assert len(arrived) > 8
    received = "".join(arrived) + json.dumps(here.page.context.cookies())
    assert "ert_" not in received
    # The hint of the logout is an ID token, which gives no access. Its answer shows that each one is found.
    assert {header_of(text)["typ"] for text in re.findall(r"(eyJ[\w-]+)\.eyJ", received)} == {"JWT"}


#: Runs code for the token in each session of a site.
_IN_SESSIONS = """
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
for key in Session.objects.values_list("pk", flat=True):
    session = SessionStore(key)
    token = session.get("token")
    if token is not None:
        {code}
        session.save()
"""


def in_sessions(folder: Path, code: str) -> None:
    """Run *code* for ``token`` in each session of the Django site in *folder*.

    Raises:
        AssertionError: it failed.
    """
    (folder / "in_sessions.py").write_text(_IN_SESSIONS.format(code=code))
    program = python_with_authlib()
    run_script(f"{program} manage.py shell < in_sessions.py", folder=folder)


def header_of(text: str) -> Any:
    """Return the header of a compact token, which is its first part."""
    return json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
