"""Applications that register themselves (RFC 7591), and manage their registration (RFC 7592)."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.hashers import check_password
from django.core.checks import run_checks
from oauth2_provider.models import get_application_model

from auth_core.crypto.secrets import digest
from auth_core.oauth.applications.changes import change_application
from auth_core.oauth.clients.registry import TOKEN_EXCHANGE
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, Authorization, DynamicRegistration, InitialAccessToken
from auth_core.oauth.sweep import delete_expired
from auth_core.oauth.testing.factories import (
    REDIRECT_URI,
    Registered,
    make_application,
    make_tokens,
    userinfo,
)
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication
from auth_core.oauth.toolkit import toolkit_settings
from auth_core.oauth_resource.keys import documents
from auth_core.testing.clock import Clock
from people import answer_in, authorize, browser_of, decide
from registrations import ADDRESS, Web, initial_token, manage, register, registered, send_metadata, update_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def switched_on(settings: Any) -> None:
    """A site that lets applications register themselves."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DYNAMIC_REGISTRATION": True}


@pytest.fixture
def web_of_clients(monkeypatch: pytest.MonkeyPatch) -> Web:
    """What clients publish."""
    web = Web()
    monkeypatch.setattr(documents, "fetch", web.fetch)
    return web


def state() -> list[Any]:
    models: list[Any] = [get_application_model(), ApplicationPolicy, DynamicRegistration, InitialAccessToken]
    return [list(model._base_manager.order_by("pk").values()) for model in models]


def application_of(client: dict[str, Any]) -> Registered:
    row = get_application_model().objects.get(client_id=client["client_id"])
    return Registered(row=row, secret=client.get("client_secret", ""))


@pytest.mark.parametrize("method", ["post", "get", "put", "delete"])
def test_it_is_off_unless_a_site_turns_it_on(method: str, settings: Any, client: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DYNAMIC_REGISTRATION": False}
    address = ADDRESS if method == "post" else f"{ADDRESS}/x"

    assert send_metadata(method, address, initial_token(), {}).status_code == 404
    assert "registration_endpoint" not in client.get("/.well-known/openid-configuration").json()


def test_discovery_names_the_endpoint(client: Any) -> None:
    metadata = client.get("/.well-known/openid-configuration").json()

    assert metadata["registration_endpoint"] == "https://auth.example.org/oauth/register"


def test_a_registered_client_gets_tokens(alice: Any) -> None:
    client = registered(client_name="Notes", grant_types=["authorization_code", "refresh_token"])
    application = application_of(client)

    tokens = make_tokens(application, alice)

    assert userinfo(tokens["access_token"]).status_code == 200
    assert tokens["refresh_token"]
    policy = application.policy
    assert (policy.is_first_party, policy.is_service_account, policy.is_active) == (False, False, True)
    assert application.row.registration_source == "dcr"


def test_the_answer_has_what_was_registered() -> None:
    members = {
        "post_logout_redirect_uris": ["https://rp.example/out"], "client_uri": "https://rp.example/",
        "logo_uri": "https://rp.example/logo.png", "policy_uri": "https://rp.example/policy", "tos_uri": "https://rp.example/tos",
        "token_endpoint_auth_method": "client_secret_post", "id_token_signed_response_alg": "ES256",
        "backchannel_logout_uri": "https://rp.example/ended", "backchannel_logout_session_required": False,
        "dpop_bound_access_tokens": True, "require_pushed_authorization_requests": True,
    }  # fmt: skip
    answer = register(**members, contacts=["x@rp.example"], software_id="x", unknown={"a": 1})
    body = answer.json()

    assert answer.status_code == 201
    assert answer.headers["Cache-Control"] == "no-store"
    assert {name: body[name] for name in members} == members
    assert body["client_secret_expires_at"] == 0
    assert body["response_types"] == ["code"]
    assert body["grant_types"] == ["authorization_code"]
    assert body["registration_client_uri"] == f"https://auth.example.org/oauth/register/{body['client_id']}"
    assert not {"contacts", "software_id", "unknown"} & set(body)


def test_no_secret_is_stored_as_it_is(events: list[Any]) -> None:
    token = initial_token()
    client = registered(token)

    secrets = {token, client["registration_access_token"], client["client_secret"]}
    assert not any(secret in str(state()) or secret in str(events) for secret in secrets)
    assert DynamicRegistration.objects.get().token_digest == digest(client["registration_access_token"])
    assert [event.name for event in events] == [
        OAuthEvent.INITIAL_TOKEN_ISSUED, OAuthEvent.APPLICATION_ADDED, OAuthEvent.REGISTRATION_ADDED,
    ]  # fmt: skip


@pytest.mark.parametrize("token", ["", "wrong", "eit_" + "x" * 43, "x" * 9000, "a b"])
def test_without_an_initial_access_token_nothing_is_registered(token: str) -> None:
    before = state()

    answer = send_metadata("post", ADDRESS, token, {"redirect_uris": [REDIRECT_URI]})

    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert state() == before


def test_without_a_header_there_is_a_challenge() -> None:
    answer = send_metadata("post", ADDRESS, None, {"redirect_uris": [REDIRECT_URI]})

    assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_a_token_works_as_often_as_it_was_issued_for() -> None:
    token = initial_token(uses=2)

    statuses = [register(token).status_code for _try in range(4)]

    assert statuses == [201, 201, 401, 401]
    assert get_application_model().objects.count() == 2


def test_a_token_expires(clock: Clock) -> None:
    token = initial_token(lifetime=timedelta(minutes=5))

    clock.forward(minutes=5)

    assert register(token).status_code == 401
    assert delete_expired() == 1
    assert not InitialAccessToken.objects.exists()


def test_what_is_refused_spends_no_use() -> None:
    token = initial_token()

    assert register(token, uris=["http://evil.example/cb"]).status_code == 400
    assert register(token).status_code == 201


def test_wrong_tokens_are_limited_by_network(settings: Any, events: list[Any]) -> None:
    budgets = {"client": {"network": (3, timedelta(minutes=15))}}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": budgets}

    statuses = [register("wrong").status_code for _try in range(5)]

    assert statuses == [401, 401, 401, 429, 429]
    failures = [event for event in events if event.name == OAuthEvent.CLIENT_FAILED]
    assert {event.reason for event in failures} == {"initial_token"}


#: Redirect addresses that no application may have. More are in test_redirect_uris.py.
BAD_ADDRESSES = [
    "http://rp.example/cb", "https://rp.example/cb#f", "https://*.example/cb", "https://u:p@rp.example/cb", "javascript:alert(1)",
    "//rp.example", "app:/cb", "https:///cb", "https://rp.example/c b", "",
]  # fmt: skip


@pytest.mark.asvs("10.4.7")
@pytest.mark.parametrize("uri", BAD_ADDRESSES)
def test_a_bad_redirect_address_is_named(uri: str) -> None:
    before, token = state(), initial_token()

    answer = register(token, uris=[uri])

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_redirect_uri")
    assert state()[:3] == before[:3]


#: Metadata that is refused.
BAD: dict[str, dict[str, Any]] = {
    "addresses as a text": {"redirect_uris": REDIRECT_URI},
    "addresses of another type": {"redirect_uris": [1]},
    "an address with NUL": {"redirect_uris": ["https://rp.example/\x00"]},
    "half a character": {"client_name": "\ud800"},
    "a name of two lines": {"client_name": "a\nb"},
    "a long name": {"client_name": "x" * 256},
    "a name of another type": {"client_name": {"en": "x"}},
    "an unknown grant": {"grant_types": ["password"]},
    "the implicit grant": {"grant_types": ["implicit"]},
    "a refresh without a login": {"grant_types": ["refresh_token"]},
    "the response type token": {"response_types": ["token"]},
    "a hybrid response type": {"response_types": ["code id_token"]},
    "a response type without its grant": {"response_types": ["code"], "grant_types": ["client_credentials"]},
    "an unknown authentication": {"token_endpoint_auth_method": "tls_client_auth"},
    "a secret that signs": {"token_endpoint_auth_method": "client_secret_jwt"},
    "a key without one": {"token_endpoint_auth_method": "private_key_jwt"},
    "a public client for itself": {"token_endpoint_auth_method": "none", "grant_types": ["client_credentials"]},
    "an unsigned ID token": {"id_token_signed_response_alg": "none"},
    "an ID token signed with a secret": {"id_token_signed_response_alg": "HS256"},
    "an encrypted ID token": {"id_token_encrypted_response_alg": "RSA-OAEP"},
    "userinfo signed with a secret": {"userinfo_signed_response_alg": "HS256"},
    "assertions without a signature": {"token_endpoint_auth_signing_alg": "none"},
    "an unknown kind of ids": {"subject_type": "secret"},
    "pairwise ids without a sector": {
        "subject_type": "pairwise",
        "redirect_uris": [REDIRECT_URI, "https://other.example/cb"],
    },
    "the exchange of tokens": {"grant_types": [TOKEN_EXCHANGE]},
    "types as a text": {"authorization_details_types": "account"},
    "an unknown kind": {"application_type": "robot"},
    "a logo without TLS": {"logo_uri": "http://rp.example/logo.png"},
    "a logo that is a script": {"logo_uri": "javascript:alert(1)"},
    "a page in a private scheme": {"policy_uri": "com.example.app:/policy"},
    "a long page": {"tos_uri": "https://rp.example/" + "x" * 512},
    "keys as a text": {"jwks": "{}"},
    "private keys": {"jwks": {"keys": [KeyHolder().key.as_dict(private=True)]}},
    "keys and their address": {"jwks": json.loads(KeyHolder().jwks), "jwks_uri": "https://rp.example/keys"},
    "keys without TLS": {"jwks_uri": "http://rp.example/keys", "token_endpoint_auth_method": "private_key_jwt"},
    "a flag as a text": {"dpop_bound_access_tokens": "true"},
    "too many addresses": {"post_logout_redirect_uris": [f"https://rp.example/{number}" for number in range(101)]},
    "a sector without TLS": {"sector_identifier_uri": "http://rp.example/sector"},
}


@pytest.mark.asvs("10.4.7")
@pytest.mark.parametrize("case", BAD)
def test_bad_metadata_is_refused_and_changes_nothing(case: str, web_of_clients: Web) -> None:
    token = initial_token()
    before = state()

    answer = register(token, **BAD[case])

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert answer.json()["error_description"]
    assert state() == before
    assert web_of_clients.requests == []


BODIES: list[Any] = [
    b"", b"x", b"[]", b'"x"', b"null", b'{"a": 1, "a": 2}', b'{"redirect_uris": ["\xff"]}', b"[" * 50_000, b'{"a":' * 5000,
    b'{"client_name": NaN', b"1" * 5000,
]  # fmt: skip


@pytest.mark.parametrize("body", BODIES)
def test_a_body_that_is_no_json_object_is_refused(body: bytes) -> None:
    answer = send_metadata("post", ADDRESS, initial_token(), body)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")


def test_a_form_and_a_long_body_are_refused() -> None:
    token = initial_token()
    form = send_metadata("post", ADDRESS, token, b"redirect_uris=x", content_type="application/x-www-form-urlencoded")
    long = send_metadata("post", ADDRESS, token, {"redirect_uris": [REDIRECT_URI], "x": "y" * 70_000})

    assert (form.status_code, form.json()["error"]) == (400, "invalid_client_metadata")
    assert long.status_code == 413


@pytest.mark.parametrize(
    ("statement", "error"),
    [(1, "invalid_software_statement"), ("x", "invalid_software_statement"), (None, "unapproved_software_statement")],
)
def test_a_software_statement_is_refused(statement: Any, error: str) -> None:
    signed = KeyHolder().sign({"software_id": "x"}, {})

    answer = register(software_statement=signed if statement is None else statement)

    assert (answer.status_code, answer.json()["error"]) == (400, error)


def test_a_client_has_no_scope_that_its_initial_token_did_not_allow(settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"orders:read": "Read orders", "orders:write": "Write"}}
    grants = ["authorization_code", "client_credentials"]
    client = registered(
        initial_token(scopes=("orders:read",)), scope="openid orders:read orders:write", grant_types=grants
    )
    application = application_of(client)

    assert client["scope"] == "orders:read"
    assert application.policy.scopes == "orders:read"
    more = manage("put", client, update_of(client, scope="orders:write orders:read"))
    assert more.json()["scope"] == "orders:read"
    refused = application.post("/oauth/token", grant_type="client_credentials", scope="orders:write")
    assert refused.json()["error"] == "invalid_scope"


def test_no_client_makes_itself_one_of_the_operator(alice: Any) -> None:
    client = registered(
        is_first_party=True, first_party=True, is_service_account=True, active=True, required_assurance=""
    )

    policy = application_of(client).policy
    assert (policy.is_first_party, policy.is_service_account) == (False, False)


def test_a_client_that_states_nothing_has_the_defaults() -> None:
    client = registered(token_endpoint_auth_method=None, client_name=None)

    assert client["token_endpoint_auth_method"] == "client_secret_basic"
    assert client["grant_types"] == ["authorization_code"]
    assert client["id_token_signed_response_alg"] == "RS256"
    assert client["client_name"] == "rp.example"


def test_a_client_chooses_no_id() -> None:
    assert registered(client_id="victim")["client_id"] != "victim"


def test_a_public_client_has_no_secret(alice: Any) -> None:
    client = registered(uris=["http://127.0.0.1/cb"], token_endpoint_auth_method="none", application_type="native")

    assert "client_secret" not in client
    assert client["token_endpoint_auth_method"] == "none"


def test_a_client_authenticates_with_the_key_that_it_registered() -> None:
    holder = KeyHolder()
    client = registered(
        uris=(),
        grant_types=["client_credentials"],
        token_endpoint_auth_method="private_key_jwt",
        jwks=json.loads(holder.jwks),
    )
    signing = SigningApplication(row=application_of(client).row, secret="", holder=holder)

    assert "client_secret" not in client
    assert signing.post("/oauth/token", grant_type="client_credentials").status_code == 200
    assert client["jwks"] == json.loads(holder.jwks)


def test_the_profile_high_of_the_site_holds_for_registrations(settings: Any) -> None:
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "PROFILE": "high"}

    assert register().json()["error"] == "invalid_client_metadata"
    assert register(token_endpoint_auth_method="none").json()["error"] == "invalid_client_metadata"
    key = {"token_endpoint_auth_method": "private_key_jwt", "jwks": json.loads(KeyHolder().jwks)}
    assert register(**key).status_code == 201


SECTOR = "https://rp.example/sector.json"
LISTS: dict[str, Any] = {
    "nothing": None, "no list": {"a": 1}, "no JSON": b"x", "another address": ["https://rp.example/other"], "empty": [],
    "other types": [1, None, [REDIRECT_URI]], "deep": b"[" * 50_000,
}  # fmt: skip


@pytest.mark.parametrize("case", LISTS)
def test_a_sector_must_list_the_redirect_addresses(case: str, web_of_clients: Web) -> None:
    if LISTS[case] is not None:
        web_of_clients.documents[SECTOR] = LISTS[case]
    token = initial_token()
    before = state()

    answer = register(token, sector_identifier_uri=SECTOR)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client_metadata")
    assert state() == before


def test_a_sector_is_checked_again_at_an_update(web_of_clients: Web) -> None:
    web_of_clients.documents[SECTOR] = [REDIRECT_URI, "https://rp.example/second"]
    client = registered(sector_identifier_uri=SECTOR)
    assert client["sector_identifier_uri"] == SECTOR

    more = update_of(client, redirect_uris=[REDIRECT_URI, "https://rp.example/third"])
    refused = manage("put", client, more)

    assert refused.json()["error"] == "invalid_client_metadata"
    second = update_of(client, redirect_uris=["https://rp.example/second"])
    assert manage("put", client, second).status_code == 200


def test_wrong_sectors_are_limited_by_network(web_of_clients: Web, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"client": {"network": (3, timedelta(minutes=15))}}}
    token = initial_token()

    statuses = [register(token, sector_identifier_uri=SECTOR).status_code for _try in range(5)]

    assert statuses == [400, 400, 400, 429, 429]
    assert len(web_of_clients.requests) == 3


def test_a_registration_is_read(events: list[Any]) -> None:
    client = registered(logo_uri="https://rp.example/logo.png")

    answer = manage("get", client)

    secret = {"client_secret", "client_secret_expires_at"}
    assert answer.status_code == 200
    assert answer.json() == {name: value for name, value in client.items() if name not in secret}


def test_an_update_replaces_everything_and_the_token() -> None:
    client = registered(logo_uri="https://rp.example/logo.png", policy_uri="https://rp.example/policy")

    body = manage("put", client, update_of(client, client_name="Renamed", logo_uri=None)).json()

    assert (body["client_name"], body.get("logo_uri")) == ("Renamed", None)
    assert body["policy_uri"] == "https://rp.example/policy"
    assert body["registration_access_token"] != client["registration_access_token"]
    assert manage("get", client).status_code == 401, "the token before"
    assert manage("get", body).status_code == 200
    assert "client_secret" not in body
    assert check_password(client["client_secret"], application_of(client).row.client_secret)


def without(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda client: update_of(client, **{name: None})


def with_member(**members: Any) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda client: update_of(client, **members)


BAD_UPDATES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "no client id": without("client_id"),
    "another client id": with_member(client_id="another"),
    "another secret": with_member(client_secret="another"),
    "a secret of another type": with_member(client_secret=1),
    "its token": with_member(registration_access_token="x"),
    "its address": with_member(registration_client_uri="https://rp.example/"),
    "a moment of ours": with_member(client_id_issued_at=1),
    "public now": with_member(token_endpoint_auth_method="none"),
    "a bad address": with_member(redirect_uris=["http://evil.example/cb"]),
    "no address": without("redirect_uris"),
}


@pytest.mark.parametrize("case", BAD_UPDATES)
def test_a_bad_update_is_refused_and_changes_nothing(case: str) -> None:
    """The rules of a registration hold for an update as well: a check at the registration alone would be passed by later."""
    client = registered()
    before = state()

    answer = manage("put", client, BAD_UPDATES[case](client))

    assert answer.status_code == 400
    assert answer.json()["error"] in ("invalid_client_metadata", "invalid_redirect_uri")
    assert state() == before
    assert manage("get", client).status_code == 200, "the token still works"


def test_a_client_that_changes_to_a_key_and_back_gets_a_new_secret() -> None:
    client = registered(grant_types=["client_credentials"], uris=())
    holder = KeyHolder()
    key = {"token_endpoint_auth_method": "private_key_jwt", "jwks": json.loads(holder.jwks), "client_secret": None}

    with_key = manage("put", client, update_of(client, **key)).json()
    assert "client_secret" not in with_key
    assert application_of(client).post("/oauth/token", grant_type="client_credentials").status_code == 401
    back = {"token_endpoint_auth_method": "client_secret_post", "jwks": None}
    again = manage("put", with_key, update_of(with_key, **back)).json()

    assert again["client_secret"] != client["client_secret"]
    assert application_of(again).post("/oauth/token", grant_type="client_credentials").status_code == 200


def test_a_removed_registration_ends_everything(alice: Any, events: list[Any]) -> None:
    client = registered()
    application = application_of(client)
    token = make_tokens(application, alice)["access_token"]

    answer = manage("delete", client)

    assert answer.status_code == 204
    assert userinfo(token).status_code == 401
    assert not get_application_model().objects.exists()
    assert not Authorization.objects.exists()
    assert manage("delete", client).status_code == 401
    assert OAuthEvent.APPLICATION_REMOVED in [event.name for event in events]


def tokens_that_manage_nothing(client: dict[str, Any], alice: Any) -> list[str]:
    """Every other token that such a client may have."""
    application = application_of(client)
    other = registered()
    tokens = make_tokens(application, alice)
    return [
        "wrong", other["registration_access_token"], initial_token(), client["client_secret"], tokens["access_token"],
        tokens["id_token"], client["registration_access_token"][:-1],
    ]  # fmt: skip


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_no_other_token_manages_a_registration(method: str, alice: Any) -> None:
    client = registered()
    for token in tokens_that_manage_nothing(client, alice):
        body = update_of(client) if method == "put" else None
        answer = manage(method, client, body, token=token)

        assert (answer.status_code, answer.json()["error"]) == (401, "invalid_token")
    assert manage("get", client).status_code == 200


def test_a_client_that_an_administrator_made_has_no_registration(web: Registered) -> None:
    other = registered()

    answer = send_metadata("get", f"{ADDRESS}/{web.client_id}", other["registration_access_token"])

    assert answer.status_code == 401


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_a_disabled_application_manages_nothing(method: str) -> None:
    client = registered()
    change_application(policy=application_of(client).policy, is_active=False)

    answer = manage(method, client, update_of(client) if method == "put" else None)

    assert answer.status_code == 401
    assert not application_of(client).policy.is_active


@pytest.mark.parametrize("method", ["post", "get", "put"])
def test_other_methods_are_not_allowed(method: str) -> None:
    address = f"{ADDRESS}/x" if method == "post" else ADDRESS

    assert send_metadata(method, address, initial_token(), {}).status_code == 405


def test_a_session_of_a_browser_opens_nothing(administrator: Any) -> None:
    answer = administrator.post(ADDRESS, {"redirect_uris": [REDIRECT_URI]}, content_type="application/json")

    assert answer.status_code == 401


@pytest.mark.asvs("10.4.7")
def test_the_consent_page_says_that_nobody_checked_the_application(alice: Any) -> None:
    client = registered(client_name="Notes", policy_uri="https://rp.example/policy")

    page = authorize(browser_of(alice), application_of(client)).content.decode()

    assert "This application registered itself." in page
    assert 'href="https://rp.example/policy" rel="noreferrer noopener"' in page
    other = authorize(browser_of(alice), make_application()).content.decode()
    assert "registered itself" not in other


LOGOS = [
    ("https://rp.example/logo.png", True), ("https://bank.example/logo.png", False), ("https://rp.example.evil.example/l", False),
    ("https://rp.example:8443/logo.png", True),
]  # fmt: skip


@pytest.mark.asvs("10.4.7")
@pytest.mark.parametrize(("logo", "is_shown"), LOGOS)
def test_the_logo_of_another_host_is_not_shown(logo: str, is_shown: bool, alice: Any) -> None:
    client = registered(logo_uri=logo)

    page = authorize(browser_of(alice), application_of(client))

    assert ("<img" in page.content.decode()) is is_shown
    policy = page.headers.get("Content-Security-Policy", "")
    assert (logo.rpartition("/")[0] in policy) is is_shown


def test_a_changed_name_asks_for_consent_again(alice: Any) -> None:
    client = registered(client_name="Notes")
    application, browser = application_of(client), browser_of(alice)
    assert "code" in answer_in(decide(browser, authorize(browser, application)))
    assert "code" in answer_in(authorize(browser, application)), "it is remembered"

    manage("put", client, update_of(client, client_name="Your bank"))

    assert "Your bank" in authorize(browser, application).content.decode()


def test_the_registration_of_the_toolkit_is_off(settings: Any) -> None:
    assert toolkit_settings("https://auth.example.org")["DCR_ENABLED"] is False
    settings.OAUTH2_PROVIDER = {**settings.OAUTH2_PROVIDER, "DCR_ENABLED": True}

    assert "auth_oauth.E015" in [message.id for message in run_checks()]
