"""The rules for applications hold on every path: the API, the admin, the command, and code that saves a row."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from oauth2_provider.models import get_application_model

from administrators import CHANGE, CREATE, send, state
from auth_core.errors import InvalidRequest
from auth_core.oauth.applications.changes import change_application
from auth_core.oauth.clients.registration import create_application
from auth_core.oauth.clients.registry import DEVICE_CODE, TOKEN_EXCHANGE, find_application
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.testing.factories import REDIRECT_URI, Registered, make_application

pytestmark = pytest.mark.django_db

#: Redirect addresses that no application may have.
MALFORMED = [
    "http://evil.example/cb", "http://localhost.evil.example/", "http://127.0.0.1.nip.io/", "https://*.example/cb",
    "https://rp.example/cb#f", "https://u:p@rp.example/", "myapp:/cb", "javascript:alert(1)", "data:text/html,x",
    "com.example.app:cb", "ftp://rp.example/", "rp.example/cb", "https://", "https://rp.example/ü", "https://[::1/cb",
    "https://rp.example:99999/cb", "https://rp.example\\@evil.example/cb", "https://rp.example/a b", "//rp.example/cb",
    "/cb", "https:rp.example", "https://rp.example/<x>", "http://127.0.0.1:8000@evil.example/cb", "http://127.1/cb",
    "https://rp.example/`", "vbscript:x", "https://rp.example/" + "x" * 1990,
]  # fmt: skip

#: Values that no application may have, beside an allowed redirect address.
REFUSED: dict[str, dict[str, Any]] = {
    "a name of two lines": {"name": "a\u2028b"},
    "an unknown grant type": {"grants": ["password"]},
    "the implicit grant": {"grants": ["authorization_code", "implicit"]},
    "refresh tokens without a login": {"grants": ["refresh_token"]},
    "a login without an address": {"redirect_uris": []},
    "a service account without its grant": {"service_account": True},
    "a method without a secret": {"auth_method": "none"},
    "a key without keys": {"auth_method": "private_key_jwt"},
    "keys at an address in clear": {"jwks_uri": "http://rp.example/keys"},
    "an unknown profile": {"profile": "higher"},
    "the device grant under the profile high": {"grants": ["authorization_code", DEVICE_CODE], "profile": "high"},
    "the profile high with a secret": {"profile": "high"},
    "a scope with a quote": {"scopes": ['a"b']},
    "a back channel without TLS": {"backchannel_logout_uri": "http://rp.example/logout"},
    "a script as a page": {"client_uri": "javascript:alert(1)"},
    "an unknown subject type": {"subject_type": "secret"},
    "pairwise ids without a sector": {
        "subject_type": "pairwise",
        "redirect_uris": ["https://a.example/cb", "https://b.example/cb"],
    },
    "pairwise ids of a program": {"subject_type": "pairwise", "redirect_uris": ["http://127.0.0.1/cb"]},
    "pairwise ids of a private scheme": {"subject_type": "pairwise", "redirect_uris": ["com.example.app:/cb"]},
    "a sector in clear": {"subject_type": "pairwise", "sector_identifier_uri": "http://rp.example/sector.json"},
    "an unknown algorithm of userinfo": {"userinfo_signed_response_alg": "HS256"},
    "a type of details with a space": {"authorization_details_types": ["a b"]},
    "the issuer as an audience": {"exchange_audiences": ["https://auth.example.org"]},
    "an audience with a slash at its end": {"exchange_audiences": ["https://api.example/"]},
    "an audience that is no address": {"exchange_audiences": ["api"]},
    "the exchange of tokens without an audience": {"grants": ["urn:ietf:params:oauth:grant-type:token-exchange"]},
    "a logo in clear": {"logo_uri": "http://rp.example/logo.png"},
}


@pytest.mark.asvs("10.4.1")
@pytest.mark.parametrize("uri", MALFORMED)
@pytest.mark.parametrize("path", CREATE)
def test_no_path_registers_a_malformed_address(path: str, uri: str) -> None:
    before = state()

    assert CREATE[path](redirect_uris=[uri])

    assert state() == before


@pytest.mark.asvs("10.4.1")
@pytest.mark.parametrize("uri", MALFORMED)
@pytest.mark.parametrize("path", CHANGE)
def test_no_path_changes_an_address_to_a_malformed_one(path: str, uri: str, web: Registered) -> None:
    before = state()

    assert CHANGE[path](web.policy, redirect_uris=[REDIRECT_URI, uri])

    assert state() == before


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("path", CREATE)
def test_no_path_registers_what_the_rules_refuse(path: str, name: str) -> None:
    before = state()

    assert CREATE[path](**{"redirect_uris": [REDIRECT_URI], **REFUSED[name]})

    assert state() == before


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("path", CHANGE)
def test_no_path_changes_to_what_the_rules_refuse(path: str, name: str, web: Registered) -> None:
    before = state()

    assert CHANGE[path](web.policy, **REFUSED[name])

    assert state() == before


@pytest.mark.parametrize("uri", MALFORMED)
def test_code_that_saves_a_row_is_refused_as_well(uri: str, web: Registered) -> None:
    row = get_application_model().objects.get()
    row.redirect_uris = uri
    before = state()

    with pytest.raises(InvalidRequest):
        row.save()

    assert state() == before


@pytest.mark.parametrize(
    "columns",
    [
        {"grant_types": "password"},
        {"is_service_account": True},
        {"auth_method": "none"},
        {"client_uri": "javascript:x"},
    ],
)
def test_code_that_saves_a_policy_is_refused_as_well(columns: dict[str, Any], web: Registered) -> None:
    policy, before = web.policy, state()
    for name, value in columns.items():
        setattr(policy, name, value)

    with pytest.raises(InvalidRequest):
        policy.save()

    assert state() == before


def test_an_application_that_breaks_a_rule_can_only_be_disabled(web: Registered) -> None:
    get_application_model().objects.update(redirect_uris="http://evil.example/cb")

    with pytest.raises(InvalidRequest):
        change_application(policy=web.policy, name="Renamed")
    assert change_application(policy=web.policy, is_active=False)
    with pytest.raises(InvalidRequest):
        change_application(policy=web.policy, is_active=True)
    assert change_application(policy=web.policy, redirect_uris=[REDIRECT_URI], is_active=True)


@pytest.mark.parametrize("path", CHANGE)
def test_a_change_is_recorded_with_both_values(path: str, web: Registered, events: list[Any]) -> None:
    assert not CHANGE[path](web.policy, name="Renamed", scopes=["orders:read"], first_party=True)

    (event,) = [event for event in events if event.name is OAuthEvent.APPLICATION_CHANGED]
    assert event.actor is not None
    assert event.target == ("application", str(web.policy.pk))
    assert event.changes == {
        "name": {"before": "Example", "after": "Renamed"},
        "scopes": {"before": [], "after": ["orders:read"]},
        "first_party": {"before": False, "after": True},
    }


def test_a_change_of_nothing_records_nothing(web: Registered, events: list[Any]) -> None:
    assert not change_application(policy=web.policy, name="Example", redirect_uris=[REDIRECT_URI])

    assert [event for event in events if event.name is OAuthEvent.APPLICATION_CHANGED] == []


def test_all_values_of_a_policy_are_set_and_read_back() -> None:
    group = Group.objects.create(name="staff")
    values: dict[str, Any] = {
        "redirect_uris": [REDIRECT_URI], "post_logout_redirect_uris": ["https://rp.example/"],
        "allowed_origins": ["https://rp.example", "http://localhost:3000"],
        "grants": ["authorization_code", "refresh_token", "client_credentials"], "scopes": ["orders:read"],
        "is_first_party": True, "is_service_account": True, "auth_method": "client_secret_basic",
        "required_assurance": "aal2", "allowed_groups": [group], "token_format": "opaque",
        "rotates_refresh_tokens": True, "id_token_algorithm": "ES256",
        "backchannel_logout_uri": "https://rp.example/logout", "backchannel_session_required": False,
        "client_uri": "https://rp.example/", "logo_uri": "https://rp.example/logo.png",
        "policy_uri": "https://rp.example/privacy", "tos_uri": "https://rp.example/terms",
    }  # fmt: skip

    made = create_application(name="All", **values)

    policy = ApplicationPolicy.objects.get(pk=made.policy.pk)
    assert policy.grant_types.split() == sorted(values["grants"])
    assert list(policy.allowed_groups.all()) == [group]
    for name in ("is_first_party", "auth_method", "required_assurance", "token_format", "tos_uri"):
        assert getattr(policy, name) == values[name]
    assert not change_application(policy=policy, **values)


@pytest.mark.parametrize(
    "origin",
    ["https://rp.example/", "https://rp.example/x", "http://rp.example", "null", "*", "https://RP.example", "rp"],
)
def test_an_origin_has_no_path(origin: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        create_application(name="New", redirect_uris=[REDIRECT_URI], allowed_origins=[origin])

    assert refused.value.errors[0].field == "allowed_origins"


def test_too_many_addresses_are_refused() -> None:
    with pytest.raises(InvalidRequest):
        create_application(name="New", redirect_uris=[f"https://rp.example/{number}" for number in range(101)])


def test_a_change_of_a_removed_application_is_not_found(web: Registered, administrator: Any) -> None:
    policy = web.policy
    get_application_model().objects.all().delete()

    assert send(administrator, "patch", f"/api/v1/applications/{policy.pk}/", name="x").status_code == 404


def test_planted_addresses_are_found_by_the_rules() -> None:
    """Whether the tests above can fail: an allowed address is registered on each path."""
    refused: list[Callable[..., bool]] = list(CREATE.values())

    assert [path(redirect_uris=[REDIRECT_URI]) for path in refused] == [False, False, False]
    assert get_application_model().objects.count() == 3
    assert make_application().policy.is_active


@pytest.mark.parametrize("path", CREATE)
def test_every_path_registers_an_application_of_a_device(path: str) -> None:
    """It needs no redirect address."""
    refused = CREATE[path](grants=[DEVICE_CODE, "refresh_token"], redirect_uris=[])

    assert not refused
    row = get_application_model().objects.get()
    assert row.authorization_grant_type == row.GRANT_DEVICE_CODE
    assert set(row.auth_policy.grant_types.split()) == {DEVICE_CODE, "refresh_token"}


@pytest.mark.parametrize("path", CREATE)
def test_every_path_registers_a_service_that_only_exchanges_tokens(path: str) -> None:
    values = {"grants": [TOKEN_EXCHANGE], "exchange_audiences": ["https://api.example"], "redirect_uris": []}

    assert not CREATE[path](**values)

    policy = ApplicationPolicy.objects.get()
    assert policy.grant_types == TOKEN_EXCHANGE
    assert find_application(policy.application.client_id).grants == {TOKEN_EXCHANGE}  # type: ignore[union-attr]  # it is there


@pytest.mark.parametrize("path", CHANGE)
def test_every_path_gives_the_device_grant_to_an_application(path: str, web: Registered) -> None:
    assert not CHANGE[path](web.policy, grants=["authorization_code", "refresh_token", DEVICE_CODE])

    assert web.registered.grants == {"authorization_code", "refresh_token", DEVICE_CODE}
