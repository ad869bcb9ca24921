"""What a plain ``manage.py check`` says."""

from datetime import timedelta
from typing import Any

import pytest
from django.core.checks import run_checks

from auth_core.oauth_resource.issuers.issuer import configured_issuers

CLIENT = {"client_id": "notes", "client_secret": "secret"}


def found() -> dict[str, str]:
    return {str(message.id).partition(".")[2]: f"{message.msg} {message.hint}" for message in run_checks()}


def test_the_site_of_the_tests_has_no_problem() -> None:
    assert found() == {}


def test_a_site_without_settings_is_shown_what_to_set(settings: Any) -> None:
    del settings.AUTH_RESOURCE

    problems = found()

    assert "AUTH_RESOURCE['RESOURCE']" in problems["E002"]
    assert "no issuer is named" in problems["E003"]


ISSUER = "https://auth.example.org"
WRONG: list[tuple[dict[str, Any], str, str]] = [
    ({"RESOURCES": ()}, "E001", "RESOURCES"),
    ({"RESOURCE": "api.example.org"}, "E002", "api.example.org"),
    ({"RESOURCE": "http://api.example.org"}, "E002", "https"),
    ({"RESOURCE": "https://api.example.org/#part"}, "E002", "part"),
    ({"RESOURCE": "https://api.example.org/?a=b"}, "E002", "a=b"),
    ({"RESOURCE": "https://[api"}, "E002", "api"),
    ({"ISSUERS": {"auth.example.org": {}}}, "E003", "it is not an https URL"),
    ({"ISSUERS": {"http://auth.example.org": {}}}, "E003", "it is not an https URL"),
    ({"ISSUERS": {ISSUER: {"algorithm": "ES256"}}}, "E003", "unknown options: algorithm"),
    ({"ISSUERS": {ISSUER: {"algorithms": ["HS256"]}}}, "E003", "unknown algorithms: HS256"),
    ({"ISSUERS": {ISSUER: {"algorithms": ["none"]}}}, "E003", "unknown algorithms: none"),
    ({"ISSUERS": {ISSUER: {"algorithms": "ES256"}}}, "E003", "algorithms is no list"),
    ({"ISSUERS": {ISSUER: {"audience": "api://notes"}}}, "E003", "audience is no list"),
    ({"ISSUERS": {ISSUER: {"client_id": "notes"}}}, "E003", "client_secret"),
    ({"ISSUERS": {ISSUER: {"introspection_endpoint": f"{ISSUER}/i"}}}, "E003", "client_id"),
    ({"PERSON": "views.no_such_function"}, "E004", "no_such_function"),
    ({"PERSON": "settings.AUTH_RESOURCE"}, "E004", "not a function"),
    ({"SCOPES": ["offline_access"]}, "E005", "offline_access"),
    ({"INTROSPECTION_CACHE": timedelta(seconds=31)}, "E005", "INTROSPECTION_CACHE"),
    ({"INTROSPECTION_CACHE": timedelta(seconds=-1)}, "E005", "INTROSPECTION_CACHE"),
    ({"ISSUERS": {ISSUER: CLIENT, "https://b.example": CLIENT}}, "W001", "Opaque tokens are refused"),
]


@pytest.mark.parametrize(("values", "id_", "text"), WRONG)
def test_a_wrong_setting_is_named(values: dict[str, Any], id_: str, text: str, settings: Any) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, **values}

    assert text in found()[id_]


def test_metadata_that_is_not_routed_is_named(settings: Any) -> None:
    settings.ROOT_URLCONF = "no_metadata_urls"

    assert "/.well-known/oauth-protected-resource/notes" in found()["W002"]


def test_a_secret_is_not_in_the_text_of_an_issuer(settings: Any) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "ISSUERS": {ISSUER: CLIENT}}

    assert "'secret'" not in repr(configured_issuers())
