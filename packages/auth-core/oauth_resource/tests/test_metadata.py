"""The metadata of the resource server."""

from typing import Any

import pytest

from conftest import Get

WELL_KNOWN = "/.well-known/oauth-protected-resource"


def test_the_metadata_is_at_the_inserted_path(get: Get) -> None:
    answer = get(None, f"{WELL_KNOWN}/notes")

    assert answer.json() == {
        "resource": "https://api.example.org/notes",
        "authorization_servers": ["https://auth.example.org"],
        "scopes_supported": ["notes:read", "notes:write"],
        "bearer_methods_supported": ["header"],
        "dpop_signing_alg_values_supported": ["PS256", "ES256", "EdDSA"],
    }
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert answer.headers["Cache-Control"] == "public, max-age=3600"


PATHS = [
    ("https://api.example.org", WELL_KNOWN),
    ("https://api.example.org/", WELL_KNOWN),
    ("https://api.example.org/a/b", f"{WELL_KNOWN}/a/b"),
    ("https://api.example.org/a/", f"{WELL_KNOWN}/a/"),
    ("http://localhost:8000/mcp", f"{WELL_KNOWN}/mcp"),
]


@pytest.mark.parametrize(("resource", "path"), PATHS)
def test_the_resource_is_stated_exactly(resource: str, path: str, settings: Any, get: Get) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "RESOURCE": resource}

    assert get(None, path).json()["resource"] == resource
    address = get(None).headers["WWW-Authenticate"].partition('resource_metadata="')[2].partition('"')[0]
    assert address.endswith(path)
    assert address.startswith(resource.partition("//")[0])


@pytest.mark.parametrize("path", [WELL_KNOWN, f"{WELL_KNOWN}/", f"{WELL_KNOWN}/notes/", f"{WELL_KNOWN}/other"])
def test_no_other_address_has_it(path: str, get: Get) -> None:
    assert get(None, path).status_code == 404


def test_offline_access_is_no_scope_of_a_resource_server(settings: Any, get: Get) -> None:
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, "SCOPES": ["notes:read", "offline_access"]}

    assert get(None, f"{WELL_KNOWN}/notes").json()["scopes_supported"] == ["notes:read"]


def test_names_for_people_are_stated_if_there_are_some(settings: Any, get: Get) -> None:
    texts = {"NAME": "Notes", "DOCUMENTATION": "https://docs.example.org"}
    settings.AUTH_RESOURCE = {**settings.AUTH_RESOURCE, **texts}

    members = get(None, f"{WELL_KNOWN}/notes").json()

    assert (members["resource_name"], members["resource_documentation"]) == ("Notes", "https://docs.example.org")
