"""Userinfo as a signed token (OpenID Connect Core section 5.3.2)."""

from typing import Any

import pytest
from django.test import Client as Browser
from joserfc import jwt
from joserfc.jwk import KeySet

from auth_core.oauth.conf import oauth
from auth_core.oauth.keys.algorithms import Registry
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.testing.factories import Registered, make_application, make_tokens, userinfo
from logouts import logout
from people import authorize, browser_of, error_in
from token_parts import part_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def signed(db: None) -> Registered:
    """An application that wants it signed."""
    return make_application(userinfo_signed_response_alg="ES256", is_first_party=True)


def test_it_is_signed_for_the_application_and_has_the_same_claims(signed: Registered, alice: Any) -> None:
    token = make_tokens(signed, alice)["access_token"]

    answer = userinfo(token)

    keys = KeySet.import_key_set(Browser().get("/.well-known/jwks.json").json())
    claims = jwt.decode(answer.text, keys, registry=Registry(algorithms=["ES256"])).claims
    assert answer.headers["Content-Type"] == "application/jwt"
    assert answer.headers["Cache-Control"] == "no-store"
    assert (claims.pop("iss"), claims.pop("aud")) == (oauth.issuer, signed.client_id)
    assert claims.pop("iat")
    ApplicationPolicy.objects.update(userinfo_signed_response_alg="")
    assert claims == userinfo(token).json()


def test_it_is_json_unless_the_application_wants_it_signed(web: Registered, alice: Any) -> None:
    assert userinfo(make_tokens(web, alice)["access_token"]).headers["Content-Type"] == "application/json"


def test_a_refusal_is_json(signed: Registered, alice: Any) -> None:
    answer = userinfo(make_tokens(signed, alice, scopes=["profile"])["access_token"])

    assert (answer.status_code, answer.json()["error"]) == (403, "insufficient_scope")


def test_signed_userinfo_is_no_id_token_and_no_access_token(signed: Registered, alice: Any) -> None:
    text = userinfo(make_tokens(signed, alice)["access_token"]).text
    browser = browser_of(alice)

    assert "exp" not in part_of(text, 1)
    assert error_in(authorize(browser, signed, id_token_hint=text)) == "invalid_request"
    assert logout(browser, id_token_hint=text).status_code == 400
    assert userinfo(text).status_code == 401


def test_under_high_it_is_signed_with_a_strong_algorithm(signed: Registered, alice: Any) -> None:
    token = make_tokens(signed, alice)["access_token"]
    ApplicationPolicy.objects.update(userinfo_signed_response_alg="RS256", profile="high")

    assert part_of(userinfo(token).text, 0)["alg"] == "ES256"
