"""Views of Django REST framework, with its own exception handler."""

from base64 import b64encode
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.oauth_resource.testing.issuer import JWKS, FakeIssuer, reply
from conftest import RESOURCE, Get

PATH = "/api/notes/"


def request(method: str, token: str) -> Any:
    return Browser(enforce_csrf_checks=True).generic(method, PATH, HTTP_AUTHORIZATION=f"Bearer {token}")


def test_a_token_opens_the_methods_of_its_scopes(issuer: FakeIssuer) -> None:
    reading = issuer.token(RESOURCE, scope="notes:read")
    writing = issuer.token(RESOURCE, scope="notes:read notes:write")

    assert [request(method, reading).status_code for method in ("GET", "HEAD", "OPTIONS", "POST")] == [
        200,
        200,
        200,
        403,
    ]
    assert request("POST", writing).status_code == 200


def test_the_challenge_names_the_scopes_of_the_method(issuer: FakeIssuer) -> None:
    refused = request("POST", issuer.token(RESOURCE, scope="notes:read"))

    assert 'scope="notes:read notes:write"' in refused.headers["WWW-Authenticate"]


def test_no_token_opens_a_method_that_is_not_named(issuer: FakeIssuer) -> None:
    refused = request("DELETE", issuer.token(RESOURCE, scope="notes:read notes:write"))

    assert refused.status_code == 403
    assert 'error="insufficient_scope"' in refused.headers["WWW-Authenticate"]
    assert "scope=" not in refused.headers["WWW-Authenticate"].replace("insufficient_scope", "")


def test_no_token_opens_a_view_that_names_no_scope(issuer: FakeIssuer, get: Get) -> None:
    assert get(issuer.token(RESOURCE), "/api/undeclared/").status_code == 403


def test_the_person_of_the_request_has_no_permission_of_the_site(issuer: FakeIssuer, get: Get) -> None:
    assert get(issuer.token(RESOURCE), PATH).json()["pk"] == f"{issuer.url}#alice"


@pytest.mark.django_db
def test_other_credentials_of_the_view_still_work(get: Get) -> None:
    User.objects.create_user("bob", password="correct horse battery staple")
    basic = b64encode(b"bob:correct horse battery staple").decode()

    answer = get(None, PATH, HTTP_AUTHORIZATION=f"Basic {basic}")

    assert answer.json() == {"user": "bob"}


@pytest.mark.django_db
def test_other_credentials_are_no_token_for_an_assurance(get: Get) -> None:
    assert get(None, "/api/admin/").status_code == 401


def test_an_issuer_that_is_down_is_a_503(issuer: FakeIssuer, get: Get) -> None:
    issuer.answers[JWKS] = reply({}, status=500)

    answer = get(issuer.token(RESOURCE), PATH)

    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "5"
