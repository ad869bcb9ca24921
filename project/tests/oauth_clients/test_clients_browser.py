"""Clients that others wrote sign people in: in Chromium, against the running service."""

import json
import time
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from auth_core.testing.factories import PASSWORD
from live.chromium import Watch, Window
from live.service import Service, free_port
from oauth_clients.apache import addresses, apache
from oauth_clients.callers import Application
from oauth_clients.keys import ClientKey
from oauth_clients.processes import HOST
from oauth_clients.sites import Guide, django_site, node_application, node_site
from test_browser import code_for

pytestmark = [pytest.mark.postgresql, pytest.mark.live, pytest.mark.shots]


@pytest.fixture
def port(watch: Watch) -> int:
    """The port of an application."""
    number = free_port()
    watch.clients.append(f"http://{HOST}:{number}")
    return number


def sign_in_and_allow(window: Window, email: str, name: str) -> None:
    """Sign in on the page of the service that the window shows, and consent."""
    assert window.path == "/login/"
    window.fill(identifier=email, password=PASSWORD)
    window.press("Sign in")
    allow(window, email, name)


def allow(window: Window, email: str, name: str) -> None:
    """Consent on the page of the service that the window shows, and wait until the page after it has left."""
    assert (window.title, name in window.text, email in window.text) == ("Allow access?", True, True)
    window.press_away("Allow", f"http://{HOST}:")


def confirm_sign_out(window: Window) -> None:
    """Confirm on the page of the service, and wait until the page after it has left."""
    assert window.title == "Sign out?"
    window.press_away("Sign out", f"http://{HOST}:")


def is_signed_in(window: Window, service: Service) -> bool:
    """Return whether the window has a session of the service."""
    return bool(window.page.context.request.get(f"{service.url}/api/v1/me/").status == 200)


def subject_of(service: Service, email: str) -> str:
    ((subject,),) = service.query(
        "SELECT i.subject_id FROM auth_core_identity i JOIN auth_accounts_user u ON u.id = i.user_id"
        f" WHERE u.email = '{email}'"
    )
    return str(subject)


@pytest.mark.parametrize("kind", ["django", "node"])
def test_the_applications_of_the_guide(
    kind: str, service: Service, email: str, here: Window, port: int, tmp_path: Path
) -> None:
    """With Authlib and Django, and with openid-client: login, consent, claims, logout."""
    guide = Guide(issuer=service.url, port=port)
    application = Application.register(service, guide.registration(f"sh register-{kind}"))
    run = django_site if kind == "django" else node_application
    trusted = {"REQUESTS_CA_BUNDLE": str(service.certificate), "NODE_EXTRA_CA_CERTS": str(service.certificate)}
    with run(
        guide, port=port, folder=tmp_path, client_id=application.id, client_secret=application.secret, **trusted
    ) as home:
        here.open(home)
        here.press("Sign in")
        sign_in_and_allow(here, email, "Shop")
        assert (here.title, f"You are {email}." in here.text) == ("Welcome", True)

        here.press("Sign out")
        confirm_sign_out(here)
        assert (here.title, here.page.url) == ("Shop", home)
        assert not is_signed_in(here, service)


def json_in(window: Window, address: str) -> dict[str, Any]:
    """Open a page of the Node site, and return what it shows."""
    window.open(address)
    shown: dict[str, Any] = json.loads(window.text)
    return shown


def add_app(window: Window) -> str:
    """Add an authenticator app. Return its key, whose current code is spent."""
    window.open("/account/second-factors/")
    window.press("Add an authenticator app")
    window.press("Continue")
    secret = window.page.locator("code").inner_text()
    window.fill(code=code_for(secret))
    window.press("Confirm")
    assert "was added" in window.text
    return secret


def test_openid_client_refreshes_steps_up_and_signs_out(
    service: Service, email: str, here: Window, port: int, tmp_path: Path
) -> None:
    home = f"http://{HOST}:{port}/"
    names = ["--name", "Node", "--redirect-uri", f"{home}callback", "--post-logout-redirect-uri", home]
    application = Application.register(service, ["create_application", *names])
    certificate = {"NODE_EXTRA_CA_CERTS": str(service.certificate)}
    with node_site(
        port=port,
        folder=tmp_path,
        issuer=service.url,
        client_id=application.id,
        CLIENT_SECRET=application.secret,
        **certificate,
    ):
        here.open(f"{home}login")
        sign_in_and_allow(here, email, "Node")
        login = json_in(here, home)["login"]
        assert (login["claims"]["iss"], login["claims"]["sub"]) == (service.url, subject_of(service, email))
        assert (login["claims"]["acr"], login["claims"]["amr"]) == ("aal1", ["pwd"])
        assert (login["userinfo"]["email"], login["userinfo"]["email_verified"]) == (email, True)

        refreshed = json_in(here, f"{home}refresh")
        assert (refreshed["userinfo"]["sub"], refreshed["isNew"]) == (login["claims"]["sub"], True)

        secret = add_app(here)
        here.open(f"{home}login?acr_values=aal2")
        assert here.title == "Confirm it's you"
        here.press("Continue")
        here.fill(password=PASSWORD)
        here.press("Continue")
        here.fill(code=code_for(secret, steps=1))
        here.press("Continue")
        allow(here, email, "Node")
        stepped_up = json_in(here, home)["login"]["claims"]
        assert (stepped_up["acr"], stepped_up["sid"]) == ("aal2", login["claims"]["sid"])

        here.open(f"{home}logout")
        confirm_sign_out(here)
        assert json.loads(here.text) == {"login": None}
        assert not is_signed_in(here, service)


def test_mod_auth_openidc_protects_a_page_and_hears_of_the_logout(
    service: Service, email: str, here: Window, port: int
) -> None:
    registration = addresses(port)
    names = [f"--{name.replace('_', '-')}={value}" for name, value in registration.items()]
    application = Application.register(service, ["create_application", "--name", "Apache", *names])
    hears_at = f"{registration['redirect_uri']}?logout=backchannel"
    application.hear_at(service, hears_at)
    with apache(
        port=port,
        issuer=service.url,
        certificate=service.certificate,
        client_id=application.id,
        client_secret=application.secret,
    ) as site:
        members = f"{site.home}/members/"
        here.open(members)
        sign_in_and_allow(here, email, "Apache")
        shown = {name: here.page.locator(f"#{name}").inner_text() for name in ("email", "sub", "iss", "acr")}
        assert shown == {"email": email, "sub": subject_of(service, email), "iss": service.url, "acr": "aal1"}

        here.open(f"{registration['redirect_uri']}?logout={quote(registration['post_logout_redirect_uri'])}")
        confirm_sign_out(here)
        assert (here.title, is_signed_in(here, service)) == ("Out", False)

        here.open(members)
        sign_in_and_allow(here, email, "Apache")
        assert here.title == "Members"
        here.open("/account/")
        here.press("Sign out")
        assert is_refused_soon(here, members)


def is_refused_soon(window: Window, page: str) -> bool:
    """Return whether *page* sends the window to the login of the service before half a minute has passed."""
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        window.open(page)
        if window.path == "/login/":
            return True
        time.sleep(0.1)
    return False


def test_openid_client_pushes_signs_and_proves_its_key(
    service: Service, email: str, here: Window, port: int, tmp_path: Path
) -> None:
    """Everything that the profile high requires. The service asks for a nonce first, and sends the next one with each answer."""
    home, key = f"http://{HOST}:{port}/", ClientKey(tmp_path)
    names = ["--name", "Node", "--redirect-uri", f"{home}callback", "--jwks-file", str(key.file), "--profile", "high"]
    made = json.loads(service.manage("create_application", *names, "--json"))
    own = {"KEY": key.private, "NODE_EXTRA_CA_CERTS": str(service.certificate)}
    with node_site(
        port=port, folder=tmp_path, issuer=service.url, client_id=made["client_id"], script="signing.mjs", **own
    ):
        here.open(f"{home}login")
        assert set(parse_qs(urlsplit(here.page.url).query)) == {"next"}
        sign_in_and_allow(here, email, "Node")
        shown = json_in(here, home)
        login = shown["login"]
        assert (login["claims"]["sub"], login["userinfo"]["email"]) == (subject_of(service, email), email)
        assert login["tokens"]["token_type"] == "dpop"
        assert ["/oauth/par", 400, True] in shown["seen"], "no nonce was asked for"
        assert ["/oauth/par", 201, True] in shown["seen"]
        assert ["/oauth/token", 200, True] in shown["seen"]
        assert ["/oauth/userinfo", 200, True] in shown["seen"]

        refreshed = json_in(here, f"{home}refresh")
        assert (refreshed["userinfo"]["email"], refreshed["isNew"], refreshed["type"]) == (email, True, "dpop")
