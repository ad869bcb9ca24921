"""Applications that authenticate with a private key (RFC 7523, private_key_jwt)."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from auth_core.events import Event
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import SpentProof
from auth_core.oauth.proofs import client_keys
from auth_core.oauth.testing.factories import Registered, exchange, introspect, make_application, make_code, post_form
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication, make_signing_application
from auth_core.oauth_resource.keys import documents, key_cache
from auth_core.runtime.http_client import Answer, OutboundFailed, OutboundRefused

pytestmark = pytest.mark.django_db

ISSUER = "https://auth.example.org"
KEYS = "https://rp.example/keys"


@pytest.fixture
def signing(db: None) -> SigningApplication:
    """An application with a key, which acts for itself."""
    return make_signing_application(grant="client-credentials")


def ask(application: SigningApplication, assertion: str, **parameters: Any) -> Any:
    """Ask for a token with *assertion*."""
    credentials = {**application.credentials(), "client_assertion": assertion}
    return post_form("/oauth/token", {"grant_type": "client_credentials", **credentials, **parameters})


def is_refused(answer: Any) -> bool:
    return (answer.status_code, answer.json()["error"]) == (401, "invalid_client")


@pytest.mark.asvs("10.4.16")
@pytest.mark.parametrize("algorithm", ["ES256", "PS256", "EdDSA", "RS256"])
def test_an_application_authenticates_with_its_key(algorithm: str) -> None:
    application = make_signing_application(grant="client-credentials", holder=KeyHolder(algorithm))

    body = application.post("/oauth/token", grant_type="client_credentials").json()

    assert introspect(application, body["access_token"])["active"]
    assert application.post("/oauth/revoke", token=body["access_token"]).status_code == 200


def test_the_client_id_may_be_left_out_and_must_agree(signing: SigningApplication) -> None:
    assert ask(signing, signing.assertion()).status_code == 200
    assert ask(signing, signing.assertion(), client_id=signing.client_id).status_code == 200
    assert is_refused(ask(signing, signing.assertion(), client_id=make_application().client_id))


#: Assertions that are refused, each with what is wrong.
WRONG: dict[str, dict[str, Any]] = {
    "the audience of another service": {"aud": "https://other.example"},
    "a list as audience": {"aud": [ISSUER]},
    "a list of two audiences": {"aud": [ISSUER, "https://other.example"]},
    "the pushed request endpoint as audience": {"aud": f"{ISSUER}/oauth/par"},
    "the issuer with a slash as audience": {"aud": f"{ISSUER}/"},
    "no audience": {"aud": None},
    "another issuer": {"iss": "another"},
    "no issuer": {"iss": None},
    "another subject": {"sub": "another"},
    "no subject": {"sub": None},
    "no id": {"jti": None},
    "an empty id": {"jti": ""},
    "a number as id": {"jti": 7},
    "no end": {"exp": None},
    "an end that has passed": {"exp": 1_000_000_000},
    "an end in a year": {"exp": 4_000_000_000},
    "an end in words": {"exp": "4000000000"},
    "made in the future": {"iat": 4_000_000_000},
    "valid in the future": {"nbf": 4_000_000_000},
    "valid from a word": {"nbf": "now"},
}


@pytest.mark.parametrize("why", WRONG)
def test_a_wrong_assertion_is_an_unknown_client(why: str, signing: SigningApplication) -> None:
    assert is_refused(ask(signing, signing.assertion(**WRONG[why]), client_id=signing.client_id)), why
    assert not SpentProof.objects.exists()


@pytest.mark.parametrize(
    "header", [{"typ": "at+jwt"}, {"typ": "dpop+jwt"}, {"kid": "another"}, {"crit": ["exp"]}, {"alg": "RS256"}]
)
def test_a_wrong_header_is_an_unknown_client(header: dict[str, Any], signing: SigningApplication) -> None:
    if header == {"alg": "RS256"}:
        signing.holder = KeyHolder("RS256")
    assert is_refused(ask(signing, signing.assertion(header=header)))


@pytest.mark.parametrize("text", ["x", "a.b.c", "", "é.é.é", "x" * 9000, "e30.e30.e30"])
def test_what_is_no_assertion_is_an_unknown_client(text: str, signing: SigningApplication) -> None:
    assert is_refused(ask(signing, text))


def test_an_assertion_signed_by_another_key_is_refused(signing: SigningApplication) -> None:
    thief = SigningApplication(row=signing.row, secret="", holder=KeyHolder())

    assert is_refused(ask(signing, thief.assertion(header={"kid": signing.holder.thumbprint})))


def test_an_assertion_of_another_application_is_refused(signing: SigningApplication) -> None:
    other = make_signing_application(grant="client-credentials")

    assert is_refused(ask(signing, other.assertion(iss=signing.client_id, sub=signing.client_id)))


def test_another_type_of_assertion_is_refused(signing: SigningApplication) -> None:
    saml = "urn:ietf:params:oauth:client-assertion-type:saml2-bearer"
    for type_ in (saml, ""):
        assert is_refused(ask(signing, signing.assertion(), client_assertion_type=type_))


@pytest.mark.parametrize("audience", [ISSUER, f"{ISSUER}/oauth/token"])
def test_the_issuer_and_the_token_endpoint_are_audiences(audience: str, signing: SigningApplication) -> None:
    assert ask(signing, signing.assertion(aud=audience)).status_code == 200


@pytest.mark.parametrize("ahead", [8, 29])
def test_the_clock_of_a_client_may_be_a_little_ahead(ahead: int, signing: SigningApplication, clock: Any) -> None:
    claims = signing.assertion(nbf=_now() + ahead, iat=_now() + ahead)

    assert ask(signing, claims).status_code == 200


def _now() -> int:
    return int(timezone.now().timestamp())


def test_an_assertion_may_be_valid_for_ten_minutes(signing: SigningApplication, clock: Any) -> None:
    assert ask(signing, signing.assertion(exp=_now() + 600)).status_code == 200
    assert is_refused(ask(signing, signing.assertion(exp=_now() + 640)))


def test_an_assertion_works_once_at_each_endpoint(signing: SigningApplication) -> None:
    token = ask(signing, signing.assertion()).json()["access_token"]
    for path in ("/oauth/token", "/oauth/introspect", "/oauth/revoke", "/oauth/par"):
        body = {**signing.credentials(), "token": token, "grant_type": "client_credentials"}

        first, second = (post_form(path, body) for _use in range(2))

        assert first.status_code in (200, 400), first.content
        assert is_refused(second), path


def test_a_replay_is_recorded_and_charged_to_the_network(signing: SigningApplication, events: list[Event]) -> None:
    body = {**signing.credentials(), "token": "x"}
    post_form("/oauth/introspect", body)

    post_form("/oauth/introspect", body)

    assert (events[-1].name, events[-1].reason) == (OAuthEvent.CLIENT_FAILED, "replayed")
    assert events[-1].data == {"method": "private_key_jwt"}


def test_the_same_id_of_another_application_is_another_assertion(signing: SigningApplication) -> None:
    other = make_signing_application(grant="client-credentials")

    for application in (signing, other):
        assert ask(application, application.assertion(jti="one")).status_code == 200


def test_a_code_of_another_application_spends_no_assertion(alice: Any) -> None:
    own, other = make_signing_application(), make_application()
    credentials = own.credentials()

    def redeem(code: str) -> Any:
        return exchange(Registered(row=own.row, secret=""), code, **credentials)

    assert redeem(make_code(other, alice)).json()["error"] == "invalid_grant"
    assert redeem(make_code(own, alice)).status_code == 200
    assert is_refused(redeem(make_code(own, alice)))


def test_two_authentications_are_refused(signing: SigningApplication) -> None:
    both = ask(signing, signing.assertion(), client_secret="x" * 48)

    assert (both.status_code, both.json()["error"]) == (400, "invalid_request")


def test_each_application_authenticates_in_its_own_way(signing: SigningApplication, web: Registered) -> None:
    with_secret = make_application(grant="client-credentials")
    forged = SigningApplication(row=with_secret.row, secret="")

    assert is_refused(ask(forged, forged.assertion()))
    assert is_refused(post_form("/oauth/token", {"grant_type": "client_credentials", "client_id": signing.client_id}))


def test_keys_that_verify_nothing_are_left_out() -> None:
    holder = KeyHolder()
    own = json.loads(holder.jwks)["keys"][0]
    others = [
        None, "x", {}, {"kty": "oct", "k": "AAAA", "kid": own["kid"]}, {**own, "use": "enc"}, {**own, "alg": "PS256"},
        holder.key.as_dict(private=True), {"kty": "EC", "crv": "P-384", "x": "AA", "y": "AA"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
    ]  # fmt: skip
    for keys in ({"keys": others}, {"keys": 1}, [], "x"):
        application = make_signing_application(grant="client-credentials", holder=holder, jwks=json.dumps(keys))
        assert is_refused(ask(application, application.assertion()))
    application = make_signing_application(
        grant="client-credentials", holder=holder, jwks=json.dumps({"keys": [*others, own]})
    )
    assert ask(application, application.assertion()).status_code == 200
    assert ask(application, application.assertion(header={"kid": None})).status_code == 200


class Site:
    """The site of an application, which publishes its keys.

    Args:
        body: What it answers.
    """

    def __init__(self, body: str) -> None:
        self.body, self.status, self.problem, self.count = body, 200, None, 0

    def fetch(self, url: str, **options: Any) -> Answer:
        """Answer as the HTTP client does."""
        assert url == KEYS
        self.count += 1
        if self.problem is not None:
            raise self.problem
        return Answer(self.status, {}, self.body.encode())


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    """The site, with the key of `remote`."""
    made = Site("{}")
    monkeypatch.setattr(documents, "fetch", made.fetch)
    client_keys.forget_fetched_keys()
    yield made
    client_keys.forget_fetched_keys()


@pytest.fixture
def remote(site: Site, db: None) -> SigningApplication:
    """An application whose keys are at an address."""
    application = make_signing_application(grant="client-credentials", jwks="", jwks_uri=KEYS)
    site.body = application.holder.jwks
    return application


@pytest.fixture
def seconds(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A clock of the cache that a test moves."""

    class Clock:
        now = 1000.0

        def __call__(self) -> float:
            return self.now

    clock = Clock()
    monkeypatch.setattr(key_cache, "monotonic", clock)
    return clock


def test_keys_are_fetched_once_an_hour(remote: SigningApplication, site: Site, seconds: Any) -> None:
    for _request in range(3):
        assert ask(remote, remote.assertion()).status_code == 200
    assert site.count == 1

    seconds.now += timedelta(hours=1).total_seconds()
    assert ask(remote, remote.assertion()).status_code == 200
    assert site.count == 2


def test_a_rotated_key_is_fetched_at_once_and_then_no_more_for_a_minute(
    remote: SigningApplication, site: Site, seconds: Any
) -> None:
    ask(remote, remote.assertion())
    remote.holder = KeyHolder()
    site.body = remote.holder.jwks

    assert ask(remote, remote.assertion()).status_code == 200
    for _guess in range(5):
        assert is_refused(ask(remote, remote.assertion(header={"kid": "unknown"})))
    assert site.count == 2

    seconds.now += 60
    assert is_refused(ask(remote, remote.assertion(header={"kid": "unknown"})))
    assert site.count == 3


@pytest.mark.parametrize("problem", [OutboundFailed("x"), OutboundRefused("x"), 500, 302])
def test_a_site_that_does_not_answer_is_no_wrong_client(
    problem: Any, remote: SigningApplication, site: Site, seconds: Any
) -> None:
    if isinstance(problem, int):
        site.status = problem
    else:
        site.problem = problem

    answers = [ask(remote, remote.assertion()) for _request in range(3)]

    assert {answer.status_code for answer in answers} == {503}
    assert "Retry-After" in answers[0].headers
    assert site.count == 1, "a failure waits for a minute"
    site.problem, site.status = None, 200
    seconds.now += 60
    assert ask(remote, remote.assertion()).status_code == 200


def test_keys_stay_in_use_while_a_site_is_down_until_their_hour_is_over(
    remote: SigningApplication, site: Site, seconds: Any
) -> None:
    assert ask(remote, remote.assertion()).status_code == 200
    site.problem = OutboundFailed("x")

    seconds.now += 3599
    assert ask(remote, remote.assertion()).status_code == 200
    seconds.now += 1
    assert ask(remote, remote.assertion()).status_code == 503
