"""Tokens that the issuer is asked about."""

from base64 import b64decode
from datetime import timedelta
from typing import Any

import pytest

from auth_core.oauth_resource.issuers import clients, unknown_tokens
from auth_core.oauth_resource.testing.issuer import INTROSPECTION, FakeIssuer, fake_issuer, reply
from conftest import RESOURCE, Get, MonotonicClock, accept

OPAQUE = "an-opaque-token"
CLIENT = {"client_id": "notes api", "client_secret": "s/ecret:1"}


@pytest.fixture(autouse=True)
def introspecting(issuer: FakeIssuer, settings: Any) -> None:
    """The issuer issues an opaque token, and the site may ask about it."""
    accept(settings, issuer, **CLIENT)
    issuer.introspected[OPAQUE] = {"active": True, **issuer.claims(RESOURCE)}


def test_an_active_opaque_token_opens_the_view(issuer: FakeIssuer, get: Get) -> None:
    answer = get(OPAQUE)

    assert answer.status_code == 200
    assert answer.json()["subject"] == "alice"


def test_the_site_authenticates_with_form_encoded_credentials(issuer: FakeIssuer, get: Get) -> None:
    get(OPAQUE)

    (header,) = issuer.credentials
    assert b64decode(header.removeprefix("Basic ")) == b"notes+api:s%2Fecret%3A1"


def test_a_revocation_is_seen_after_thirty_seconds(issuer: FakeIssuer, get: Get, monotonic: MonotonicClock) -> None:
    get(OPAQUE)
    issuer.introspected[OPAQUE] = {"active": False}

    monotonic.forward(29)
    remembered = get(OPAQUE)
    monotonic.forward(1)
    revoked = get(OPAQUE)

    assert (remembered.status_code, revoked.status_code) == (200, 401)
    assert issuer.count(INTROSPECTION) == 2


def test_a_revocation_is_seen_at_once_if_nothing_is_remembered(issuer: FakeIssuer, settings: Any, get: Get) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "INTROSPECTION_CACHE": timedelta(0)}
    assert get(OPAQUE).status_code == 200

    issuer.introspected[OPAQUE] = {"active": False}

    assert get(OPAQUE).status_code == 401


def test_no_setting_remembers_a_token_for_longer(
    issuer: FakeIssuer, settings: Any, get: Get, monotonic: MonotonicClock
) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "INTROSPECTION_CACHE": timedelta(hours=10)}
    get(OPAQUE)

    monotonic.forward(30)
    get(OPAQUE)

    assert issuer.count(INTROSPECTION) == 2


def test_a_token_is_not_remembered_beyond_its_expiry(
    issuer: FakeIssuer, get: Get, monotonic: MonotonicClock, clock: Any
) -> None:
    issuer.introspected[OPAQUE]["exp"] = int(clock.now.timestamp()) + 5
    get(OPAQUE)

    monotonic.forward(5)
    get(OPAQUE)

    assert issuer.count(INTROSPECTION) == 2


def test_an_inactive_token_is_not_remembered(issuer: FakeIssuer, get: Get) -> None:
    assert get("another").status_code == 401
    issuer.introspected["another"] = issuer.introspected[OPAQUE]

    assert get("another").status_code == 200


REFUSED: dict[str, dict[str, Any]] = {
    "inactive": {"active": False},
    "active as a text": {"active": "true"},
    "active as a number": {"active": 1},
    "of another issuer": {"iss": "https://evil.example"},
    "for another resource": {"aud": "https://other.example"},
    "without an audience": {"aud": None},
    "without a subject and a client": {"sub": None, "client_id": None},
    "with an empty subject": {"sub": ""},
    "expired": {"exp": 1},
    "not begun": {"nbf": 99_999_999_999},
    "bound to a key": {"cnf": {"jkt": "x" * 43}},
    "of another type": {"token_type": "N_A"},
}


@pytest.mark.parametrize("case", REFUSED)
def test_an_answer_that_does_not_concern_the_site_opens_nothing(case: str, issuer: FakeIssuer, get: Get) -> None:
    issuer.introspected[OPAQUE] |= REFUSED[case]

    assert get(OPAQUE).status_code == 401


def test_an_answer_may_leave_out_what_is_optional(issuer: FakeIssuer, get: Get) -> None:
    members = issuer.introspected[OPAQUE]
    issuer.introspected[OPAQUE] = {name: members[name] for name in ("active", "sub", "aud", "scope")}

    assert get(OPAQUE).status_code == 200


def test_an_application_that_acts_for_itself_may_have_no_subject(issuer: FakeIssuer, get: Get) -> None:
    del issuer.introspected[OPAQUE]["sub"]

    assert get(OPAQUE).json()["subject"] == "app"


def test_a_jwt_is_verified_before_its_issuer_is_asked(issuer: FakeIssuer, get: Get) -> None:
    token = issuer.token(RESOURCE)
    assert get(token).status_code == 401, "it is not active"
    before = issuer.count(INTROSPECTION)

    assert get(token[:-4] + "AAAA").status_code == 401
    assert get(issuer.token(RESOURCE, header={"kid": "other"})).status_code == 401
    assert get(issuer.token("https://other.example")).status_code == 401
    assert issuer.count(INTROSPECTION) == before

    issuer.introspected[token] = {"active": True, **issuer.claims(RESOURCE)}
    assert get(token).status_code == 200


def test_an_opaque_token_is_shown_to_no_issuer_if_it_may_be_of_several(
    issuer: FakeIssuer, settings: Any, get: Get
) -> None:
    with fake_issuer() as other:
        accept(settings, issuer, other, **CLIENT)

        assert get(OPAQUE).status_code == 401
        assert (issuer.requests, other.requests) == ([], [])


@pytest.mark.parametrize("status", [401, 403, 500])
def test_an_issuer_that_refuses_the_site_is_unavailable(status: int, issuer: FakeIssuer, get: Get) -> None:
    issuer.answers[INTROSPECTION] = reply({"error": "invalid_client"}, status=status)

    assert get(OPAQUE).status_code == 503


def test_an_issuer_that_fails_is_not_asked_at_every_request(issuer: FakeIssuer, get: Get) -> None:
    issuer.answers[INTROSPECTION] = reply({}, status=500)

    statuses = {get(f"{OPAQUE}-{number}").status_code for number in range(20)}

    assert statuses == {503}
    assert issuer.count(INTROSPECTION) == 3


def test_the_memory_of_tokens_is_bounded(issuer: FakeIssuer, get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth_core.oauth_resource.issuers.introspection._MOST_TOKENS", 2)
    tokens = [f"{OPAQUE}-{number}" for number in range(3)]
    for token in tokens:
        issuer.introspected[token] = issuer.introspected[OPAQUE]
        assert get(token).status_code == 200
    before = issuer.count(INTROSPECTION)

    assert get(tokens[2]).status_code == 200
    assert issuer.count(INTROSPECTION) == before
    assert get(tokens[0]).status_code == 200
    assert issuer.count(INTROSPECTION) == before + 1


def test_unknown_tokens_of_one_network_ask_the_issuer_a_bounded_number_of_times(
    issuer: FakeIssuer, settings: Any, get: Get, monotonic: MonotonicClock
) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "INTROSPECTION_UNKNOWN_PER_MINUTE": 3}
    assert get(OPAQUE).status_code == 200
    calls = issuer.count(INTROSPECTION)

    answers = [get(f"guess-{number}") for number in range(10)]

    assert [answer.status_code for answer in answers] == [401] * 3 + [429] * 7
    assert answers[-1].headers["Retry-After"] == "60"
    assert issuer.count(INTROSPECTION) == calls + 3
    assert get(OPAQUE).status_code == 200, "what is remembered asks no one"
    assert get("guess-10", "/api/notes/").status_code == 429
    assert get("guess-11", REMOTE_ADDR="192.0.2.7").status_code == 401, "another network has its own count"

    monotonic.forward(60)
    assert get("guess-12").status_code == 401


def test_active_tokens_and_outages_do_not_count(
    issuer: FakeIssuer, settings: Any, get: Get, monotonic: MonotonicClock
) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "INTROSPECTION_UNKNOWN_PER_MINUTE": 2}
    for number in range(5):
        issuer.introspected[f"token-{number}"] = issuer.introspected[OPAQUE]

    assert {get(f"token-{number}").status_code for number in range(5)} == {200}
    issuer.answers[INTROSPECTION] = reply({}, status=500)
    assert {get(f"other-{number}").status_code for number in range(5)} == {503}


def test_the_networks_that_are_counted_are_bounded(
    issuer: FakeIssuer, get: Get, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(unknown_tokens, "_MOST_NETWORKS", 2)
    for number in range(5):
        get("guess", REMOTE_ADDR=f"192.0.2.{number}")

    (client,) = clients._clients.values()
    assert len(client.introspection._unknown._counts) == 2
