"""The device grant at the endpoints, over HTTP (RFC 8628, RFC 10027)."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import IntegrityError
from joserfc.jws import extract_compact

from auth_core.events import Event, event_recorded
from auth_core.oauth.clients.registry import DEVICE_CODE
from auth_core.oauth.device_grant import exchange, requests
from auth_core.oauth.device_grant.user_codes import new_user_code, typed_code
from auth_core.oauth.endpoints.metadata import provider_metadata
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, Authorization, DeviceRequest, Resource, SpentProof
from auth_core.oauth.sweep import delete_expired
from auth_core.oauth.testing.factories import Registered, introspect, refresh, userinfo
from auth_core.oauth.testing.proofs import KeyHolder, make_signing_application
from auth_core.people.locking import disable_account, lock_account
from auth_core.testing.factories import make_user
from devices import (
    ADDRESS,
    ask,
    asked_codes,
    connect,
    decision_page,
    device_tokens,
    error_of,
    make_device_application,
    poll,
    press,
)
from people import browser_of

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def device_grant(settings: Any) -> None:
    """Switch the grant on."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DEVICE_GRANT": True}


@pytest.fixture
def tv(db: None) -> Registered:
    """A public application on a device."""
    return make_device_application()


def test_a_device_gets_tokens_after_the_person_has_allowed_it(
    tv: Registered, alice: Any, clock: Any, events: list[Event]
) -> None:
    response = ask(tv)
    codes = response.json()

    assert response.headers["Cache-Control"] == "no-store"
    assert set(codes) == {
        "device_code", "user_code", "verification_uri", "verification_uri_complete", "expires_in", "interval",
    }  # fmt: skip
    assert codes["verification_uri"] == "https://auth.example.org/device/"
    assert codes["verification_uri_complete"] == f"{codes['verification_uri']}?user_code={codes['user_code']}"
    assert (codes["expires_in"], codes["interval"]) == (600, 5)
    assert len(codes["device_code"]) == 47
    assert error_of(poll(tv, codes["device_code"])) == "authorization_pending"

    connect(alice, codes)
    clock.forward(seconds=5)
    answer = poll(tv, codes["device_code"])

    body = answer.json()
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == {"access_token", "token_type", "expires_in", "scope", "refresh_token", "id_token"}
    assert userinfo(body["access_token"]).json()["email"] == "alice@example.org"
    assert refresh(tv, body["refresh_token"]).status_code == 200
    names = [event.name for event in events if event.name.startswith("oauth.")]
    assert names == [
        OAuthEvent.USER_CODE_ENTERED, OAuthEvent.AUTHORIZATION_GRANTED, OAuthEvent.DEVICE_CODE_EXCHANGED,
        OAuthEvent.TOKEN_REFRESHED,
    ]  # fmt: skip
    entered = next(event for event in events if event.name is OAuthEvent.USER_CODE_ENTERED)
    assert entered.application == tv.policy.id
    assert entered.data == {"device_ip": ADDRESS, "device_agent": "Chrome, Linux"}


def test_a_client_with_a_secret_authenticates_at_both_endpoints(alice: Any) -> None:
    application = make_device_application(public=False)
    stranger = Registered(row=application.row, secret="wrong")

    assert ask(stranger).status_code == 401
    codes = asked_codes(application)
    connect(alice, codes)
    assert poll(stranger, codes["device_code"]).status_code == 401
    assert poll(application, codes["device_code"]).status_code == 200


def test_codes_are_stored_as_digests(tv: Registered) -> None:
    codes = asked_codes(tv)

    row = DeviceRequest.objects.get()
    stored = " ".join(str(value) for value in vars(row).values())
    assert codes["device_code"] not in stored
    assert codes["user_code"].replace("-", "") not in stored.replace("-", "")
    assert codes["device_code"] not in repr(row)


def test_the_table_of_the_toolkit_stays_empty(tv: Registered, alice: Any) -> None:
    device_tokens(tv, alice)

    assert not apps.get_model("oauth2_provider", "DeviceGrant").objects.exists()


# --- What a device hears ----------------------------------------------------------


def test_a_poll_that_comes_too_early_makes_the_interval_longer(tv: Registered, alice: Any, clock: Any) -> None:
    code = (codes := asked_codes(tv))["device_code"]
    assert error_of(poll(tv, code)) == "authorization_pending"

    assert error_of(poll(tv, code)) == "slow_down"
    assert DeviceRequest.objects.get().interval == 10
    clock.forward(seconds=9)
    assert error_of(poll(tv, code)) == "slow_down"
    assert DeviceRequest.objects.get().interval == 15
    clock.forward(seconds=15)
    assert error_of(poll(tv, code)) == "authorization_pending"
    clock.forward(seconds=14)
    assert error_of(poll(tv, code)) == "slow_down"

    # It is an answer about a pending request. What is approved is not held back.
    connect(alice, codes)
    assert poll(tv, code).status_code == 200


def test_each_device_code_has_an_interval_of_its_own(tv: Registered) -> None:
    first, second = asked_codes(tv)["device_code"], asked_codes(tv)["device_code"]

    assert [error_of(poll(tv, code)) for code in (first, second, first)] == [
        "authorization_pending", "authorization_pending", "slow_down",
    ]  # fmt: skip


def test_the_interval_has_an_end(tv: Registered) -> None:
    code = asked_codes(tv)["device_code"]
    DeviceRequest.objects.update(interval=requests._LONGEST_INTERVAL)
    poll(tv, code)

    assert error_of(poll(tv, code)) == "slow_down"
    assert DeviceRequest.objects.get().interval == requests._LONGEST_INTERVAL


def test_a_poll_is_no_refusal_in_the_trail(tv: Registered, events: list[Event]) -> None:
    code = asked_codes(tv)["device_code"]

    assert [error_of(poll(tv, code)) for _poll in range(3)] == ["authorization_pending", "slow_down", "slow_down"]
    assert OAuthEvent.REQUEST_REFUSED not in [event.name for event in events]


def test_a_denied_request(tv: Registered, alice: Any, events: list[Event]) -> None:
    codes = asked_codes(tv)
    connect(alice, codes, "deny")

    assert [error_of(poll(tv, codes["device_code"])) for _poll in range(2)] == ["access_denied"] * 2
    assert OAuthEvent.AUTHORIZATION_DENIED in [event.name for event in events]
    assert not Authorization.objects.exists()


@pytest.mark.parametrize("is_approved", [True, False])
def test_an_expired_code(tv: Registered, alice: Any, clock: Any, is_approved: bool) -> None:
    codes = asked_codes(tv)
    if is_approved:
        connect(alice, codes)
    clock.forward(minutes=10)

    assert error_of(poll(tv, codes["device_code"])) == "expired_token"


def test_a_code_works_once_and_its_replay_ends_what_it_issued(tv: Registered, alice: Any, events: list[Event]) -> None:
    codes = asked_codes(tv)
    connect(alice, codes)
    body = poll(tv, codes["device_code"]).json()

    assert error_of(poll(tv, codes["device_code"])) == "invalid_grant"
    assert userinfo(body["access_token"]).status_code == 401
    assert error_of(refresh(tv, body["refresh_token"])) == "invalid_grant"
    assert Authorization.objects.get().ended_reason == "device_code_replayed"
    assert OAuthEvent.DEVICE_CODE_REPLAYED in [event.name for event in events]


@pytest.mark.parametrize("moment", ["count_poll", "redeem"])
def test_an_approval_during_a_poll_is_no_replay(
    moment: str, tv: Registered, alice: Any, clock: Any, monkeypatch: Any
) -> None:
    codes = asked_codes(tv)
    original = getattr(exchange, moment)

    def approved_meanwhile(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(exchange, moment, original)
        connect(alice, codes)
        return original(*arguments, **named)

    def approved_after(*arguments: Any, **named: Any) -> Any:
        monkeypatch.setattr(exchange, moment, original)
        found = original(*arguments, **named)
        connect(alice, codes)
        return found

    monkeypatch.setattr(exchange, moment, approved_meanwhile if moment == "count_poll" else approved_after)
    assert error_of(poll(tv, codes["device_code"])) == "authorization_pending"
    monkeypatch.setattr(exchange, moment, original)
    if moment == "redeem":
        connect(alice, codes)
    assert poll(tv, codes["device_code"]).status_code == 200


@pytest.mark.parametrize("code", ["x", "edc_" + "a" * 43, "edc_" + "a" * 44, "edc_" + "a" * 42 + "\u00e4"])
def test_an_unknown_code(tv: Registered, code: str) -> None:
    assert error_of(poll(tv, code)) == "invalid_grant"


def test_a_missing_code(tv: Registered) -> None:
    assert error_of(tv.post("/oauth/token", grant_type=DEVICE_CODE)) == "invalid_request"


def test_a_code_of_another_application_spends_nothing(tv: Registered, alice: Any) -> None:
    codes = asked_codes(tv)
    connect(alice, codes)

    assert error_of(poll(make_device_application(), codes["device_code"])) == "invalid_grant"
    assert poll(tv, codes["device_code"]).status_code == 200


def test_a_code_of_the_other_grant_is_none_of_this(tv: Registered, alice: Any) -> None:
    codes = asked_codes(tv)
    connect(alice, codes)

    as_code = tv.post("/oauth/token", grant_type="authorization_code", code=codes["device_code"])

    assert error_of(as_code) == "unauthorized_client"
    assert poll(tv, codes["device_code"]).status_code == 200


# --- Who may use it ---------------------------------------------------------------


def test_it_is_off_unless_the_site_and_the_application_have_it(settings: Any, web: Registered, tv: Registered) -> None:
    assert error_of(ask(web)) == error_of(poll(web, "x")) == "unauthorized_client"
    metadata = provider_metadata()
    assert metadata["device_authorization_endpoint"] == "https://auth.example.org/oauth/device_authorization"
    assert DEVICE_CODE in metadata["grant_types_supported"]

    settings.AUTH_OAUTH = {key: value for key, value in settings.AUTH_OAUTH.items() if key != "DEVICE_GRANT"}
    assert ask(tv).status_code == 404
    assert error_of(poll(tv, "x")) == "unsupported_grant_type"
    assert browser_of(make_user()).get("/device/").status_code == 404
    metadata = provider_metadata()
    assert "device_authorization_endpoint" not in metadata
    assert DEVICE_CODE not in metadata["grant_types_supported"]


def test_no_application_has_it_under_the_profile_high(settings: Any, alice: Any) -> None:
    """Its requests must be pushed and bound to a browser."""
    application = make_signing_application(grant=DEVICE_CODE, grant_types=DEVICE_CODE, profile="high")

    assert error_of(ask(application, proof=KeyHolder().proof(path="/oauth/device_authorization"))) == (
        "unauthorized_client"
    )
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "PROFILE": "high"}
    assert ask(make_device_application()).status_code == 404
    assert "device_authorization_endpoint" not in provider_metadata()


def test_what_is_malformed_or_unknown_is_refused_and_stores_nothing(tv: Registered) -> None:
    assert error_of(ask(tv, scope='a"b')) == "invalid_scope"
    assert error_of(ask(tv, resource="https://unknown.example")) == "invalid_target"
    assert error_of(ask(tv, scope="a\x00")) == "invalid_request"
    assert ask(tv, scope="x" * 70_000).status_code == 413
    assert not DeviceRequest.objects.exists()


def test_a_token_is_for_the_resource_that_was_asked_for(tv: Registered, alice: Any) -> None:
    Resource.objects.create(uri="https://api.example")

    token = device_tokens(tv, alice, resource="https://api.example")["access_token"]

    assert json.loads(extract_compact(token.encode()).payload)["aud"] == "https://api.example"


def test_offline_access_only_if_the_application_has_refresh_tokens(alice: Any) -> None:
    with_it, without = make_device_application(), make_device_application(grant_types=DEVICE_CODE)

    outlives, ends = device_tokens(with_it, alice), device_tokens(without, alice)

    assert "offline_access" in outlives["scope"].split()
    assert "offline_access" not in ends["scope"].split()
    assert "refresh_token" not in ends
    assert [row.is_offline for row in Authorization.objects.order_by("created_at")] == [True, False]


def test_requests_of_public_applications_have_a_budget(settings: Any, tv: Registered) -> None:
    budgets = {"authorize": {"network": (2, timedelta(minutes=15))}}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {**settings.AUTH_CORE.get("BUDGETS", {}), **budgets}}

    assert [ask(tv).status_code for _request in range(3)] == [200, 200, 429]
    assert ask(make_device_application(public=False)).status_code == 200
    assert DeviceRequest.objects.count() == 3


@pytest.mark.parametrize("end", [disable_account, lock_account])
def test_a_person_who_is_not_admitted_any_more(tv: Registered, alice: Any, end: Any) -> None:
    codes = asked_codes(tv)
    connect(alice, codes)
    end(user=alice)

    assert error_of(poll(tv, codes["device_code"])) == "invalid_grant"
    assert Authorization.objects.get().ended_at is not None


def test_the_end_of_the_session_ends_what_was_not_given_offline(tv: Registered, alice: Any) -> None:
    codes, offline = asked_codes(tv, scope="openid"), asked_codes(tv)
    browser = connect(alice, codes)
    press(browser, decision_page(browser, offline["user_code"]), "allow")
    browser.post("/logout/")

    assert error_of(poll(tv, codes["device_code"])) == "invalid_grant"
    assert poll(tv, offline["device_code"]).status_code == 200


def test_a_disabled_application_gets_nothing(tv: Registered, alice: Any) -> None:
    codes = asked_codes(tv)
    connect(alice, codes)
    ApplicationPolicy.objects.update(is_active=False)

    assert poll(tv, codes["device_code"]).status_code == 401
    assert ask(tv).status_code == 401


# --- Keys and assertions ----------------------------------------------------------


def test_tokens_are_bound_to_the_key_of_the_device(tv: Registered, alice: Any) -> None:
    key = KeyHolder()
    codes = asked_codes(tv)
    connect(alice, codes)

    body = poll(tv, codes["device_code"], proof=key.proof()).json()

    assert body["token_type"] == "DPoP"
    assert error_of(refresh(tv, body["refresh_token"])) == "invalid_grant"
    assert refresh(tv, body["refresh_token"], proof=key.proof()).status_code == 200


def test_a_code_that_was_asked_for_with_a_key_is_bound_to_it(tv: Registered, alice: Any) -> None:
    key = KeyHolder()
    codes = asked_codes(tv, proof=key.proof(path="/oauth/device_authorization"))
    connect(alice, codes)

    assert error_of(poll(tv, codes["device_code"], proof=KeyHolder().proof())) == "invalid_grant"
    assert error_of(poll(tv, codes["device_code"], proof=key.proof())) == "invalid_grant", "a wrong key spends it"


def test_a_challenge_for_a_nonce_counts_no_poll(tv: Registered) -> None:
    key = KeyHolder()
    code = asked_codes(tv)["device_code"]

    challenged = poll(tv, code, proof=key.proof(nonce=None))

    assert error_of(challenged) == "use_dpop_nonce"
    nonce = challenged.headers["DPoP-Nonce"]
    assert error_of(poll(tv, code, proof=key.proof(nonce=nonce))) == "authorization_pending"
    assert ask(tv, proof=key.proof(path="/oauth/device_authorization", nonce=None)).json()["error"] == "use_dpop_nonce"


def test_each_poll_spends_its_assertion_and_its_proof(alice: Any) -> None:
    application, key = make_signing_application(grant=DEVICE_CODE, grant_types=DEVICE_CODE), KeyHolder()
    codes = asked_codes(application)
    once = {**application.credentials(), "proof": key.proof()}

    assert error_of(poll(application, codes["device_code"], **once)) == "authorization_pending"
    spent = SpentProof.objects.count()
    assert spent == 3, "the assertions of both requests, and the proof"
    assert poll(application, codes["device_code"], **once).status_code in (400, 401)
    connect(alice, codes)
    assert poll(application, codes["device_code"], proof=key.proof()).json()["token_type"] == "DPoP"


def test_an_application_that_must_prove_a_key(alice: Any) -> None:
    application = make_device_application(require_dpop=True)
    codes = asked_codes(application)
    connect(alice, codes)

    assert error_of(poll(application, codes["device_code"])) == "invalid_dpop_proof"
    assert poll(application, codes["device_code"], proof=KeyHolder().proof()).status_code == 200


def test_a_code_of_another_application_spends_no_proof(tv: Registered) -> None:
    code = asked_codes(tv)["device_code"]

    assert error_of(poll(make_device_application(), code, proof=KeyHolder().proof())) == "invalid_grant"
    assert not SpentProof.objects.exists()


# --- Rows -------------------------------------------------------------------------


def test_the_sweep_deletes_requests_an_hour_after_their_end(tv: Registered, clock: Any) -> None:
    code = asked_codes(tv)["device_code"]
    clock.forward(minutes=69)
    delete_expired()
    assert error_of(poll(tv, code)) == "expired_token"

    clock.forward(minutes=1)
    delete_expired()
    assert not DeviceRequest.objects.exists()
    assert error_of(poll(tv, code)) == "invalid_grant"


def test_no_two_requests_have_the_same_user_code(tv: Registered, monkeypatch: Any) -> None:
    codes = iter(["BCDFGHJK", "BCDFGHJK", "BCDFGHJL"])
    monkeypatch.setattr(requests, "new_user_code", lambda: next(codes))

    assert [asked_codes(tv)["user_code"] for _request in range(2)] == ["BCDF-GHJK", "BCDF-GHJL"]
    monkeypatch.setattr(requests, "new_user_code", lambda: "BCDFGHJK")
    with pytest.raises(IntegrityError):
        ask(tv)


def test_a_user_code_has_no_letter_that_looks_like_another() -> None:
    letters = set("".join(new_user_code() for _code in range(500)))

    assert letters == set("BCDFGHJKLMNPQRSTVWXZ")
    assert len(new_user_code()) == 8


@pytest.mark.parametrize("typed", ["WDJB-MJHT", "wdjbmjht", " wdjb mjht ", "W.D.J.B_M.J.H.T", "WDJB\u2010MJHT"])
def test_a_user_code_is_read_in_any_case_and_with_any_signs(typed: str) -> None:
    assert typed_code(typed) == "WDJBMJHT"


@pytest.mark.parametrize("typed", ["", "WDJBMJH", "WDJBMJHTT", "WDJBMJHA", "WDJB" + "-" * 40 + "MJHT", "\u24cc" * 8])
def test_what_is_no_user_code(typed: str) -> None:
    assert typed_code(typed) == ""


def test_what_cannot_be_recorded_is_not_given(tv: Registered, alice: Any) -> None:
    codes = asked_codes(tv)
    browser = browser_of(alice)
    page = decision_page(browser, codes["user_code"])

    def refuse(event: Event, **kwargs: Any) -> None:
        if event.name is OAuthEvent.AUTHORIZATION_GRANTED:
            raise RuntimeError

    event_recorded.connect(refuse)
    try:
        with pytest.raises(RuntimeError):
            press(browser, page, "allow")
    finally:
        event_recorded.disconnect(refuse)
    assert error_of(poll(tv, codes["device_code"])) == "authorization_pending"
    assert not Authorization.objects.exists()


def test_introspection_and_connected_applications_know_it(alice: Any) -> None:
    application = make_device_application(public=False)
    codes = asked_codes(application)
    browser = connect(alice, codes)
    token = poll(application, codes["device_code"]).json()["access_token"]

    assert introspect(application, token)["active"]
    assert "Example" in browser.get("/account/applications/").content.decode()
    browser.post(f"/account/applications/{application.policy.id}/revoke/")
    assert introspect(application, token) == {"active": False}
