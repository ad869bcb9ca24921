"""Discovery says what is on, and every address in it answers."""

from typing import Any
from urllib.parse import urlsplit

import pytest

from auth_core.oauth.clients.registration import create_application
from auth_core.oauth.conf import oauth
from auth_core.oauth.endpoints.metadata import provider_metadata
from auth_core.oauth.keys.subjects import forget_subject_key
from auth_core.oauth.models import SigningKey, SubjectKey
from auth_core.oauth.testing.factories import REDIRECT_URI, Registered, make_application, make_tokens, userinfo
from token_parts import part_of

pytestmark = pytest.mark.django_db

ADDRESSES = ["/.well-known/openid-configuration", "/.well-known/oauth-authorization-server"]


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_metadata_is_that_of_the_issuer_whatever_the_host_says(address: str, client: Any, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]

    answer = client.get(address, HTTP_HOST="evil.example", HTTP_X_FORWARDED_HOST="evil.example")

    body = answer.json()
    assert body["issuer"] == oauth.issuer == "https://auth.example.org"
    assert "evil" not in answer.text
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "max-age" in answer.headers["Cache-Control"]


def test_every_endpoint_answers(client: Any) -> None:
    endpoints = {name: url for name, url in provider_metadata().items() if name.endswith(("_endpoint", "_uri"))}

    assert {"token_endpoint", "introspection_endpoint", "revocation_endpoint", "userinfo_endpoint", "jwks_uri"} <= set(
        endpoints
    )
    for name, url in endpoints.items():
        parts = urlsplit(url)
        assert f"{parts.scheme}://{parts.netloc}" == oauth.issuer
        assert client.get(parts.path).status_code in (200, 302, 303, 400, 401, 405), name


def test_every_advertised_method_of_authentication_works(client: Any) -> None:
    for method in provider_metadata()["token_endpoint_auth_methods_supported"]:
        public = method == "none"
        application = make_application(public=public, auth_method=method)
        assert application.registered.methods == {method}


def test_every_advertised_algorithm_signs(alice: Any) -> None:
    for algorithm in provider_metadata()["id_token_signing_alg_values_supported"]:
        assert make_tokens(make_application(id_token_algorithm=algorithm), alice)["id_token"]
    assert not {"none", "HS256"} & set(provider_metadata()["id_token_signing_alg_values_supported"])
    assert "RS256" in provider_metadata()["id_token_signing_alg_values_supported"]


@pytest.mark.asvs("10.6.1")
def test_every_advertised_grant_type_is_known_and_others_are_not(web: Registered) -> None:
    grants = provider_metadata()["grant_types_supported"]

    for grant in grants:
        assert web.post("/oauth/token", grant_type=grant).json()["error"] != "unsupported_grant_type"
    assert grants == [
        "authorization_code",
        "refresh_token",
        "client_credentials",
        "urn:ietf:params:oauth:grant-type:token-exchange",
    ]


def test_scopes_without_a_provider_are_not_advertised(settings: Any) -> None:
    assert set(provider_metadata()["scopes_supported"]) == {"openid", "profile", "email", "offline_access"}
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"orders:read": "See your orders"}}
    assert "orders:read" in provider_metadata()["scopes_supported"]


def test_request_objects_are_refused_by_name() -> None:
    metadata = provider_metadata()

    assert metadata["request_parameter_supported"] is metadata["request_uri_parameter_supported"] is False
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert metadata["response_types_supported"] == ["code"]


def test_the_keys_may_be_cached_as_long_as_a_new_key_waits(client: Any) -> None:
    answer = client.get("/.well-known/jwks.json")

    assert answer.headers["Cache-Control"] == f"public, max-age={int(oauth.JWKS_LIFETIME.total_seconds())}"
    assert not SigningKey.objects.exists()


def test_every_advertised_subject_type_can_be_registered(client: Any) -> None:
    advertised = provider_metadata()["subject_types_supported"]

    for subject_type in advertised:
        create_application(name="New", redirect_uris=[REDIRECT_URI], subject_type=subject_type)
    assert advertised == ["public", "pairwise"]
    # Without the key no id could be made.
    SubjectKey.objects.all().delete()
    forget_subject_key()
    assert provider_metadata()["subject_types_supported"] == ["public"]


def test_every_advertised_algorithm_signs_userinfo(alice: Any) -> None:
    advertised = provider_metadata()["userinfo_signing_alg_values_supported"]

    for algorithm in advertised:
        application = make_application(userinfo_signed_response_alg=algorithm)
        answer = userinfo(make_tokens(application, alice)["access_token"])
        assert part_of(answer.text, 0)["alg"] == algorithm
    assert advertised == provider_metadata()["id_token_signing_alg_values_supported"]


def test_types_of_details_are_advertised_if_there_are_some(settings: Any) -> None:
    assert "authorization_details_types_supported" not in provider_metadata()
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "AUTHORIZATION_DETAILS_TYPES": {"payment": "Pay", "account": "Read"}}
    assert provider_metadata()["authorization_details_types_supported"] == ["account", "payment"]
