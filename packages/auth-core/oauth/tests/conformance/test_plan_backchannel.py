"""The plan Back-channel logout OP of the OpenID Foundation's conformance suite: each module by its name."""

from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone
from joserfc import jwt
from joserfc.jwk import KeySet
from relying_party import RelyingParty, metadata
from test_plan_config import check_endpoints

from auth_core.messages import outbox
from auth_core.oauth.keys.algorithms import Registry
from auth_core.oauth.logout import backchannel
from auth_core.oauth.testing.factories import make_application
from auth_core.runtime.http_client import Answer
from logouts import AFTER, BACK, confirmed, leads_to, logout
from people import browser_of

pytestmark = pytest.mark.django_db

EVENT = "http://schemas.openid.net/event/backchannel-logout"


@pytest.fixture
def rp(alice: Any) -> RelyingParty:
    """A client that hears of logouts, and a browser in which alice has signed in."""
    columns = {"post_logout_redirect_uris": AFTER, "backchannel_logout_uri": BACK}
    return RelyingParty(make_application(is_first_party=True, **columns), alice, browser_of(alice), "query")


@pytest.fixture
def posted(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bytes, dict[str, str]]]:
    """What reaches the client through its back channel: address, body and headers."""
    requests: list[tuple[str, bytes, dict[str, str]]] = []

    def fetch(url: str, *, method: str, body: bytes, headers: dict[str, str]) -> Answer:
        assert method == "POST"
        requests.append((url, body, headers))
        return Answer(200, {}, b"")

    monkeypatch.setattr(backchannel, "fetch", fetch)
    return requests


def test_oidcc_backchannel_logout_discovery_endpoint_verification() -> None:
    """The metadata says that back-channel logout is supported, with sessions, and has an end_session_endpoint."""
    document = metadata()

    assert document["backchannel_logout_supported"] is True
    assert document["backchannel_logout_session_supported"] is True
    assert document["end_session_endpoint"]
    check_endpoints(document)


@pytest.mark.asvs("7.6.1")
def test_oidcc_backchannel_rp_initiated_logout(
    rp: RelyingParty, posted: list[tuple[str, bytes, dict[str, str]]]
) -> None:
    """A logout posts one logout token about this person and session to the client. The person comes back with the state, and
    prompt=none then gets an error.
    """
    id_token = rp.flow()
    hint = {"id_token_hint": id_token.body["id_token"], "post_logout_redirect_uri": AFTER, "state": "s-1"}

    response = confirmed(rp.browser, logout(rp.browser, **hint))
    assert outbox.deliver_due() == 1

    ((address, body, headers),) = posted
    name, _equals, text = body.decode().partition("=")
    assert (address, name) == (BACK, "logout_token")
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    keys = KeySet.import_key_set(Browser().get("/.well-known/jwks.json").json())
    token = jwt.decode(text, keys, registry=Registry(algorithms=["RS256"]))
    now = timezone.now().timestamp()
    assert token.header["typ"] == "logout+jwt"
    assert token.claims["iss"] == metadata()["issuer"]
    assert token.claims["aud"] == rp.application.client_id
    assert now - 60 < token.claims["iat"] <= now
    assert 0 < token.claims["exp"] - token.claims["iat"] <= 120
    assert token.claims["jti"]
    assert token.claims["events"] == {EVENT: {}}
    assert token.claims["sub"] == id_token.claims["sub"]
    assert token.claims["sid"] == id_token.claims["sid"]
    assert "nonce" not in token.claims
    assert leads_to(response) == f"{AFTER}?state=s-1"
    rp.check_session_ended()
