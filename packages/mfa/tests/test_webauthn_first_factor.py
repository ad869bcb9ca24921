"""Logins with a passkey alone."""

import json
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from webauthn.helpers.verify_signature import verify_signature

from auth_core import registries
from auth_core.contracts import Challenged, Granted, Transport
from auth_core.errors import InvalidCredentials, LoginExpired
from auth_core.events import AuthEvent
from auth_core.models import PendingLogin
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post
from auth_mfa.events import MfaEvent
from auth_mfa.models import WebauthnChallenge
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_totp, current_code
from auth_mfa.webauthn import passkeys

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(alice: User) -> Authenticator:
    """Alice's synced passkey."""
    return Authenticator(backup_eligible=True, backup_state=True).added_to(alice)


def begin_passkey_login(browser: Browser) -> Any:
    return post(browser, "mfa/passkeys/login")


def answer_passkey_login(browser: Browser, begun: Any, credential: Any) -> Any:
    return post(browser, "mfa/passkeys/login/answer", token=begun.json()["token"], credential=credential)


def sign_in_with_passkey(browser: Browser, key: Authenticator, /, **changed: Any) -> Any:
    begun = begin_passkey_login(browser)
    return answer_passkey_login(browser, begun, key.sign(begun.json()["options"], **changed))


@pytest.mark.asvs("6.3.3")
def test_a_passkey_alone_signs_in(
    key: Authenticator, alice: User, browser: Browser, recorded_events: list[Any]
) -> None:
    begun = begin_passkey_login(browser)
    granted = answer_passkey_login(browser, begun, key.sign(begun.json()["options"]))

    assert (begun.status_code, set(begun.json())) == (200, {"token", "expires_at", "options"})
    assert begun.json()["options"]["allowCredentials"] == []
    assert (granted.status_code, granted.json()["session"]["acr"]) == (200, "aal2")
    assert granted.json()["session"]["amr"] == ["mfa", "pop", "user"]
    assert browser.get("/api/v1/me/").json()["id"] == str(identity_of(alice).subject_id)
    names = [event.name for event in recorded_events]
    assert names == [MfaEvent.FACTOR_USED, AuthEvent.LOGIN_STARTED, AuthEvent.LOGIN_SUCCEEDED]


@pytest.fixture
def applications(monkeypatch: pytest.MonkeyPatch) -> set[UUID]:
    """The applications that may be used, for a package that knows applications."""
    usable: set[UUID] = set()
    monkeypatch.setattr(registries.application_checks, "_entries", {"test": usable.__contains__})
    return usable


def sign_in_to(application: UUID | None, key: Authenticator, *, answered_for: UUID | None, **changed: Any) -> Any:
    """Sign in with a passkey as the endpoint of an application does."""
    begun = passkeys.begin_login(transport=Transport.TOKEN, client=Client(), application_id=application)
    credential = key.sign(begun.options, **changed)
    return passkeys.answer_login(token=begun.token, credential=credential, client=Client(), application_id=answered_for)


def test_a_login_with_a_passkey_keeps_its_application(
    key: Authenticator, applications: set[UUID], recorded_events: list[Any]
) -> None:
    application = uuid4()
    applications.add(application)

    outcome = sign_in_to(application, key, answered_for=application)

    assert isinstance(outcome, Granted)
    assert (outcome.grant.session.application, outcome.grant.session.actor) == (application, None)
    logins = [event for event in recorded_events if event.name.startswith("auth.login.")]
    assert [event.application for event in logins] == [application, application]


def test_a_pending_login_after_a_passkey_keeps_its_application(
    plain: Authenticator, alice: User, applications: set[UUID]
) -> None:
    application = uuid4()
    applications.add(application)
    add_totp(alice)

    outcome = sign_in_to(application, plain, answered_for=application, user_verified=False)

    assert isinstance(outcome, Challenged)
    assert PendingLogin.objects.get().application_id == application


def test_a_passkey_is_not_answered_for_another_application(key: Authenticator, applications: set[UUID]) -> None:
    one, other = uuid4(), uuid4()
    applications.update({one, other})

    for begun_for, answered_for in ((one, other), (one, None), (None, one)):
        with pytest.raises(LoginExpired):
            sign_in_to(begun_for, key, answered_for=answered_for)

    assert not PendingLogin.objects.exists()


def test_a_disabled_application_refuses_a_passkey(
    key: Authenticator, applications: set[UUID], recorded_events: list[Any]
) -> None:
    application = uuid4()

    with pytest.raises(InvalidCredentials):
        sign_in_to(application, key, answered_for=application)

    failed = next(event for event in recorded_events if event.name is AuthEvent.LOGIN_FAILED)
    assert (failed.application, failed.reason) == (application, "application")


def test_a_refused_passkey_names_the_application(
    key: Authenticator, applications: set[UUID], recorded_events: list[Any]
) -> None:
    application = uuid4()
    applications.add(application)

    with pytest.raises(InvalidCredentials):
        sign_in_to(application, key, answered_for=application, user_verified=False)

    failed = next(event for event in recorded_events if event.name is AuthEvent.LOGIN_FAILED)
    assert (failed.application, failed.reason) == (application, "user_not_verified")


@pytest.fixture
def plain(alice: User) -> Authenticator:
    """Alice's passkey, registered without user verification."""
    return Authenticator(backup_eligible=True, user_verified=False).added_to(alice)


@pytest.mark.asvs("6.5.7")
def test_a_passkey_without_user_verification_is_one_factor(plain: Authenticator, browser: Browser) -> None:
    assert sign_in_with_passkey(browser, plain).json()["session"]["acr"] == "aal1"


@pytest.mark.asvs("6.5.7")
def test_a_passkey_that_verified_its_user_once_must_do_so_again(
    key: Authenticator, browser: Browser, recorded_events: list[Any]
) -> None:
    """The options only request verification, so a thief of the unlocked device can drop it."""
    begun = begin_passkey_login(browser)
    assert begun.json()["options"]["userVerification"] == "preferred"

    refused = answer_passkey_login(browser, begun, key.sign(begun.json()["options"], user_verified=False))

    assert (refused.status_code, code_of(refused)) == (401, "invalid_credentials")
    assert [event.reason for event in recorded_events if event.name is AuthEvent.LOGIN_FAILED] == ["user_not_verified"]
    assert (key.factor.failures, key.factor.last_used_at) == (0, None)
    assert browser.get("/api/v1/me/").status_code == 401


@pytest.mark.asvs("6.5.7")
def test_a_first_verification_proves_no_more_than_possession(plain: Authenticator, browser: Browser) -> None:
    """A thief of a key without a PIN can set one."""
    assert sign_in_with_passkey(browser, plain, user_verified=True).json()["session"]["acr"] == "aal1"
    assert not plain.factor.user_verified


def test_a_verification_with_the_password_makes_it_mandatory(plain: Authenticator, browser: Browser) -> None:
    challenged = log_in(browser)
    credential = plain.sign(challenged.json()["challenge"]["data"]["options"], user_verified=True)
    granted = answer(browser, challenged, credential=credential)

    assert (granted.status_code, "user" in granted.json()["session"]["amr"]) == (200, False)
    assert plain.factor.user_verified
    assert code_of(sign_in_with_passkey(new_browser(), plain)) == "invalid_credentials"
    assert sign_in_with_passkey(new_browser(), plain, user_verified=True).json()["session"]["acr"] == "aal2"


def test_required_verification_refuses_unverified_logins(key: Authenticator, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"PASSKEY_LOGIN_VERIFICATION": "required"}

    assert begin_passkey_login(browser).json()["options"]["userVerification"] == "required"
    assert code_of(sign_in_with_passkey(browser, key, user_verified=False)) == "invalid_credentials"
    assert sign_in_with_passkey(browser, key).status_code == 200


def test_an_unverified_user_with_another_factor_is_asked_for_it(
    plain: Authenticator, alice: User, browser: Browser
) -> None:
    add_totp(alice)

    challenged = sign_in_with_passkey(browser, plain)

    assert (challenged.status_code, challenged.json()["challenge"]["method"]) == (202, "totp")
    assert answer(browser, challenged, code=current_code()).status_code == 200


def test_a_device_bound_passkey_reaches_aal3(alice: User, browser: Browser) -> None:
    assert sign_in_with_passkey(browser, Authenticator().added_to(alice)).json()["session"]["acr"] == "aal3"


def test_a_security_key_alone_does_not_sign_in(alice: User, browser: Browser) -> None:
    key = Authenticator(discoverable=False).added_to(alice)
    key.discoverable = True

    assert code_of(sign_in_with_passkey(browser, key)) == "invalid_credentials"


WRONG = [
    {"origin": "https://evil.example.org"},
    {"rp_id": "evil.example.org"},
    {"challenge": "A" * 43},
    {"client_type": "webauthn.create"},
    {"user_present": False},
    {"extra": {"crossOrigin": True}},
    {"user_handle": b"somebody else's"},
    {"user_handle": None},
    {"backup_eligible": False, "backup_state": False},
    {"user_verified": False},
    {"credential_id": b"nobody has this"},
    {"key": Authenticator().key},
]


@pytest.mark.parametrize("changed", WRONG, ids=str)
@pytest.mark.asvs("6.3.8")
def test_unknown_and_wrong_passkeys_are_refused_alike(
    changed: dict[str, Any],
    key: Authenticator,
    alice: User,
    browser: Browser,
    recorded_events: list[Any],
    atomic_requests: None,
) -> None:
    refused = sign_in_with_passkey(browser, key, **changed)
    stranger = sign_in_with_passkey(new_browser(), Authenticator(user_handle=b"x" * 16))

    assert (refused.status_code, code_of(refused)) == (401, "invalid_credentials")
    bodies = [{**each.json(), "request_id": ""} for each in (refused, stranger)]
    assert bodies[0] == bodies[1]
    assert dict(refused.headers).keys() == dict(stranger.headers).keys()
    first, second = [event for event in recorded_events if event.name is AuthEvent.LOGIN_FAILED]
    assert (first.subject, second.subject) == (None if "credential_id" in changed else alice, None)
    assert key.factor.failures == 0
    assert not PendingLogin.objects.exists()


def test_unknown_and_wrong_passkeys_cost_the_same_work(
    key: Authenticator, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = "webauthn.authentication.verify_authentication_response.verify_signature"
    verified: list[Any] = []
    monkeypatch.setattr(place, lambda **arguments: (verified.append(arguments), verify_signature(**arguments)))
    statements = []
    wrong: list[dict[str, Any]] = [
        {"key": Authenticator().key},
        {"user_verified": False},
        {"credential_id": b"unknown"},
    ]
    for changed in wrong:
        browser = new_browser()
        begun = begin_passkey_login(browser)
        credential = key.sign(begun.json()["options"], **changed)
        with django_assert_num_queries(10_000, exact=False) as captured:
            answer_passkey_login(browser, begun, credential)
        statements.append([query["sql"].split(" ")[0] for query in captured.captured_queries])

    assert statements[0] == statements[1] == statements[2]
    assert len(verified) == 3


@pytest.mark.parametrize("state", ["disabled", "locked"])
def test_a_disabled_user_is_refused_like_a_wrong_passkey(
    state: str, key: Authenticator, alice: User, browser: Browser, recorded_events: list[Any]
) -> None:
    if state == "disabled":
        User.objects.update(is_active=False)
    else:
        identity_of(alice)
        type(alice.auth_identity).objects.update(locked_at=timezone.now())  # type: ignore[attr-defined]  # made when first asked for

    refused = sign_in_with_passkey(browser, key)

    assert (refused.status_code, code_of(refused)) == (401, "invalid_credentials")
    assert recorded_events[-1].reason == state
    assert browser.get("/api/v1/me/").status_code == 401


def test_a_counter_that_went_backwards_does_not_sign_in(
    alice: User, browser: Browser, recorded_events: list[Any]
) -> None:
    key = Authenticator(sign_count=9).added_to(alice)

    assert code_of(sign_in_with_passkey(browser, key, sign_count=9)) == "invalid_credentials"
    assert MfaEvent.FACTOR_CLONED in [event.name for event in recorded_events]


def test_a_disabled_factor_does_not_sign_in(key: Authenticator, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"MAX_FAILURES": 1}
    type(key.factor).objects.update(failures=1)

    assert code_of(sign_in_with_passkey(browser, key)) == "invalid_credentials"


@pytest.mark.asvs("6.7.2")
def test_an_answer_works_once(key: Authenticator, browser: Browser, atomic_requests: None) -> None:
    begun = begin_passkey_login(browser)
    wrong = key.sign(begun.json()["options"], origin="https://evil.example.org")
    right = key.sign(begun.json()["options"])

    assert code_of(answer_passkey_login(browser, begun, wrong)) == "invalid_credentials"
    assert code_of(answer_passkey_login(browser, begun, right)) == "login_expired"


def test_a_challenge_expires(key: Authenticator, browser: Browser) -> None:
    begun = begin_passkey_login(browser)
    credential = key.sign(begun.json()["options"])

    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1), tick=False):
        assert code_of(answer_passkey_login(browser, begun, credential)) == "login_expired"


def test_a_login_belongs_to_the_browser_that_began_it(key: Authenticator, browser: Browser) -> None:
    begun = begin_passkey_login(browser)
    credential = key.sign(begun.json()["options"])
    other = new_browser()
    begin_passkey_login(other)

    assert code_of(answer_passkey_login(new_browser(), begun, credential)) == "login_expired"
    assert code_of(answer_passkey_login(other, begun, credential)) == "login_expired"
    assert answer_passkey_login(browser, begun, credential).status_code == 200


def test_a_challenge_of_another_purpose_does_not_sign_in(key: Authenticator, browser: Browser) -> None:
    challenged = log_in(browser)
    other = WebauthnChallenge.objects.get()
    credential = key.sign(challenged.json()["challenge"]["data"]["options"])

    refused = post(browser, "mfa/passkeys/login/answer", token=other.challenge, credential=credential)

    assert code_of(refused) == "login_expired"


@pytest.mark.asvs("3.5.1")
def test_a_cross_site_page_begins_and_answers_nothing(key: Authenticator) -> None:
    forged = Browser(enforce_csrf_checks=True)
    assert code_of(begin_passkey_login(forged)) == "csrf_failed"

    browser = new_browser()
    begun = begin_passkey_login(browser)
    credential = key.sign(begun.json()["options"])
    del browser.defaults["HTTP_X_CSRFTOKEN"]
    assert code_of(answer_passkey_login(browser, begun, credential)) == "csrf_failed"


def test_an_unavailable_transport_is_refused(browser: Browser) -> None:
    assert code_of(post(browser, "mfa/passkeys/login", transport="token")) == "invalid_request"
    assert code_of(post(browser, "mfa/passkeys/login", transport="pigeon")) == "invalid_request"


def test_a_login_by_token_ignores_cookies(key: Authenticator, alice: User) -> None:
    client = Client(network="192.0.2.1")
    begun = passkeys.begin_login(transport=Transport.TOKEN, client=client)

    outcome = passkeys.answer_login(
        token=begun.token, credential=key.sign(begun.options), client=client, browser_secret="elb_of another page"
    )

    assert isinstance(outcome, Granted)
    assert (outcome.grant.user, outcome.grant.session.transport) == (alice, "token")
    assert not PendingLogin.objects.exists()  # granted at once


def test_a_network_with_too_many_failures_is_limited(key: Authenticator, settings: Any) -> None:
    budgets = {"passkey": {"network": (4, timedelta(minutes=15))}}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": budgets}

    assert code_of(sign_in_with_passkey(new_browser(), key, origin="https://evil.example.org")) == "invalid_credentials"
    assert sign_in_with_passkey(new_browser(), key).status_code == 200
    begun = begin_passkey_login(browser := new_browser())
    assert code_of(answer_passkey_login(browser, begun, key.sign(begun.json()["options"]))) == "too_many_attempts"
    assert code_of(begin_passkey_login(new_browser())) == "too_many_attempts"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)


@given(token=JSON, credential=JSON)
@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_garbage_is_refused_and_changes_nothing(token: Any, credential: Any, db: None, browser: Browser) -> None:
    body = json.dumps({"token": token, "credential": credential})
    refused = browser.post("/api/v1/mfa/passkeys/login/answer/", body, content_type="application/json")

    assert refused.status_code in (400, 401)
    assert code_of(refused) in ("invalid_request", "login_expired", "malformed_body")
