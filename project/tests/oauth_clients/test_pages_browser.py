"""What Chromium does between an application and the pages of the service: forms and links of other sites, and the way back."""

from typing import Any
from urllib.parse import urlencode

import pytest
from playwright.sync_api import Request

from auth_core.testing.factories import PASSWORD
from live.chromium import Window, log_in_at
from live.service import Service
from oauth_clients.callback import ON_DEVICE, SCHEME, Applications, Callback
from oauth_clients.callers import Application, caller

pytestmark = [pytest.mark.postgresql, pytest.mark.live, pytest.mark.shots]


def go(window: Window, site: Callback) -> None:
    """Open the site, and press its only button or follow its only link. Wait for the page that is there in the end."""
    window.open(f"{site.home}/")
    window.page.get_by_text("Go", exact=True).click()
    window.page.wait_for_url(lambda url: not url.startswith(f"{site.home}/") or "/callback" in url)
    window.page.wait_for_load_state()


def test_a_form_of_another_site_gets_a_code_without_a_page(
    service: Service, email: str, applications: Applications, site: Callback, here: Window
) -> None:
    """No cookie comes with the form. They come with the page that it leads to."""
    application = applications.operators
    log_in_at(here, email)
    posted: list[Request] = []
    here.page.on("request", lambda request: posted.append(request) if request.method == "POST" else None)

    site.show_form(f"{service.url}/oauth/authorize", application.asked(prompt="none", redirect_uri=site.uri))
    go(here, site)

    (form,) = posted
    assert form.all_headers()["sec-fetch-site"] == "cross-site"
    assert "cookie" not in form.all_headers()
    (arrived,) = site.arrived
    assert set(arrived) == {"code", "state", "iss"}
    got = application.exchange(caller(service), arrived["code"], redirect_uri=site.uri)
    assert (got.status_code, "id_token" in got.json()) == (200, True)


def arrivals(window: Window) -> list[str]:
    """Return a list that gets each address of the scheme that a redirect leads to."""
    arrived: list[str] = []
    window.page.on("request", lambda request: arrived.append(request.url) if request.url.startswith(SCHEME) else None)
    return arrived


def press_and_wait(window: Window, label: str, arrived: list[str]) -> None:
    """Press the last button before the application."""
    window.page.get_by_role("button", name=label, exact=True).click()
    for _time in range(100):
        if arrived:
            return
        window.page.wait_for_timeout(100)


@pytest.mark.parametrize("last", ["Sign in", "Allow", "Cancel"])
def test_a_callback_may_lead_on_to_an_application_on_the_device(
    last: str, service: Service, email: str, applications: Applications, site: Callback, here: Window
) -> None:
    """Chromium compares each address of a chain of redirects after a form with the policy of the page that had the form."""
    application = applications.operators if last == "Sign in" else applications.others
    site.onward = f"{ON_DEVICE}?from=callback"
    arrived = arrivals(here)
    here.open(f"/oauth/authorize?{urlencode(application.asked(redirect_uri=site.uri))}")
    here.fill(identifier=email, password=PASSWORD)
    if last != "Sign in":
        here.press("Sign in")

    press_and_wait(here, last, arrived)

    assert arrived == [site.onward]
    (answer,) = site.arrived
    assert answer.get("error", "code") == ("access_denied" if last == "Cancel" else "code")


def test_a_redirect_address_of_the_device_gets_the_code(
    service: Service, email: str, applications: Applications, here: Window, site: Callback
) -> None:
    application = applications.on_device
    arrived = arrivals(here)
    log_in_at(here, email)
    here.open(f"/oauth/authorize?{urlencode(application.asked(redirect_uri=ON_DEVICE))}")

    press_and_wait(here, "Allow", arrived)

    (address,) = arrived
    assert address.startswith(f"{ON_DEVICE}?code=")


# --- Links of other sites --------------------------------------------------------

#: What a link must leave as it is. A visit is noted in the session, and a lookup in the trail, so they are not in it.
STATE = {
    "sessions": "SELECT id, evidence, authenticated_at, expires_at, ended_at FROM auth_sessions_session",
    "authorizations": "SELECT id, session_id, scope, code_spent_at, expires_at, ended_at FROM auth_oauth_authorization",
    "refresh tokens": "SELECT id, used_at, expires_at FROM auth_oauth_refreshtoken",
    "consents": "SELECT id, scope, given_at, revoked_at FROM auth_oauth_consent",
    "logouts": "SELECT id FROM auth_core_outboxmessage WHERE channel = 'backchannel_logout'",
}


def state_of(service: Service) -> dict[str, list[tuple[Any, ...]]]:
    return {name: sorted(service.query(sql), key=str) for name, sql in STATE.items()}


@pytest.fixture
def signed_in(
    service: Service, email: str, applications: Applications, site: Callback, here: Window
) -> tuple[Application, str]:
    """An application that a person has signed in to, and hears of logouts. Return it with its ID token."""
    application = applications.operators
    application.hear_at(service, "http://127.0.0.1:9/logout")
    log_in_at(here, email)
    here.open(f"/oauth/authorize?{urlencode(application.asked(redirect_uri=site.uri))}")
    assert site.arrived, here.page.content()
    answer = application.exchange(caller(service), site.arrived.pop()["code"], redirect_uri=site.uri)
    return application, answer.json()["id_token"]


@pytest.mark.parametrize("prompt", ["", "none", "login", "consent", "select_account"])
def test_a_link_to_authorize_changes_nothing_until_the_person_acts(
    prompt: str,
    service: Service,
    signed_in: tuple[Application, str],
    applications: Applications,
    site: Callback,
    here: Window,
) -> None:
    other = applications.others
    before = state_of(service)
    site.show_link(f"{service.url}/oauth/authorize?{urlencode(other.asked(redirect_uri=site.uri, prompt=prompt))}")
    go(here, site)

    assert state_of(service) == before
    if prompt == "none":
        assert [answer["error"] for answer in site.arrived] == ["consent_required"]
        return
    assert here.title == ("Confirm it's you" if prompt == "login" else "Allow access?")
    if prompt == "login":
        here.press("Continue")
        here.fill(password=PASSWORD)
        here.press("Continue")
    here.press_away("Allow", site.home)
    assert [set(answer) for answer in site.arrived] == [{"code", "state", "iss"}]
    assert len(state_of(service)["authorizations"]) == len(before["authorizations"]) + 1


@pytest.mark.parametrize("with_hint", [True, False], ids=["with hint", "without hint"])
def test_a_link_to_logout_changes_nothing_until_the_person_acts(
    with_hint: bool,
    service: Service,
    signed_in: tuple[Application, str],
    applications: Applications,
    site: Callback,
    here: Window,
) -> None:
    application, id_token = signed_in
    named = {"id_token_hint": id_token} if with_hint else {"client_id": application.id}
    before = state_of(service)
    site.show_link(f"{service.url}/oauth/logout?{urlencode({**named, 'post_logout_redirect_uri': site.home})}")
    go(here, site)

    assert (here.title, state_of(service)) == ("Sign out?", before)
    here.press_away("Sign out", site.home)
    after = state_of(service)
    assert len(after["logouts"]) == len(before["logouts"]) + 1
    assert ended(after["sessions"]) == ended(before["sessions"]) + 1
    assert ended(after["authorizations"]) == ended(before["authorizations"]) + 1


def ended(rows: list[tuple[Any, ...]]) -> int:
    """Count rows with a time in the last column."""
    return sum(row[-1] is not None for row in rows)
