"""The plan Dynamic OP of the OpenID Foundation's conformance suite, beyond Basic OP: each module by its name.

Every client here registers itself at the address that discovery names. The suite registers without an initial access token if the
service allows it. This one never does, so each client has one, as the suite can be configured.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Browser
from dynamic_party import SECTOR, DynamicParty, registration_error
from joserfc import jwt
from joserfc.jwk import KeySet
from relying_party import RelyingParty, metadata, parts_of

from auth_core.oauth.conf import oauth
from auth_core.oauth.keys import rotation
from auth_core.oauth.keys.algorithms import Registry
from auth_core.oauth.keys.key_set import forget_keys
from auth_core.oauth.proofs.client_keys import forget_fetched_keys
from auth_core.oauth.testing.factories import REDIRECT_URI, userinfo
from auth_core.oauth.testing.proofs import KeyHolder
from auth_core.oauth_resource.keys import documents
from people import follow, log_in
from registrations import Web

pytestmark = pytest.mark.django_db

JWKS = "/.well-known/jwks.json"


@pytest.fixture
def party(alice: Any, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[DynamicParty]:
    """A client that is not registered yet, at a service that lets clients register themselves."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DYNAMIC_REGISTRATION": True}
    web = Web()
    monkeypatch.setattr(documents, "fetch", web.fetch)
    forget_fetched_keys()
    yield DynamicParty(alice, web)
    forget_fetched_keys()


@pytest.fixture
def stored_keys(settings: Any) -> Iterator[None]:
    """Signing keys in the database, which the operator can rotate."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SIGNING_KEYS": "", "SIGNING_ALGORITHMS": ("ES256", "RS256")}
    forget_keys()
    rotation.make_first_keys()
    yield
    forget_keys()


def tokens_of(rp: RelyingParty, **changes: Any) -> Any:
    """Run a flow in which the person signs in and consents."""
    return rp.tokens(rp.signed_in(rp.ask(**changes)))


def consent_page(rp: RelyingParty) -> Any:
    """Return the page that a person sees after the login."""
    return follow(rp.browser, log_in(rp.browser, rp.ask(), rp.person))


def check_error_page(response: Any) -> None:
    """Check that *response* is a page with an error, and that nothing goes to the client."""
    assert response.status_code == 400
    assert "Location" not in response.headers
    assert "rp.example" not in response.content.decode()


def test_oidcc_idtoken_rs256(party: DynamicParty) -> None:
    """A client that registers id_token_signed_response_alg RS256 gets an ID token signed with it."""
    rp = party.register(id_token_signed_response_alg="RS256")

    assert parts_of(tokens_of(rp).body["id_token"])[0]["alg"] == "RS256"


def test_oidcc_userinfo_rs256(party: DynamicParty) -> None:
    """A client that registers userinfo_signed_response_alg RS256 gets userinfo as a token signed with it."""
    rp = party.register(userinfo_signed_response_alg="RS256")
    body = rp.exchange(rp.code(rp.signed_in(rp.ask(scope="openid email")))).json()

    answer = userinfo(body["access_token"])

    assert answer.headers["Content-Type"] == "application/jwt"
    keys = KeySet.import_key_set(Browser().get(JWKS).json())
    claims = jwt.decode(answer.content.decode(), keys, registry=Registry(algorithms=["RS256"])).claims
    assert (claims["iss"], claims["aud"]) == (metadata()["issuer"], rp.application.client_id)
    assert claims["sub"] == parts_of(body["id_token"])[1]["sub"]
    assert claims["email"] == "alice@example.org"
    assert "RS256" in metadata()["userinfo_signing_alg_values_supported"]


def test_oidcc_ensure_redirect_uri_in_authorization_request(party: DynamicParty) -> None:
    """A request without redirect_uri gets a page with an error."""
    rp = party.register()

    check_error_page(rp.ask(redirect_uri=None))


def test_oidcc_redirect_uri_query_OK(party: DynamicParty) -> None:  # noqa: N802 - the name of the module
    """A registered address with a query keeps its query in the answer."""
    rp = party.register(redirect_uris=[f"{REDIRECT_URI}?foo=bar"])

    assert tokens_of(rp).body["id_token"]


def test_oidcc_redirect_uri_query_mismatch(party: DynamicParty) -> None:
    """An address with another query than the registered one gets a page with an error."""
    rp = party.register(redirect_uris=[f"{REDIRECT_URI}?foo=bar"])

    check_error_page(rp.ask(redirect_uri=f"{REDIRECT_URI}?foo=baz"))


def test_oidcc_redirect_uri_query_added(party: DynamicParty) -> None:
    """A registered address to which the request adds a query gets a page with an error."""
    rp = party.register()

    check_error_page(rp.ask(redirect_uri=f"{REDIRECT_URI}?foo=bar"))


def test_oidcc_redirect_uri_regfrag(party: DynamicParty) -> None:
    """An address with a fragment is not registered."""
    assert registration_error(party.send(redirect_uris=[f"{REDIRECT_URI}#foobar"])) == "invalid_redirect_uri"


def test_oidcc_registration_logo_uri(party: DynamicParty) -> None:
    """The logo of the client is shown to the person, and the policy of the page allows it."""
    rp = party.register(logo_uri="https://rp.example/logo.png")

    page = consent_page(rp)

    assert '<img src="https://rp.example/logo.png"' in page.content.decode()
    assert "img-src 'self' data: https://rp.example;" in page.headers["Content-Security-Policy"]


def test_oidcc_registration_policy_uri(party: DynamicParty) -> None:
    """The privacy policy of the client is linked for the person."""
    rp = party.register(policy_uri="https://rp.example/policy")

    assert '<a href="https://rp.example/policy"' in consent_page(rp).content.decode()


def test_oidcc_registration_tos_uri(party: DynamicParty) -> None:
    """The terms of service of the client are linked for the person."""
    rp = party.register(tos_uri="https://rp.example/terms")

    assert '<a href="https://rp.example/terms"' in consent_page(rp).content.decode()


def test_oidcc_registration_jwks_uri(party: DynamicParty) -> None:
    """A client authenticates with a key that the service fetches from its jwks_uri."""
    rp = party.register_with_key()

    assert tokens_of(rp).body["id_token"]
    assert party.web.requests


def test_oidcc_registration_sector_uri(party: DynamicParty) -> None:
    """A client whose sector lists its redirect addresses is registered, and works."""
    party.web.documents[SECTOR] = [REDIRECT_URI, "https://rp.example/other"]
    rp = party.register(sector_identifier_uri=SECTOR)

    assert tokens_of(rp).body["id_token"]
    assert party.web.requests == [SECTOR]


def test_oidcc_registration_sector_bad(party: DynamicParty) -> None:
    """A client whose sector does not list its redirect address is not registered."""
    party.web.documents[SECTOR] = ["https://rp.example/other"]

    assert registration_error(party.send(sector_identifier_uri=SECTOR)) == "invalid_client_metadata"


def test_oidcc_server_rotate_keys(party: DynamicParty, stored_keys: None, clock: Any) -> None:
    """After the operator rotated the keys, the key set has another one, and ID tokens are signed with it."""
    rp = party.register()
    first = parts_of(tokens_of(rp).body["id_token"])[0]["kid"]
    before = {key["kid"] for key in Browser().get(JWKS).json()["keys"]}

    rotation.rotate_now()
    clock.forward(seconds=2 * oauth.JWKS_LIFETIME.total_seconds() + 1)
    forget_keys()

    after = {key["kid"] for key in Browser().get(JWKS).json()["keys"]}
    rp.browser = Browser()
    second = parts_of(tokens_of(rp).body["id_token"])[0]["kid"]
    assert (first in before, second in after - before) == (True, True)


def test_oidcc_refresh_token_rp_key_rotation(party: DynamicParty) -> None:
    """A client that published a new key refreshes with it, and no more with the one before."""
    rp = party.register_with_key(grant_types=["authorization_code", "refresh_token"])
    token = tokens_of(rp).body["refresh_token"]
    former, new = party.holder, KeyHolder("RS256")
    rp.application.holder = party.holder = new  # type: ignore[attr-defined]  # it signs
    party.publish_keys()

    assert rp.refresh(token).status_code == 200
    rp.application.holder = former  # type: ignore[attr-defined]  # it signs
    assert rp.refresh(token).json()["error"] == "invalid_client"


def test_oidcc_request_uri_unsigned(party: DynamicParty) -> None:
    """A request object without a signature is fetched from request_uri."""
    rp = party.register(unread={"request_uris": ["https://rp.example/request"]})

    assert rp.code(rp.signed_in(rp.ask(request_uri="https://rp.example/request")))


def test_oidcc_request_uri_signed_rs256(party: DynamicParty) -> None:
    """A request object that is signed with RS256 is fetched from request_uri."""
    signed = {"request_uris": ["https://rp.example/request"], "request_object_signing_alg": "RS256"}
    rp = party.register(unread=signed)

    assert rp.code(rp.signed_in(rp.ask(request_uri="https://rp.example/request")))


def test_oidcc_ensure_client_assertion_with_iss_aud_succeeds(party: DynamicParty) -> None:
    """An assertion whose audience is the issuer authenticates the client."""
    rp = party.register_with_key()
    (assertion,) = [value for name, value in rp.application.credentials().items() if name == "client_assertion"]

    assert parts_of(assertion)[1]["aud"] == metadata()["issuer"]
    assert tokens_of(rp).body["id_token"]
