"""The plan Config OP of the OpenID Foundation's conformance suite."""

from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client as Browser
from relying_party import DISCOVERY

from auth_core.oauth.conf import oauth

pytestmark = pytest.mark.django_db

#: Members of a JSON web key that only its owner may know (RFC 7518 section 6).
PRIVATE = {"d", "p", "q", "dp", "dq", "qi", "oth", "k"}


def check_endpoints(metadata: dict[str, Any]) -> None:
    """Check that every address in the metadata is an https URL of the issuer."""
    for name, value in metadata.items():
        if name.endswith(("_endpoint", "_uri")):
            assert value.startswith(f"{oauth.issuer}/"), name
            assert not urlsplit(value).fragment
            assert urlsplit(value).scheme == "https"


def test_oidcc_discovery_endpoint_verification() -> None:
    """The metadata has every member that OpenID Connect requires, says only what works, and its key set has public keys alone."""
    response = Browser().get(DISCOVERY)
    metadata = response.json()

    assert response.status_code == 200
    assert response.headers["Content-Type"].startswith("application/json")
    assert metadata["issuer"] == oauth.issuer
    assert metadata["response_types_supported"] == ["code"]
    assert metadata["subject_types_supported"] == ["public", "pairwise"]
    assert "RS256" in metadata["id_token_signing_alg_values_supported"]
    assert not {"none", "HS256", "HS384", "HS512"} & set(metadata["id_token_signing_alg_values_supported"])
    assert {"authorization_endpoint", "token_endpoint", "userinfo_endpoint", "jwks_uri"} <= set(metadata)
    assert "authorization_code" in metadata["grant_types_supported"]
    assert not {"implicit", "password"} & set(metadata["grant_types_supported"])
    assert "openid" in metadata["scopes_supported"]
    assert {"sub", "iss", "aud", "exp", "iat", "name", "email"} <= set(metadata["claims_supported"])
    assert metadata["claims_parameter_supported"] is True
    assert metadata["request_parameter_supported"] is metadata["request_uri_parameter_supported"] is False
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert metadata["code_challenge_methods_supported"] == ["S256"]
    assert set(metadata["response_modes_supported"]) == {"query", "form_post"}
    check_endpoints(metadata)
    keys = Browser().get(urlsplit(metadata["jwks_uri"]).path).json()["keys"]
    assert len({key["kid"] for key in keys}) == len(keys)
    assert all(key["use"] == "sig" and not PRIVATE & set(key) for key in keys)
    assert {key["alg"] for key in keys} >= set(metadata["id_token_signing_alg_values_supported"])
