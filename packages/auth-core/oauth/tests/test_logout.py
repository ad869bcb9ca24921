"""Logout: by a client, by the end of a session, and through the back channel."""

import html
import re
from typing import Any

import pytest
from django.contrib.sessions.models import Session
from django.test import Client as Browser
from joserfc import jwt
from joserfc.jwk import KeySet

from auth_core.events import AuthEvent, Event, record
from auth_core.messages import outbox
from auth_core.models import OutboxMessage
from auth_core.oauth.keys.algorithms import Registry
from auth_core.oauth.logout import backchannel
from auth_core.oauth.models import ApplicationPolicy, Authorization
from auth_core.oauth.testing.factories import (
    Registered,
    exchange,
    make_application,
    make_code,
    refresh,
    session_facts,
    userinfo,
)
from auth_core.people.locking import disable_account
from auth_core.runtime.http_client import Answer, OutboundFailed, OutboundRefused
from auth_core.testing.factories import make_user
from people import answer_in, authorize, browser_of, encoded

pytestmark = pytest.mark.django_db

AFTER = "https://rp.example/signed-out"
BACK = "https://rp.example/backchannel"


@pytest.fixture
def rp(db: None) -> Registered:
    """An application of the operator that can be sent back to, and that hears of logouts."""
    return make_application(is_first_party=True, post_logout_redirect_uris=AFTER, backchannel_logout_uri=BACK)


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


def hint_of(browser: Browser, application: Registered) -> str:
    """Return an ID token of this browser's session."""
    token: str = exchange(application, answer_in(authorize(browser, application))["code"]).json()["id_token"]
    return token


def is_signed_in(browser: Browser) -> bool:
    """Return whether the browser still has its session."""
    return bool(browser.get("/account/").status_code == 200)


def logout(browser: Browser, **parameters: Any) -> Any:
    """Send the browser to the logout endpoint by GET."""
    return browser.get("/oauth/logout", parameters)


def confirmed(browser: Browser, response: Any) -> Any:
    """Press the button of the page that *response* leads to."""
    assert response.status_code == 303
    assert is_signed_in(browser)
    page = browser.get(response.headers["Location"])
    assert page.status_code == 200
    return browser.post(response.headers["Location"])


def leads_to(response: Any) -> str:
    """Return where the page that *response* holds goes by itself."""
    (address,) = re.findall(r'http-equiv="refresh" content="0;url=([^"]*)"', response.content.decode())
    return html.unescape(address)


def test_oidcc_rp_initiated_logout(rp: Registered, browser: Browser) -> None:
    """With the hint, the address and the state: the person confirms, the session ends, and they come back with the state."""
    hint = hint_of(browser, rp)

    response = confirmed(browser, logout(browser, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="s-1"))

    assert response.status_code == 200
    assert leads_to(response) == f"{AFTER}?state=s-1"
    assert not is_signed_in(browser)
    silent = authorize(browser, rp, prompt="none")
    assert answer_in(silent)["error"] == "login_required"


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification(client: Any, db: None) -> None:
    """The metadata has the end_session_endpoint."""
    metadata = client.get("/.well-known/openid-configuration").json()

    assert metadata["end_session_endpoint"] == "https://auth.example.org/oauth/logout"


def test_oidcc_backchannel_logout_discovery_endpoint_verification(client: Any, db: None) -> None:
    """The metadata says that back-channel logout is supported, with sessions."""
    metadata = client.get("/.well-known/openid-configuration").json()

    assert metadata["backchannel_logout_supported"] is True
    assert metadata["backchannel_logout_session_supported"] is True
    assert "frontchannel_logout_supported" not in metadata


def test_an_expired_hint_is_accepted(rp: Registered, browser: Browser, clock: Any) -> None:
    hint = hint_of(browser, rp)
    clock.forward(hours=2)

    response = confirmed(browser, logout(browser, id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert leads_to(response) == AFTER


@pytest.mark.parametrize("address", ["https://rp.example/other", "https://evil.example/", "javascript:alert(1)"])
def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(rp: Registered, browser: Browser, address: str) -> None:
    """An address that is not registered gets a page with an error, and no redirect."""
    response = logout(browser, id_token_hint=hint_of(browser, rp), post_logout_redirect_uri=address)

    assert response.status_code == 400
    assert is_signed_in(browser)


def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(rp: Registered, browser: Browser) -> None:
    """A registered address with a query added gets a page with an error."""
    response = logout(browser, id_token_hint=hint_of(browser, rp), post_logout_redirect_uri=f"{AFTER}?a=1")

    assert response.status_code == 400


def test_oidcc_rp_initiated_logout_modified_id_token_hint(rp: Registered, browser: Browser) -> None:
    """A hint with another signature gets a page with an error, and no redirect."""
    header, payload, signature = hint_of(browser, rp).split(".")
    changed = ".".join([header, payload, signature[:-4] + ("AAAA" if signature[-4:] != "AAAA" else "BBBB")])

    assert logout(browser, id_token_hint=changed, post_logout_redirect_uri=AFTER).status_code == 400
    assert is_signed_in(browser)


@pytest.mark.parametrize("hint", ["x", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_oidcc_rp_initiated_logout_bad_id_token_hint(rp: Registered, browser: Browser, hint: str) -> None:
    """A hint that is no token of this provider gets a page with an error."""
    assert logout(browser, id_token_hint=hint, post_logout_redirect_uri=AFTER).status_code == 400
    assert is_signed_in(browser)


def test_an_access_token_is_no_hint(rp: Registered, browser: Browser) -> None:
    token = exchange(rp, answer_in(authorize(browser, rp))["code"]).json()["access_token"]

    assert logout(browser, id_token_hint=token).status_code == 400


@pytest.mark.parametrize("parameters", [{}, {"state": "s-1"}, {"post_logout_redirect_uri": AFTER}])
def test_oidcc_rp_initiated_logout_without_a_hint(rp: Registered, browser: Browser, parameters: dict[str, str]) -> None:
    """Modules -no-params, -only-state and -no-id-token-hint: the person confirms, and is not redirected."""
    response = confirmed(browser, logout(browser, **parameters))

    assert response.headers["Location"] == "/logged-out/"
    assert not is_signed_in(browser)


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(rp: Registered, browser: Browser) -> None:
    """With a hint alone the person confirms, and a page says that they are signed out."""
    response = confirmed(browser, logout(browser, id_token_hint=hint_of(browser, rp)))

    assert response.headers["Location"] == "/logged-out/"
    assert not is_signed_in(browser)


def test_oidcc_rp_initiated_logout_no_state(rp: Registered, browser: Browser) -> None:
    """Without a state the person comes back without one."""
    response = confirmed(browser, logout(browser, id_token_hint=hint_of(browser, rp), post_logout_redirect_uri=AFTER))

    assert leads_to(response) == AFTER


def test_a_client_without_a_hint_is_sent_back_to_after_the_person_confirmed(rp: Registered, browser: Browser) -> None:
    response = confirmed(browser, logout(browser, client_id=rp.client_id, post_logout_redirect_uri=AFTER, state="s"))

    assert response.status_code == 200
    assert leads_to(response) == f"{AFTER}?state=s"


def test_a_hint_of_another_client_is_refused(rp: Registered, browser: Browser) -> None:
    assert (
        logout(browser, id_token_hint=hint_of(browser, rp), client_id=make_application().client_id).status_code == 400
    )
    assert logout(browser, client_id="unknown").status_code == 400


def by_link(browser: Browser, parameters: dict[str, str]) -> Any:
    """Send the browser to the logout endpoint by a link, and return the page."""
    return browser.get("/oauth/logout", parameters, follow=True)


def by_form_of_another_site(browser: Browser, parameters: dict[str, str]) -> Any:
    """Send the browser there by a form of another site. Such a POST brings no cookie."""
    stored = Browser(enforce_csrf_checks=True).post(
        "/oauth/logout", encoded(parameters), content_type="application/x-www-form-urlencoded"
    )
    assert stored.status_code == 303
    return browser.get(stored.headers["Location"])


def what_a_logout_changes() -> tuple[Any, ...]:
    """Return the sessions, what people gave, and the messages to applications."""
    return (
        list(Session.objects.order_by("pk").values_list()),
        list(Authorization.objects.order_by("pk").values_list()),
        OutboxMessage.objects.count(),
    )


@pytest.mark.parametrize("hint", ["of this session", "expired", "of another session", "of another person", "none"])
@pytest.mark.parametrize("way", [by_link, by_form_of_another_site])
def test_nothing_ends_before_the_person_confirms(
    rp: Registered, alice: Any, browser: Browser, clock: Any, way: Any, hint: str
) -> None:
    others = {"of another session": alice, "of another person": make_user("bob@example.org")}
    hinted = browser_of(others[hint]) if hint in others else browser
    parameters = {"post_logout_redirect_uri": AFTER, "state": "s 1", "ui_locales": "de"}
    parameters |= {"client_id": rp.client_id} if hint == "none" else {"id_token_hint": hint_of(hinted, rp)}
    authorize(browser, rp)
    if hint == "expired":
        clock.forward(hours=2)
    before = what_a_logout_changes()

    page = way(browser, parameters)

    assert page.status_code == 200
    assert '<html lang="de"' in page.content.decode()
    assert what_a_logout_changes() == before
    answer = browser.post(page.wsgi_request.path)
    assert leads_to(answer) == f"{AFTER}?state=s+1"
    assert '<html lang="de"' in answer.content.decode()
    assert not is_signed_in(browser)
    assert what_a_logout_changes() != before


@pytest.mark.parametrize("way", [by_link, by_form_of_another_site])
def test_a_browser_without_a_session_goes_on_at_once(rp: Registered, browser: Browser, way: Any) -> None:
    parameters = {"id_token_hint": hint_of(browser, rp), "post_logout_redirect_uri": AFTER, "state": "s-1"}
    stranger, before = Browser(), what_a_logout_changes()

    response = stranger.get("/oauth/logout", parameters) if way is by_link else way(stranger, parameters)

    assert response.status_code == 303
    assert response.headers["Location"] == f"{AFTER}?state=s-1"
    assert stranger.get("/oauth/logout", {**parameters, "post_logout_redirect_uri": f"{AFTER}/x"}).status_code == 400
    assert stranger.get("/oauth/logout", {**parameters, "id_token_hint": "x"}).status_code == 400
    assert what_a_logout_changes() == before
    assert is_signed_in(browser)


def test_no_link_ends_anything(rp: Registered, alice: Any, browser: Browser) -> None:
    """Links with every prompt."""
    tokens = exchange(rp, answer_in(authorize(browser, rp))["code"]).json()
    sent = OutboxMessage.objects.count()

    for prompt in ("login", "consent", "select_account", "login consent"):
        authorize(browser, rp, prompt=prompt)

    assert is_signed_in(browser)
    assert userinfo(tokens["access_token"]).status_code == 200
    assert OutboxMessage.objects.count() == sent


def test_the_confirmation_needs_the_csrf_token(rp: Registered, browser: Browser) -> None:
    address = logout(browser).headers["Location"]

    assert browser.post(address, HTTP_X_CSRFTOKEN="wrong").status_code == 403
    assert browser.post(address, HTTP_ORIGIN="https://rp.example").status_code == 403
    assert is_signed_in(browser)


def test_a_repeated_parameter_is_refused(browser: Browser) -> None:
    assert browser.get("/oauth/logout?state=a&state=a").status_code == 400


def test_a_logout_ends_what_the_session_gave(rp: Registered, browser: Browser) -> None:
    """Django's own sessions have no event of their end."""
    tokens = exchange(rp, answer_in(authorize(browser, rp))["code"]).json()
    offline = exchange(rp, answer_in(authorize(browser, rp, scope="openid offline_access"))["code"]).json()

    browser.post("/logout/")

    assert userinfo(tokens["access_token"]).status_code == 401
    assert refresh(rp, tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert refresh(rp, offline["refresh_token"]).status_code == 200


def test_a_new_password_tells_the_applications_of_other_sessions(rp: Registered, alice: Any) -> None:
    session = session_facts()
    make_code(rp, alice, session=session)
    other = make_application(backchannel_logout_uri=BACK)
    make_code(other, alice)

    record(Event(name=AuthEvent.PASSWORD_CHANGED, subject=alice, session=session.id))

    message = OutboxMessage.objects.get(channel="backchannel_logout")
    assert message.values == {"application": str(other.policy.pk)}


class Rp:
    """The back channel of an application: what it got, and what it answers."""

    def __init__(self) -> None:
        self.got: list[tuple[str, bytes]] = []
        self.answers: list[Any] = []

    def fetch(self, url: str, *, method: str, body: bytes, headers: Any) -> Answer:
        """Take one request."""
        assert method == "POST"
        assert headers["Content-Type"] == "application/x-www-form-urlencoded"
        self.got.append((url, body))
        answer = self.answers.pop(0) if self.answers else Answer(200, {}, b"")
        if isinstance(answer, Exception):
            raise answer
        return answer

    def claims(self, number: int) -> dict[str, Any]:
        """Return the claims of one logout token, verified as a client does it."""
        name, token = self.got[number][1].decode().split("=")
        assert name == "logout_token"
        keys = KeySet.import_key_set(Browser().get("/.well-known/jwks.json").json())
        read = jwt.decode(token, keys, registry=Registry(algorithms=["RS256"]))
        assert read.header["typ"] == "logout+jwt"
        claims: dict[str, Any] = read.claims
        return claims


@pytest.fixture
def far(monkeypatch: pytest.MonkeyPatch) -> Rp:
    """The back channel of the application."""
    end = Rp()
    monkeypatch.setattr(backchannel, "fetch", end.fetch)
    return end


def test_oidcc_backchannel_rp_initiated_logout(rp: Registered, browser: Browser, far: Rp, clock: Any) -> None:
    """After a logout the application gets a logout token: typ, iss, aud, iat, exp, jti, events, sub and sid, no nonce."""
    hint = hint_of(browser, rp)
    authorization = Authorization.objects.get()
    confirmed(browser, logout(browser, id_token_hint=hint))

    assert outbox.deliver_due() == 1

    claims = far.claims(0)
    assert far.got[0][0] == BACK
    assert claims["iss"] == "https://auth.example.org"
    assert claims["aud"] == rp.client_id
    assert claims["exp"] - claims["iat"] == 120
    assert claims["events"] == {"http://schemas.openid.net/event/backchannel-logout": {}}
    assert claims["sub"] == authorization.subject
    assert claims["sid"] == str(authorization.session_id)
    assert claims["jti"]
    assert "nonce" not in claims


def test_an_application_that_is_down_hears_later_with_a_new_token(
    rp: Registered, alice: Any, far: Rp, clock: Any
) -> None:
    session = session_facts()
    make_code(rp, alice, session=session)
    far.answers = [OutboundFailed("down"), Answer(503, {}, b""), Answer(302, {}, b""), Answer(204, {}, b"")]
    record(Event(name=AuthEvent.SESSION_ENDED, subject=alice, session=session.id))

    delivered = []
    for _attempt in range(4):
        delivered.append(outbox.deliver_due())
        clock.forward(minutes=20)

    assert delivered == [0, 0, 0, 1]
    tokens = [far.claims(number) for number in range(4)]
    assert len({claims["jti"] for claims in tokens}) == 4
    assert tokens[3]["iat"] - tokens[0]["iat"] == 3600
    assert OutboxMessage.objects.get().outcome == "delivered"
    assert OutboxMessage.objects.get().secret == ""


def test_an_application_that_stays_down_is_given_up(rp: Registered, alice: Any, far: Rp, clock: Any) -> None:
    session = session_facts()
    make_code(rp, alice, session=session)
    far.answers = [OutboundFailed("down")] * 50
    record(Event(name=AuthEvent.SESSION_ENDED, subject=alice, session=session.id))

    for _hour in range(30):
        outbox.deliver_due()
        clock.forward(hours=1)

    assert OutboxMessage.objects.get().outcome in ("dead", "expired")


def test_an_address_inside_the_network_is_not_called(rp: Registered, alice: Any, far: Rp) -> None:
    session = session_facts()
    make_code(rp, alice, session=session)
    far.answers = [OutboundRefused("The address is not public.")]
    record(Event(name=AuthEvent.SESSION_ENDED, subject=alice, session=session.id))

    assert outbox.deliver_due() == 0
    assert OutboxMessage.objects.get().outcome == "dead"


def test_a_disabled_application_hears_nothing(rp: Registered, alice: Any, far: Rp) -> None:
    session = session_facts()
    make_code(rp, alice, session=session)
    record(Event(name=AuthEvent.SESSION_ENDED, subject=alice, session=session.id))
    ApplicationPolicy.objects.update(is_active=False)

    assert outbox.deliver_due() == 0
    assert far.got == []


def test_an_application_without_an_address_gets_no_message(web: Registered, alice: Any) -> None:
    session = session_facts()
    make_code(web, alice, session=session)

    record(Event(name=AuthEvent.SESSION_ENDED, subject=alice, session=session.id))

    assert not OutboxMessage.objects.filter(channel="backchannel_logout").exists()


def test_two_codes_of_one_session_make_one_message(rp: Registered, alice: Any) -> None:
    session = session_facts()
    for _number in range(2):
        make_code(rp, alice, session=session)

    record(Event(name=AuthEvent.SESSION_ENDED, subject=alice, session=session.id))

    assert OutboxMessage.objects.filter(channel="backchannel_logout").count() == 1


def test_what_names_a_person_is_encrypted_in_the_outbox(rp: Registered, alice: Any) -> None:
    session = session_facts()
    make_code(rp, alice, session=session)
    record(Event(name=AuthEvent.SESSION_ENDED, subject=alice, session=session.id))

    message = OutboxMessage.objects.get(channel="backchannel_logout")
    assert set(message.values) == {"application"}
    assert str(session.id) not in message.secret


def test_a_disabled_person_is_signed_out_of_every_application(rp: Registered, alice: Any) -> None:
    make_code(rp, alice, scopes=("openid", "offline_access"))
    make_code(rp, alice)

    disable_account(user=alice)

    assert OutboxMessage.objects.filter(channel="backchannel_logout").count() == 2
