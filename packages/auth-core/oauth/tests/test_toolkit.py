"""The settings of django-oauth-toolkit that go with this app, and the deployment checks of both."""

import io
from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.management import call_command
from django.core.management.base import SystemCheckError
from oauth2_provider.settings import oauth2_settings

from auth_core.crypto.encryption import new_key
from auth_core.oauth.generators import ClientIdGenerator, ClientSecretGenerator
from auth_core.oauth.hashers import ALGORITHM
from auth_core.oauth.testing.factories import make_application
from auth_core.oauth.toolkit import toolkit_settings

ISSUER = "https://auth.example.org"


def problems(*, databases: list[str] | None = None) -> set[str]:
    """Return the ids of what the deployment checks of both packages find."""
    messages = run_checks(include_deployment_checks=True, databases=databases)
    return {str(message.id) for message in messages if str(message.id).startswith(("oauth2_provider", "auth_oauth"))}


def check_deployment() -> None:
    """Run ``manage.py check --deploy --fail-level ERROR --database default``."""
    streams = {"stdout": io.StringIO(), "stderr": io.StringIO()}
    call_command("check", deploy=True, fail_level="ERROR", databases=["default"], **streams)


def test_the_deployment_checks_find_nothing() -> None:
    assert problems() == set()


def test_the_deployment_checks_pass_as_an_operator_runs_them(settings: Any, db: None) -> None:
    make_application(public=True, redirect_uris="http://127.0.0.1:8400/cb com.example.app:/cb https://rp.example/cb")
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"new": new_key()}}
    # pytest-django keeps all mails in memory, and Django 6.1 refuses that in production.
    settings.SILENCED_SYSTEM_CHECKS = ["mail.E001"]

    check_deployment()


@pytest.mark.parametrize("switch", [name for name in toolkit_settings(ISSUER) if name.startswith("COMPLIANT_")])
def test_every_switch_is_on(switch: str) -> None:
    assert getattr(oauth2_settings, switch) is True


def test_the_only_switch_that_is_off_would_forbid_loopback_addresses() -> None:
    switches = {name for name in oauth2_settings.defaults if name.startswith("COMPLIANT_BCP_RFC9700_")}

    assert switches - set(toolkit_settings(ISSUER)) == {"COMPLIANT_BCP_RFC9700_REDIRECT_URI_SCHEME"}


def test_the_toolkit_itself_would_issue_no_more_than_this_app() -> None:
    assert oauth2_settings.REFRESH_TOKEN_REUSE_PROTECTION is True
    assert 0 < oauth2_settings.REFRESH_TOKEN_EXPIRE_SECONDS <= 30 * 24 * 3600
    assert 300 <= oauth2_settings.ACCESS_TOKEN_EXPIRE_SECONDS <= 900
    assert oauth2_settings.ID_TOKEN_EXPIRE_SECONDS <= 900
    assert oauth2_settings.RESOURCE_SERVER_TOKEN_CACHING_SECONDS <= 30
    assert oauth2_settings.ALLOWED_REDIRECT_URI_SCHEMES == ["https"]
    assert oauth2_settings.PKCE_REQUIRED is True
    assert oauth2_settings.DEFAULT_SCOPES == []
    assert oauth2_settings.OIDC_ISS_ENDPOINT == ISSUER
    assert oauth2_settings.CLIENT_SECRET_HASHER == ALGORITHM


@pytest.mark.parametrize("scheme", ["http", "HTTP"])
def test_plain_http_for_the_toolkit_is_an_error(settings: Any, scheme: str) -> None:
    settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "ALLOWED_REDIRECT_URI_SCHEMES": ["https", scheme]}

    assert "auth_oauth.E006" in problems()


@pytest.mark.parametrize(
    "address", ["http://evil.example/cb", "myapp:/cb", "https://rp.example/cb#x", "https://*.example/"]
)
@pytest.mark.django_db
def test_a_registered_address_that_no_answer_may_go_to_is_an_error(address: str, settings: Any) -> None:
    application = make_application(redirect_uris=f"https://rp.example/cb {address}")

    assert problems(databases=["default"]) == {"auth_oauth.E007"}
    assert problems() == set(), "the database was not asked for"
    with pytest.raises(SystemCheckError, match=application.client_id):
        check_deployment()


@pytest.mark.parametrize(
    ("order", "problem"),
    [("password", {"auth_oauth.E008"}), ("secret password", {"auth_oauth.E009"}), ("password secret", set())],
)
def test_the_hasher_of_secrets_stands_behind_that_of_passwords(order: str, problem: set[str], settings: Any) -> None:
    paths = {"password": "auth_core.hashers.Argon2idHasher", "secret": "auth_core.oauth.hashers.ClientSecretHasher"}
    settings.PASSWORD_HASHERS = [paths[name] for name in order.split()]

    assert problems() == problem


def test_generated_ids_and_secrets_need_no_encoding_and_look_like_no_person() -> None:
    for text in (ClientIdGenerator().hash(), ClientSecretGenerator().hash()):
        assert text.isalnum()
        assert text.isascii()
        assert len(text) >= 32
    assert "-" not in ClientIdGenerator().hash(), "the id of a person is a UUID"
