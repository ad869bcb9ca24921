"""The plan RP-initiated logout OP of the OpenID Foundation's conformance suite: each module by its name.

A person confirms each logout here. The suite allows it, because a person operates its browser.
"""

from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey
from relying_party import RelyingParty, metadata, parts_of, unsigned

from auth_core.oauth.testing.factories import make_application
from logouts import AFTER, confirmed, leads_to, logout
from people import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def rp(alice: Any) -> RelyingParty:
    """A client to which people come back after the logout, and a browser in which alice has signed in."""
    application = make_application(is_first_party=True, post_logout_redirect_uris=AFTER)
    return RelyingParty(application, alice, browser_of(alice), "query")


@pytest.fixture
def hint(rp: RelyingParty) -> str:
    """An ID token of this session."""
    return str(rp.flow().body["id_token"])


def test_oidcc_rp_initiated_logout_discovery_endpoint_verification() -> None:
    """The metadata has an end_session_endpoint, an https URL."""
    assert metadata()["end_session_endpoint"] == "https://auth.example.org/oauth/logout"


def test_oidcc_rp_initiated_logout(rp: RelyingParty, hint: str) -> None:
    """With hint, address and state: the person comes back with the state, and prompt=none then gets an error."""
    response = confirmed(
        rp.browser, logout(rp.browser, id_token_hint=hint, post_logout_redirect_uri=AFTER, state="s-1")
    )

    assert leads_to(response) == f"{AFTER}?state=s-1"
    rp.check_session_ended()


@pytest.mark.parametrize("address", ["https://rp.example/other", "https://evil.example/", "javascript:alert(1)"])
def test_oidcc_rp_initiated_logout_bad_post_logout_redirect_uri(rp: RelyingParty, hint: str, address: str) -> None:
    """An address that is not registered gets a page, and no way to it."""
    response = logout(rp.browser, id_token_hint=hint, post_logout_redirect_uri=address)

    rp.check_stays_here(response)
    assert address not in response.content.decode()


def test_oidcc_rp_initiated_logout_modified_id_token_hint(rp: RelyingParty, hint: str) -> None:
    """A hint that was changed to the algorithm ``none`` gets a page, and no way to the address."""
    rp.check_stays_here(logout(rp.browser, id_token_hint=unsigned(hint), post_logout_redirect_uri=AFTER, state="s-1"))


def test_oidcc_rp_initiated_logout_no_id_token_hint(rp: RelyingParty) -> None:
    """With an address and no hint the person is asked, and does not go to the address."""
    rp.check_signed_out(confirmed(rp.browser, logout(rp.browser, post_logout_redirect_uri=AFTER, state="s-1")))


def test_oidcc_rp_initiated_logout_no_params(rp: RelyingParty) -> None:
    """Without parameters the person is signed out, and a page says so."""
    rp.check_signed_out(confirmed(rp.browser, logout(rp.browser)))


def test_oidcc_rp_initiated_logout_no_post_logout_redirect_uri(rp: RelyingParty, hint: str) -> None:
    """With a hint and no address the person is signed out, and a page says so."""
    rp.check_signed_out(confirmed(rp.browser, logout(rp.browser, id_token_hint=hint, state="s-1")))


def test_oidcc_rp_initiated_logout_no_state(rp: RelyingParty, hint: str) -> None:
    """Without a state the person comes back without one, and prompt=none then gets an error."""
    response = confirmed(rp.browser, logout(rp.browser, id_token_hint=hint, post_logout_redirect_uri=AFTER))

    assert leads_to(response) == AFTER
    rp.check_session_ended()


def test_oidcc_rp_initiated_logout_only_state(rp: RelyingParty) -> None:
    """With a state alone the person is signed out, and a page says so."""
    rp.check_signed_out(confirmed(rp.browser, logout(rp.browser, state="s-1")))


def test_oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri(rp: RelyingParty, hint: str) -> None:
    """A registered address with a query added gets a page, and no way to it."""
    rp.check_stays_here(logout(rp.browser, id_token_hint=hint, post_logout_redirect_uri=f"{AFTER}?foo=bar"))


def test_oidcc_rp_initiated_logout_bad_id_token_hint(rp: RelyingParty, hint: str) -> None:
    """A hint that another key signed gets a page, and no way to the address."""
    header, claims = parts_of(hint)
    forged = jwt.encode(header, claims, RSAKey.generate_key(2048))

    rp.check_stays_here(logout(rp.browser, id_token_hint=forged, post_logout_redirect_uri=AFTER, state="s-1"))
