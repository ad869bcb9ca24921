"""A resource server in the site of its provider: what is revoked is refused at the next request."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import pytest
from django.core.checks import run_checks
from django.test import Client as Browser
from django.utils import timezone

from auth_core.oauth.grants.people import revoke_application
from auth_core.oauth.keys.key_set import KeysUnusable
from auth_core.oauth.models import ApplicationPolicy, Authorization, Resource
from auth_core.oauth.models.application_policy import TokenFormat
from auth_core.oauth.testing.factories import Registered, exchange, make_application, make_code, make_tokens
from auth_core.oauth.testing.proofs import KeyHolder
from auth_core.oauth.tokens.active_tokens import find_active_token
from auth_core.oauth_resource.testing.issuer import fake_issuer
from auth_core.request.client import Client

pytestmark = pytest.mark.django_db

RESOURCE = "https://api.example.org"
PATH = "/own/notes/"


@pytest.fixture
def reader(db: None) -> Registered:
    """An application that may read notes at the resource server."""
    Resource.objects.create(uri=RESOURCE, scopes={"notes:read": "Read your notes"})
    return make_application(scopes="notes:read")


def token_of(reader: Registered, user: Any, **values: Any) -> str:
    arguments = {"scopes": ["openid", "notes:read"], "resources": [RESOURCE], **values}
    return str(make_tokens(reader, user, **arguments)["access_token"])


def get(token: str, path: str = PATH) -> Any:
    return Browser().get(path, HTTP_AUTHORIZATION=f"Bearer {token}")


def test_the_person_of_a_token_is_the_user_of_the_site(reader: Registered, alice: Any) -> None:
    answer = get(token_of(reader, alice))

    assert answer.status_code == 200
    assert answer.json() == {"user": str(alice.pk), "scopes": ["openid", "notes:read"]}


def test_an_opaque_token_opens_the_view_too(reader: Registered, alice: Any) -> None:
    Resource.objects.update(token_format=TokenFormat.OPAQUE)
    token = token_of(reader, alice)

    assert token.startswith("eat_")
    assert get(token).status_code == 200


def disabled_person(reader: Registered, alice: Any, token: str) -> None:
    alice.is_active = False
    alice.save()


def ended_authorization(reader: Registered, alice: Any, token: str) -> None:
    Authorization.objects.update(ended_at=timezone.now())


def taken_back(reader: Registered, alice: Any, token: str) -> None:
    policy = ApplicationPolicy.objects.get(application=reader.row)
    assert revoke_application(user=alice, application_id=policy.pk, client=Client())


def revoked_token(reader: Registered, alice: Any, token: str) -> None:
    assert reader.post("/oauth/revoke", token=token).status_code == 200


def disabled_application(reader: Registered, alice: Any, token: str) -> None:
    ApplicationPolicy.objects.filter(application=reader.row).update(is_active=False)


ENDS: list[Callable[[Registered, Any, str], None]] = [
    disabled_person,
    ended_authorization,
    taken_back,
    revoked_token,
    disabled_application,
]


@pytest.mark.parametrize("format_", [TokenFormat.JWT, TokenFormat.OPAQUE])
@pytest.mark.parametrize("end", ENDS)
def test_what_is_revoked_is_refused_at_the_next_request(
    end: Callable[[Registered, Any, str], None], format_: str, reader: Registered, alice: Any
) -> None:
    Resource.objects.update(token_format=format_)
    token = token_of(reader, alice)
    assert get(token).status_code == 200

    end(reader, alice, token)

    answer = get(token)
    assert answer.status_code == 401
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]


def test_a_token_for_the_provider_itself_opens_nothing_here(reader: Registered, alice: Any) -> None:
    assert get(token_of(reader, alice, resources=[])).status_code == 401


def test_a_token_without_the_scope_is_refused(reader: Registered, alice: Any) -> None:
    answer = get(token_of(reader, alice, scopes=["openid"]))

    assert answer.status_code == 403
    assert 'scope="notes:read"' in answer.headers["WWW-Authenticate"]


def test_a_token_of_an_application_itself_has_no_user(db: None) -> None:
    Resource.objects.create(uri=RESOURCE, scopes={"notes:read": "Read your notes"})
    service = make_application(grant="client-credentials", scopes="notes:read")
    body = service.post("/oauth/token", grant_type="client_credentials", scope="notes:read", resource=RESOURCE).json()

    answer = get(body["access_token"])

    assert answer.json()["user"] == f"https://auth.example.org#{service.client_id}"


def test_a_lost_key_is_unavailable_and_no_refusal(reader: Registered, alice: Any) -> None:
    token = token_of(reader, alice)

    with patch("auth_core.oauth.tokens.signatures.find_key", side_effect=KeysUnusable):
        assert get(token).status_code == 503


def test_a_token_that_is_bound_to_a_key_is_no_bearer_token(reader: Registered, alice: Any) -> None:
    token = token_of(reader, alice)
    active = find_active_token(token)
    assert active is not None
    bound = replace(active, claims={**active.claims, "cnf": {"jkt": "x" * 43}})

    with patch("auth_core.oauth.tokens.store.find_active_token", return_value=bound):
        assert get(token).status_code == 401
    with patch("auth_core.oauth.tokens.presentation.find_active_token", return_value=bound):
        assert get(token, "/api/v1/orders/").status_code == 401


def test_the_provider_of_the_site_is_its_issuer_by_default() -> None:
    assert not [message for message in run_checks() if str(message.id).startswith("auth_oauth_resource")]
    metadata = Browser().get("/.well-known/oauth-protected-resource").json()
    assert metadata["authorization_servers"] == ["https://auth.example.org"]


def test_the_provider_of_the_site_is_not_accepted_if_others_are_named(
    reader: Registered, alice: Any, settings: Any
) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "ISSUERS": {"https://other.example": {}}}

    assert get(token_of(reader, alice)).status_code == 401


def test_an_opaque_token_is_shown_to_another_issuer_only_if_it_is_not_ours(
    reader: Registered, alice: Any, settings: Any
) -> None:
    Resource.objects.update(token_format=TokenFormat.OPAQUE)
    with fake_issuer() as other:
        client = {"client_id": "notes", "client_secret": "secret"}
        issuers = {other.url: client, "https://auth.example.org": {}}
        settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"]}
        settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "ISSUERS": issuers}
        other.introspected["theirs"] = {"active": True, **other.claims(RESOURCE)}
        ours = token_of(reader, alice)

        assert get(ours).status_code == 200
        Authorization.objects.update(ended_at=timezone.now())
        assert get(ours).status_code == 401
        assert other.requests == []
        assert get("theirs").status_code == 200


def test_a_request_takes_one_query(reader: Registered, alice: Any, django_assert_num_queries: Any) -> None:
    token = token_of(reader, alice)
    get(token)

    with django_assert_num_queries(1):
        assert get(token).status_code == 200


def test_a_step_up_is_asked_for_by_a_challenge(reader: Registered, alice: Any, clock: Any) -> None:
    token = token_of(reader, alice)
    fresh = get(token, "/own/fresh/")

    clock.forward(minutes=6)
    stale = get(token, "/own/fresh/")

    assert (fresh.status_code, stale.status_code) == (200, 401)
    assert 'acr_values="aal2", max_age=300' in stale.headers["WWW-Authenticate"]


def bound_token(reader: Registered, user: Any, key: KeyHolder) -> str:
    code = make_code(reader, user, scopes=["openid", "notes:read"], resources=[RESOURCE])
    return str(exchange(reader, code, proof=key.proof()).json()["access_token"])


def present(token: str, proof: str) -> Any:
    return Browser().get(PATH, HTTP_AUTHORIZATION=f"DPoP {token}", HTTP_DPOP=proof)


@pytest.mark.asvs("10.3.5")
def test_a_bound_token_opens_the_view_with_each_proof_once(reader: Registered, alice: Any) -> None:
    key = KeyHolder()
    token = bound_token(reader, alice, key)
    proof = key.proof_for("GET", f"{RESOURCE}{PATH}", access_token=token)

    first, again = present(token, proof), present(token, proof)

    assert first.status_code == 200
    assert first.headers["DPoP-Nonce"]
    assert (again.status_code, again.json()["error"]) == (401, "invalid_dpop_proof")
    assert present(token, key.proof_for("GET", f"{RESOURCE}{PATH}", access_token=token)).status_code == 200
    assert get(token).status_code == 401


def test_a_refused_request_spends_no_proof(reader: Registered, alice: Any, settings: Any) -> None:
    key = KeyHolder()
    token = bound_token(reader, alice, key)
    proof = key.proof_for("GET", f"{RESOURCE}{PATH}", access_token=token)
    alice.is_active = False
    alice.save()
    assert present(token, proof).status_code == 401

    alice.is_active = True
    alice.save()
    assert present(token, proof).status_code == 200


def test_the_site_of_the_provider_can_do_without_nonces(reader: Registered, alice: Any, settings: Any) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "DPOP_NONCE_REQUIRED": False}
    key = KeyHolder()
    token = bound_token(reader, alice, key)
    proof = key.proof_for("GET", f"{RESOURCE}{PATH}", access_token=token, nonce=None)

    assert present(token, proof).status_code == 200
    assert present(token, proof).json()["error"] == "invalid_dpop_proof"
