"""The plans Basic OP and Form-post OP of the OpenID Foundation's conformance suite: each module by its name, in both response
modes.

Every request here sends PKCE, because this provider requires it (RFC 9700 section 2.1.1). Each docstring says what the module
checks. Every flow of a `RelyingParty` also checks state, issuer, ID token, ``at_hash`` and userinfo, as the suite does.
"""

import json
from typing import Any

import pytest
from django.core.exceptions import ValidationError
from django.test import Client as Browser
from relying_party import RelyingParty, base64url, metadata, parts_of, unsigned, userinfo

from auth_core.oauth.models import Authorization
from auth_core.oauth.testing.factories import REDIRECT_URI, Registered, post_form
from auth_core.people.lookup import identity_of
from people import decide, encoded, follow, log_in

pytestmark = pytest.mark.django_db

ADDRESS = {"street_address": "Am Platz 1", "locality": "Wien"}


def postal_address(user: Any) -> dict[str, str]:
    """The claim ``address``, as a site provides it."""
    return ADDRESS


def phone_number(user: Any) -> str:
    """The claim ``phone_number``, as a site provides it."""
    return "+43 1 000"


@pytest.fixture
def site_claims(settings: Any) -> None:
    """A site that knows addresses and phone numbers. This service itself knows none."""
    claims = {"address": f"{__name__}.postal_address", "phone_number": f"{__name__}.phone_number"}
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "CLAIMS": claims}


#: The claims that each scope opens at userinfo, for a person who has them.
CLAIMS = {
    "profile": {"name", "locale"},
    "email": {"email", "email_verified"},
    "address": {"address"},
    "phone": {"phone_number"},
}


def check_scope(rp: RelyingParty, *scopes: str) -> None:
    """Ask for *scopes*. Userinfo has their claims, and the ID token has none of them (OpenID Connect Core section 5.4)."""
    tokens = rp.flow(scope=" ".join(("openid", *scopes)))

    wanted = set().union(*(CLAIMS[scope] for scope in scopes))
    assert set(tokens.person) == {"sub", *wanted}
    assert set(tokens.body["scope"].split()) == {"openid", *scopes}
    assert not wanted & set(tokens.claims)


def test_oidcc_server(stranger: RelyingParty) -> None:
    """A person signs in and consents, and the client gets tokens: the response, the ID token and userinfo are checked."""
    tokens = stranger.tokens(stranger.signed_in(stranger.ask()))

    assert tokens.claims["sub"] == str(identity_of(stranger.person).subject_id)


def test_oidcc_response_type_missing(rp: RelyingParty) -> None:
    """A request without response_type gets unsupported_response_type or invalid_request, or a page with an error."""
    assert rp.error(rp.ask(response_type=None)) in ("unsupported_response_type", "invalid_request")


def test_oidcc_idtoken_signature(rp: RelyingParty) -> None:
    """A client that chose no algorithm gets an ID token signed with RS256, under a key of the key set."""
    assert parts_of(rp.flow().body["id_token"])[0]["alg"] == "RS256"


def test_oidcc_idtoken_unsigned(rp: RelyingParty) -> None:
    """A client cannot choose ``none``, discovery does not offer it, and the ID token has a signature."""
    policy = rp.application.policy
    policy.id_token_algorithm = "none"

    with pytest.raises(ValidationError):
        policy.full_clean()
    assert "none" not in metadata()["id_token_signing_alg_values_supported"]
    assert rp.flow().body["id_token"].rpartition(".")[2]


def test_oidcc_userinfo_get(rp: RelyingParty) -> None:
    """Userinfo answers a GET with the access token in the header, for the person of the ID token."""
    tokens = rp.flow(scope="openid email")

    assert userinfo(tokens.body["access_token"]) == tokens.person
    assert tokens.person["email"] == "alice@example.org"


def test_oidcc_userinfo_post_header(rp: RelyingParty) -> None:
    """Userinfo answers a POST with the access token in the header as it answers a GET."""
    tokens = rp.flow()

    response = Browser().post("/oauth/userinfo", HTTP_AUTHORIZATION=f"Bearer {tokens.body['access_token']}")

    assert response.status_code == 200
    assert response.json() == tokens.person


def test_oidcc_userinfo_post_body(rp: RelyingParty) -> None:
    """Userinfo answers a POST with the access token in the body as it answers a GET."""
    tokens = rp.flow()

    response = post_form("/oauth/userinfo", {"access_token": tokens.body["access_token"]})

    assert response.status_code == 200
    assert response.json() == tokens.person


def test_oidcc_ensure_request_without_nonce_succeeds_for_code_flow(rp: RelyingParty) -> None:
    """A nonce is optional with the code flow, and the ID token then has none."""
    assert "nonce" not in rp.flow(nonce=None).claims


def test_oidcc_scope_profile(rp: RelyingParty) -> None:
    """The scope profile opens the claims of a profile at userinfo."""
    check_scope(rp, "profile")


def test_oidcc_scope_email(rp: RelyingParty) -> None:
    """The scope email opens email and email_verified at userinfo."""
    check_scope(rp, "email")


def test_oidcc_scope_address(rp: RelyingParty, site_claims: None) -> None:
    """The scope address opens the claim address at userinfo, an object."""
    check_scope(rp, "address")
    assert rp.flow(scope="openid address").person["address"] == ADDRESS


def test_oidcc_scope_phone(rp: RelyingParty, site_claims: None) -> None:
    """The scope phone opens the claim phone_number at userinfo."""
    check_scope(rp, "phone")


def test_oidcc_scope_all(rp: RelyingParty, site_claims: None) -> None:
    """All scopes in one request open all of their claims."""
    check_scope(rp, *CLAIMS)


def test_oidcc_alternate_happy_flow(rp: RelyingParty) -> None:
    """Neither the order of the scopes nor that of the parameters matters (RFC 6749 section 3.3)."""
    parameters = rp.parameters(scope="email openid")
    reordered = dict(reversed(parameters.items()))

    tokens = rp.tokens(rp.browser.get("/oauth/authorize", reordered))

    assert set(tokens.person) == {"sub", *CLAIMS["email"]}
    assert not CLAIMS["email"] & set(tokens.claims)


def check_display(stranger: RelyingParty, display: str) -> None:
    """Ask with *display*: the person sees the usual pages, and the flow succeeds."""
    response = stranger.ask(display=display)

    assert b'name="password"' in follow(stranger.browser, response).content
    assert stranger.tokens(stranger.signed_in(response))


def test_oidcc_display_page(stranger: RelyingParty) -> None:
    """display=page is no error."""
    check_display(stranger, "page")


def test_oidcc_display_popup(stranger: RelyingParty) -> None:
    """display=popup is no error."""
    check_display(stranger, "popup")


def test_oidcc_prompt_login(rp: RelyingParty, clock: Any) -> None:
    """The second of two requests has prompt=login: the person signs in again, and auth_time is later."""
    first = rp.flow()
    clock.forward(minutes=1)

    second = rp.tokens(rp.proved_again(rp.ask(prompt="login")))

    assert second.claims["auth_time"] >= first.claims["auth_time"] + 60
    assert second.claims["sub"] == first.claims["sub"]


def test_oidcc_prompt_none_not_logged_in(stranger: RelyingParty) -> None:
    """prompt=none without a session sends an error to the client, and shows no page."""
    assert stranger.error(stranger.ask(prompt="none")) == "login_required"


def test_oidcc_prompt_none_logged_in(stranger: RelyingParty, clock: Any) -> None:
    """The second of two requests has prompt=none: no page, the same person and the same auth_time."""
    first = stranger.tokens(stranger.signed_in(stranger.ask()))
    clock.forward(minutes=1)

    second = stranger.flow(prompt="none")

    assert second.claims["auth_time"] == first.claims["auth_time"]
    assert second.claims["sub"] == first.claims["sub"]


@pytest.mark.asvs("7.6.1")
def test_oidcc_max_age_1(rp: RelyingParty, clock: Any) -> None:
    """The second of two requests has max_age=1, more than a second later: the person signs in again."""
    first = rp.flow()
    clock.forward(seconds=2)

    second = rp.tokens(rp.proved_again(rp.ask(max_age="1")))

    assert second.claims["auth_time"] >= first.claims["auth_time"] + 2
    assert second.claims["sub"] == first.claims["sub"]


def test_oidcc_max_age_10000(rp: RelyingParty, clock: Any) -> None:
    """The first request has max_age=15000, the second max_age=10000: no login, the same person and the same auth_time."""
    first = rp.flow(max_age="15000")
    clock.forward(minutes=1)

    second = rp.flow(max_age="10000")

    assert second.claims["auth_time"] == first.claims["auth_time"]
    assert second.claims["sub"] == first.claims["sub"]


def test_oidcc_ensure_request_with_unknown_parameter_succeeds(rp: RelyingParty) -> None:
    """Unknown parameters are ignored."""
    assert rp.flow(extra="foobar")


def test_oidcc_id_token_hint(rp: RelyingParty, clock: Any) -> None:
    """The second of two requests has prompt=none and the ID token of the first: the same person and the same auth_time."""
    first = rp.flow()
    clock.forward(minutes=1)

    second = rp.flow(prompt="none", id_token_hint=first.body["id_token"])

    assert second.claims["auth_time"] == first.claims["auth_time"]
    assert second.claims["sub"] == first.claims["sub"]
    assert rp.error(rp.ask(prompt="none", id_token_hint=unsigned(first.body["id_token"]))) == "invalid_request"


def test_oidcc_login_hint(stranger: RelyingParty) -> None:
    """login_hint is no error. The form of the login is filled in with it."""
    response = stranger.ask(login_hint="alice@example.org")

    assert 'value="alice@example.org"' in follow(stranger.browser, response).content.decode()
    assert stranger.tokens(stranger.signed_in(response))


def test_oidcc_ui_locales(stranger: RelyingParty) -> None:
    """ui_locales is no error. Unknown languages are skipped, and the first that is offered is used."""
    response = stranger.ask(ui_locales="xx-YY de en")
    page = follow(stranger.browser, log_in(stranger.browser, response, stranger.person))

    assert '<html lang="de"' in page.content.decode()
    assert stranger.tokens(decide(stranger.browser, page))


def test_oidcc_claims_locales(rp: RelyingParty) -> None:
    """claims_locales is no error."""
    assert rp.flow(claims_locales="se")


def test_oidcc_ensure_request_with_acr_values_succeeds(rp: RelyingParty) -> None:
    """A request for every level that discovery offers succeeds, and the ID token has one of them."""
    levels = metadata()["acr_values_supported"]

    assert rp.flow(acr_values=" ".join(levels)).claims["acr"] in levels
    assert rp.flow(acr_values="1 2").claims["acr"] in levels


def test_oidcc_codereuse(rp: RelyingParty) -> None:
    """A code that is presented a second time gets invalid_grant."""
    code = rp.code(rp.ask())
    assert rp.exchange(code).status_code == 200

    again = rp.exchange(code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")


def test_oidcc_codereuse_30seconds(rp: RelyingParty, clock: Any) -> None:
    """A code that is presented again after half a minute gets invalid_grant, and the access token of the first use ends."""
    code = rp.code(rp.ask())
    token = rp.exchange(code).json()["access_token"]
    clock.forward(seconds=30)
    assert userinfo(token)

    again = rp.exchange(code)

    assert (again.status_code, again.json()["error"]) == (400, "invalid_grant")
    assert Browser().get("/oauth/userinfo", HTTP_AUTHORIZATION=f"Bearer {token}").status_code == 401


def test_oidcc_ensure_registered_redirect_uri(rp: RelyingParty) -> None:
    """An address that is not registered gets a page with an error, and the person stays here."""
    response = rp.ask(redirect_uri=f"{REDIRECT_URI}/other")

    assert response.status_code == 400
    assert "Location" not in response.headers
    assert REDIRECT_URI not in response.content.decode()
    assert not Authorization.objects.exists()


def test_oidcc_ensure_post_request_succeeds(rp: RelyingParty) -> None:
    """The authorization endpoint takes a POST as it takes a GET."""
    body = encoded(rp.parameters())

    stored = Browser().post("/oauth/authorize", body, content_type="application/x-www-form-urlencoded")

    assert rp.tokens(follow(rp.browser, stored))


def test_oidcc_server_client_secret_post(stranger: RelyingParty) -> None:
    """A flow whose client sends its secret in the body succeeds."""
    type(stranger.application.policy).objects.update(auth_method="client_secret_post")
    stranger.auth = "client_secret_post"

    assert stranger.tokens(stranger.signed_in(stranger.ask()))


def test_oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported(rp: RelyingParty) -> None:
    """A request_uri is used, or gets request_uri_not_supported, as discovery says."""
    assert metadata()["request_uri_parameter_supported"] is False
    assert rp.error(rp.ask(request_uri="https://rp.example/request.jwt")) == "request_uri_not_supported"


def request_object(rp: RelyingParty, **changes: Any) -> str:
    """Return the parameters of a request as an unsigned request object."""
    return unsigned(f".{base64url(json.dumps(rp.parameters(**changes)).encode())}.")


def test_oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported(rp: RelyingParty) -> None:
    """An unsigned request object is used, or gets request_not_supported, as discovery says."""
    assert metadata()["request_parameter_supported"] is False
    assert rp.error(rp.ask(request=request_object(rp))) == "request_not_supported"


def test_oidcc_claims_essential(rp: RelyingParty) -> None:
    """The claim name, asked for as essential and without its scope, is at userinfo."""
    tokens = rp.flow(claims=json.dumps({"userinfo": {"name": {"essential": True}}}))

    assert tokens.person["name"] == "Alice"
    assert "email" not in tokens.person


def test_oidcc_ensure_request_object_with_redirect_uri(rp: RelyingParty) -> None:
    """The redirect address of a request object is used, or the object gets request_not_supported at the other address."""
    response = rp.ask(request=request_object(rp, redirect_uri=f"{REDIRECT_URI}/other"))

    assert rp.error(response) == "request_not_supported"


def test_oidcc_refresh_token(rp: RelyingParty, other: Registered) -> None:
    """A refresh token gets tokens for the same person and login, and is worth nothing for another client."""
    first = rp.flow(scope="openid offline_access")
    token = first.body["refresh_token"]

    response = rp.refresh(token)

    body = response.json()
    assert response.status_code == 200
    claims = rp.verified(body["id_token"], access_token=body["access_token"], nonce="")
    assert body["access_token"] != first.body["access_token"]
    assert {name: claims[name] for name in ("iss", "sub", "aud", "auth_time")} == {
        name: first.claims[name] for name in ("iss", "sub", "aud", "auth_time")
    }
    assert userinfo(body["access_token"])["sub"] == claims["sub"]
    stolen = other.post("/oauth/token", grant_type="refresh_token", refresh_token=token)
    assert (stolen.status_code, stolen.json()["error"]) == (400, "invalid_grant")


def test_oidcc_ensure_request_with_valid_pkce_succeeds(rp: RelyingParty) -> None:
    """A request with S256 gets tokens for its verifier, and a wrong verifier gets none."""
    assert metadata()["code_challenge_methods_supported"] == ["S256"]
    assert rp.flow()
    wrong = {"grant_type": "authorization_code", "code": rp.code(rp.ask()), "code_verifier": "w" * 43}
    assert rp.at_token_endpoint(wrong).json()["error"] == "invalid_grant"
