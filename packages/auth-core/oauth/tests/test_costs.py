"""The statements of each endpoint, warm. The budgets are those of docs/performance.md."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from auth_core.oauth.clients.registry import TOKEN_EXCHANGE
from auth_core.oauth.grants.exchange import ACCESS_TOKEN
from auth_core.oauth.models import Resource
from auth_core.oauth.testing.factories import (
    Registered,
    exchange,
    introspect,
    make_application,
    make_code,
    make_tokens,
    refresh,
    userinfo,
)
from auth_core.oauth.testing.proofs import KeyHolder, make_signing_application, present, push
from auth_core.testing.counts import counted
from people import asked

pytestmark = pytest.mark.django_db

IS_POSTGRESQL = connection.vendor == "postgresql"


def statements(call: Callable[[], Any]) -> int:
    """Return the number of statements, those of events and transactions apart."""
    with counted() as counts:
        call()
    return counts.queries


def test_client_credentials_read_the_application_alone(service: Registered) -> None:
    service.post("/oauth/token", grant_type="client_credentials")

    assert statements(lambda: service.post("/oauth/token", grant_type="client_credentials")) == 1


def test_introspection_reads_the_caller_and_the_token_at_once(web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice)["access_token"]

    introspect(web, token)
    assert statements(lambda: introspect(web, token)) == (1 if IS_POSTGRESQL else 2)


def test_a_rotation_is_one_statement(native: Registered, alice: Any) -> None:
    token = make_tokens(native, alice)["refresh_token"]

    assert statements(lambda: refresh(native, token)) == (1 if IS_POSTGRESQL else 4)


def test_a_refresh_without_rotation_writes_nothing_but_its_entry(web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice)["refresh_token"]

    assert statements(lambda: refresh(web, token)) == (1 if IS_POSTGRESQL else 2)


def test_a_code_exchange_spends_reads_and_writes_once(web: Registered, alice: Any) -> None:
    code = make_code(web, alice)

    assert statements(lambda: exchange(web, code)) == (2 if IS_POSTGRESQL else 4)


def test_userinfo_reads_the_token_with_its_person(web: Registered, alice: Any) -> None:
    token = make_tokens(web, alice, scopes=["openid", "profile"])["access_token"]

    assert statements(lambda: userinfo(token)) == 1


def test_signed_userinfo_reads_the_application_as_well(alice: Any) -> None:
    token = make_tokens(make_application(userinfo_signed_response_alg="ES256"), alice, scopes=["openid"])[
        "access_token"
    ]

    assert statements(lambda: userinfo(token)) == 2


def test_pairwise_ids_cost_no_statement(alice: Any) -> None:
    application = make_application(subject_type="pairwise", sector="rp.example")
    make_tokens(application, alice)
    code = make_code(application, alice)

    assert statements(lambda: exchange(application, code)) == (2 if IS_POSTGRESQL else 4)


def test_an_exchange_of_a_token_reads_the_token_and_the_resources(alice: Any) -> None:
    front, back = "https://front.example", "https://back.example"
    service = make_application(grant_types=TOKEN_EXCHANGE, scopes="notes:read", exchange_audiences=back)
    for uri, owner in ((front, service.row), (back, None)):
        Resource.objects.create(uri=uri, application=owner, scopes={"notes:read": "Read your notes"})
    app = make_application()
    code = make_code(app, alice, scopes=["notes:read"], resources=[front, back])
    sent = {"subject_token": exchange(app, code, resource=front).json()["access_token"], "audience": back}
    sent |= {"grant_type": TOKEN_EXCHANGE, "subject_token_type": ACCESS_TOKEN}

    assert service.post("/oauth/token", **sent).status_code == 200
    # SQLite remembers no application.
    assert statements(lambda: service.post("/oauth/token", **sent)) == (2 if IS_POSTGRESQL else 3)


def test_a_token_at_the_api_costs_one_statement(alice: Any, client: Any, settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"orders:read": "See your orders"}}
    token = make_tokens(make_application(scopes="orders:read"), alice, scopes=["orders:read"])["access_token"]

    assert statements(lambda: client.get("/api/v1/orders/", HTTP_AUTHORIZATION=f"Bearer {token}")) == 1


def test_an_assertion_costs_one_statement_more(db: None) -> None:
    application = make_signing_application(grant="client-credentials")
    application.post("/oauth/token", grant_type="client_credentials")

    assert statements(lambda: application.post("/oauth/token", grant_type="client_credentials")) == 2


def test_an_assertion_and_a_proof_are_spent_by_one_statement(alice: Any) -> None:
    application, key = make_signing_application(), KeyHolder()
    code = make_code(application, alice)

    # The application, both spends, the code, and the refresh token. SQLite reads the code before it spends it.
    assert statements(lambda: exchange(application, code, proof=key.proof())) == (4 if IS_POSTGRESQL else 5)


def test_a_refresh_with_a_proof_reads_the_application_and_spends_the_proof(native: Registered, alice: Any) -> None:
    key = KeyHolder()
    token = exchange(native, make_code(native, alice), proof=key.proof()).json()["refresh_token"]

    assert statements(lambda: refresh(native, token, proof=key.proof())) == (3 if IS_POSTGRESQL else 5)


def test_a_bound_token_costs_one_statement_more(web: Registered, alice: Any) -> None:
    key = KeyHolder()
    code = make_code(web, alice, scopes=["openid", "profile"])
    token = exchange(web, code, proof=key.proof()).json()["access_token"]
    proof = key.proof("GET", "/oauth/userinfo", access_token=token)

    assert statements(lambda: present(token, proof)) == 2


def test_a_challenge_for_a_nonce_reads_the_application_alone(web: Registered, alice: Any) -> None:
    code, proof = make_code(web, alice), KeyHolder().proof(nonce=None)

    assert statements(lambda: exchange(web, code, proof=proof)) == 1


def test_a_pushed_request_reads_the_application_and_writes_a_row(web: Registered) -> None:
    assert statements(lambda: push(web, **asked(web))) == 2


def test_keys_and_metadata_cost_none(client: Any) -> None:
    for address in ("/.well-known/jwks.json", "/.well-known/openid-configuration"):
        client.get(address)
        assert statements(lambda path=address: client.get(path)) == 0
