"""Passkeys and security keys as second factors."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone
from webauthn.helpers import bytes_to_base64url, encode_cbor

from auth_core.contracts import Purpose, Transport
from auth_core.errors import ChallengeFailed
from auth_core.events import EventOutcome
from auth_core.models import PendingLogin
from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post, with_csrf
from auth_mfa.events import MfaEvent
from auth_mfa.login import SecondFactor
from auth_mfa.models import WebauthnChallenge
from auth_mfa.models.webauthn_challenge import LIFETIME, Ceremony
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_totp, current_code
from auth_mfa.webauthn import assertion
from auth_mfa.webauthn.assertion import relying_party, verify_userless
from auth_mfa.webauthn.ceremony import Refused
from auth_mfa.webauthn.login import Webauthn

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(alice: User) -> Authenticator:
    """Alice's passkey with a signature counter."""
    return Authenticator(sign_count=5).added_to(alice, name="Laptop")


def options_of(challenged: Any) -> Any:
    return challenged.json()["challenge"]["data"]["options"]


@pytest.mark.asvs("6.3.3")
def test_a_login_asks_for_the_passkey(key: Authenticator, browser: Browser, recorded_events: list[Any]) -> None:
    challenged = log_in(browser)
    granted = answer(browser, challenged, credential=key.sign(options_of(challenged)))

    assert (challenged.status_code, challenged.json()["challenge"]["kind"]) == (202, "webauthn")
    assert [credential["id"] for credential in options_of(challenged)["allowCredentials"]] == [key.factor.credential_id]
    assert granted.status_code == 200
    assert set(granted.json()["session"]["amr"]) == {"hwk", "mfa", "pop", "pwd", "user"}
    used = next(event for event in recorded_events if event.name is MfaEvent.FACTOR_USED)
    assert (used.target, used.data) == (("factor", str(key.factor.pk)), {"method": "passkey"})
    assert (key.factor.sign_count, key.factor.failures) == (6, 0)
    assert key.factor.last_used_at is not None


@pytest.mark.parametrize(
    ("is_verified", "may_be_copied", "acr"),
    [(True, True, "aal2"), (False, True, "aal2"), (True, False, "aal3"), (False, False, "aal3")],
)
@pytest.mark.asvs("6.5.7")
def test_a_synced_key_never_reaches_aal3(
    is_verified: bool, may_be_copied: bool, acr: str, alice: User, browser: Browser
) -> None:
    key = Authenticator(backup_eligible=may_be_copied, user_verified=is_verified).added_to(alice)
    challenged = log_in(browser)

    granted = answer(browser, challenged, credential=key.sign(options_of(challenged)))

    assert granted.json()["session"]["acr"] == acr
    assert ("user" in granted.json()["session"]["amr"]) == is_verified


def test_user_verification_comes_from_this_assertion(alice: User, browser: Browser) -> None:
    key = Authenticator(backup_eligible=True, user_verified=True).added_to(alice)
    challenged = log_in(browser)

    granted = answer(browser, challenged, credential=key.sign(options_of(challenged), user_verified=False))

    assert granted.status_code == 200
    assert "user" not in granted.json()["session"]["amr"]


def test_one_challenge_covers_all_keys(key: Authenticator, alice: User, browser: Browser) -> None:
    other = Authenticator(discoverable=False).added_to(alice, name="Stick")
    add_totp(alice)
    challenged = log_in(browser)
    if challenged.json()["challenge"]["kind"] != "webauthn":
        choice = next(each["id"] for each in challenged.json()["choices"] if each["method"] != "totp")
        challenged = post(browser, "login/challenge", token=challenged.json()["token"], choice=choice)

    granted = answer(browser, challenged, credential=other.sign(options_of(challenged)))

    assert len(options_of(challenged)["allowCredentials"]) == 2
    assert len(challenged.json()["choices"]) == 2
    assert granted.status_code == 200


def test_another_factor_may_be_chosen(key: Authenticator, alice: User, browser: Browser) -> None:
    add_totp(alice)
    challenged = log_in(browser)
    app = next(each["id"] for each in challenged.json()["choices"] if each["method"] == "totp")
    post(browser, "login/challenge", token=challenged.json()["token"], choice=app)

    assert answer(browser, challenged, code=current_code()).status_code == 200  # fmt: skip


@pytest.mark.asvs("6.7.2")
def test_an_assertion_is_refused_in_another_login(key: Authenticator) -> None:
    first, second = new_browser(), new_browser()
    one, other = log_in(first), log_in(second)
    assertion = key.sign(options_of(one))

    assert code_of(answer(second, other, credential=assertion)) == "challenge_failed"
    assert answer(first, one, credential=assertion).status_code == 200
    assert code_of(answer(second, other, credential=assertion)) == "challenge_failed"


@pytest.mark.asvs("6.7.2")
def test_a_challenge_can_be_answered_once(key: Authenticator, alice: User) -> None:
    login = PendingLogin.objects.open(user=alice, backend="x", purpose=Purpose.LOGIN, transport=Transport.TOKEN)
    kind, factors = Webauthn(), [key.factor]
    key.sign_count = 0
    type(key.factor).objects.update(sign_count=0)
    assertion = key.sign(kind.ask(login, factors)["options"])  # type: ignore[arg-type]  # a row has the same attributes

    with_evidence = kind.answer(login, factors, {"credential": assertion})  # type: ignore[arg-type]  # a row has the same attributes

    assert with_evidence.phishing_resistant
    with pytest.raises(ChallengeFailed):
        kind.answer(login, factors, {"credential": assertion})  # type: ignore[arg-type]  # a row has the same attributes


def test_a_wrong_answer_spends_the_challenge(key: Authenticator, browser: Browser) -> None:
    challenged = log_in(browser)
    assertion = key.sign(options_of(challenged))
    wrong = key.sign(options_of(challenged), origin="https://evil.example.org")

    assert code_of(answer(browser, challenged, credential=wrong)) == "challenge_failed"
    assert code_of(answer(browser, challenged, credential=assertion)) == "challenge_failed"
    again = post(
        browser, "login/challenge", token=challenged.json()["token"], choice=challenged.json()["challenge"]["choice"]
    )
    assert options_of(again)["challenge"] != options_of(challenged)["challenge"]
    assert answer(browser, challenged, credential=key.sign(options_of(again))).status_code == 200


def test_the_options_stay_the_same_until_the_challenge_is_spent(key: Authenticator, alice: User) -> None:
    login = PendingLogin.objects.open(user=alice, backend="x", purpose=Purpose.LOGIN, transport=Transport.TOKEN)
    kind, factors = Webauthn(), [key.factor]

    challenged = kind.ask(login, factors)  # type: ignore[arg-type]  # a row has the same attributes
    assert kind.repeat(login, factors) == challenged  # type: ignore[arg-type]  # a row has the same attributes
    WebauthnChallenge.objects.update(spent_at=timezone.now())
    assert kind.repeat(login, factors) == {"options": None}  # type: ignore[arg-type]  # a row has the same attributes


def test_a_challenge_expires(key: Authenticator, browser: Browser) -> None:
    challenged = log_in(browser)

    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1), tick=False):
        assert code_of(answer(browser, challenged, credential=key.sign(options_of(challenged)))) == "challenge_failed"


@pytest.mark.parametrize(
    "changed",
    [
        {"origin": "https://evil.example.org"},
        {"rp_id": "evil.example.org"},
        {"challenge": "A" * 43},
        {"client_type": "webauthn.create"},
        {"user_present": False},
        {"extra": {"crossOrigin": True}},
        {"user_handle": b"somebody else's"},
        {"backup_eligible": True},
        {"credential_id": b"nobody has this"},
        {"key": Authenticator().key},
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_a_wrong_assertion_is_refused_and_disables_no_key(
    changed: dict[str, Any], key: Authenticator, browser: Browser, recorded_events: list[Any]
) -> None:
    challenged = log_in(browser)

    refused = answer(browser, challenged, credential=key.sign(options_of(challenged), **changed))

    assert (refused.status_code, code_of(refused), refused.json()["attempts_left"]) == (401, "challenge_failed", 4)
    assert key.factor.sign_count == 5
    # A thief of the password could otherwise lock the owner out with a hundred of them.
    assert key.factor.failures == 0
    is_known = "credential_id" not in changed
    failed = [event.reason for event in recorded_events if event.name is MfaEvent.FACTOR_FAILED]
    assert len(failed) == int(is_known)


@pytest.mark.asvs("6.5.6")
def test_a_removed_key_is_refused_at_once(key: Authenticator, alice: User, browser: Browser) -> None:
    other = Authenticator().added_to(alice)
    challenged = log_in(browser)
    other.factor.delete()

    assert code_of(answer(browser, challenged, credential=other.sign(options_of(challenged)))) == "challenge_failed"


def test_the_key_of_another_user_is_refused(key: Authenticator, browser: Browser) -> None:
    theirs = Authenticator().added_to(User.objects.create_user("bob"))
    challenged = log_in(browser)

    assert code_of(answer(browser, challenged, credential=theirs.sign(options_of(challenged)))) == "challenge_failed"
    assert theirs.factor.failures == 0


@pytest.mark.parametrize("count", [5, 4, 0])
def test_a_counter_that_does_not_rise_is_refused_with_an_alert(
    count: int, key: Authenticator, browser: Browser, recorded_events: list[Any]
) -> None:
    challenged = log_in(browser)

    refused = answer(browser, challenged, credential=key.sign(options_of(challenged), sign_count=count))

    assert code_of(refused) == "challenge_failed"
    alarm = next(event for event in recorded_events if event.name is MfaEvent.FACTOR_CLONED)
    assert (alarm.name.value, alarm.target) == ("mfa.factor.regressed", ("factor", str(key.factor.pk)))
    assert (alarm.subject, alarm.outcome, alarm.reason) == (key.factor.user, EventOutcome.DENIED, "regressed")
    assert alarm.data == {"method": "passkey"}
    failed = next(event for event in recorded_events if event.name is MfaEvent.FACTOR_FAILED)
    assert failed.reason == "regressed"
    assert key.factor.sign_count == 5


def test_the_options_name_the_site_and_end_with_the_challenge(
    key: Authenticator, browser: Browser, settings: Any
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "SITE_NAME": "Ex & Ample"}

    assert relying_party().name == "Ex & Ample"
    assert options_of(log_in(browser))["timeout"] == LIFETIME.total_seconds() * 1000


def test_an_unknown_credential_is_refused_even_with_a_valid_signature(monkeypatch: pytest.MonkeyPatch) -> None:
    """The key against which it is verified is no one's. The test takes one that signs."""
    key = Authenticator(user_verified=False)
    monkeypatch.setattr(assertion, "_DUMMY_KEY", bytes_to_base64url(encode_cbor(key.public_key)))
    challenge = "A" * 43

    with pytest.raises(Refused) as refused:
        verify_userless(key.sign({"challenge": challenge}), challenge=challenge)

    assert refused.value.reason == "unknown"


def test_the_alert_needs_the_key(key: Authenticator, browser: Browser, recorded_events: list[Any]) -> None:
    challenged = log_in(browser)

    answer(browser, challenged, credential=key.sign(options_of(challenged), sign_count=1, key=Authenticator().key))

    assert MfaEvent.FACTOR_CLONED not in [event.name for event in recorded_events]


def test_a_counter_that_stays_zero_is_accepted(alice: User) -> None:
    key = Authenticator().added_to(alice)
    for _login in range(2):
        browser = new_browser()
        challenged = log_in(browser)
        assert answer(browser, challenged, credential=key.sign(options_of(challenged))).status_code == 200


def test_a_challenge_of_another_purpose_is_refused(key: Authenticator, alice: User, browser: Browser) -> None:
    challenged = log_in(browser)
    first_factor = post(new_browser(), "mfa/passkeys/login").json()["options"]
    registration = WebauthnChallenge.objects.issue(purpose=Ceremony.REGISTRATION, user=alice)

    for challenge in (first_factor["challenge"], registration.challenge):
        refused = answer(browser, challenged, credential=key.sign(options_of(challenged), challenge=challenge))
        assert code_of(refused) == "challenge_failed"


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"credential": None},
        {"credential": "x"},
        {"credential": []},
        {"credential": {}},
        {"credential": {"id": "x"}},
        {"code": "123456"},
        {"credential": {}, "code": "123456"},
    ],
    ids=str,
)
def test_a_malformed_credential_is_refused_and_spends_nothing(
    members: dict[str, Any], key: Authenticator, browser: Browser
) -> None:
    challenged = log_in(browser)

    refused = post(browser, "login/answer", token=challenged.json()["token"], answer=members)

    assert (refused.status_code, code_of(refused)) == (400, "invalid_request")
    assert PendingLogin.objects.get().attempts_left == 5
    assert answer(browser, challenged, credential=key.sign(options_of(challenged))).status_code == 200


def test_the_error_for_a_malformed_credential_names_its_field(key: Authenticator, browser: Browser) -> None:
    challenged = log_in(browser)

    refused = post(browser, "login/answer", token=challenged.json()["token"], answer={"credential": {"id": "x"}})

    (problem,) = refused.json()["errors"]
    assert (problem["field"], problem["code"]) == ("answer.credential", "invalid")


def test_a_login_without_a_user_costs_the_same_work(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    verifications: list[Any] = []
    monkeypatch.setattr(
        "webauthn.authentication.verify_authentication_response.verify_signature",
        lambda **arguments: verifications.append(arguments),
    )
    login = PendingLogin.objects.open(user=None, backend="", purpose=Purpose.LOGIN, transport=Transport.TOKEN)

    with pytest.raises(ChallengeFailed):
        SecondFactor().answer(login, {"credential": Authenticator().sign({"challenge": "A" * 43})})

    assert len(verifications) == 1


def test_a_passkey_completes_a_step_up(key: Authenticator, browser: Browser) -> None:
    challenged = log_in(browser)
    answer(browser, challenged, credential=key.sign(options_of(challenged)))
    with_csrf(browser)
    again = post(browser, "reauthenticate", required_assurance="aal2", max_age=0)
    if again.json()["challenge"]["kind"] == "password":
        again = answer(browser, again, password="correct horse battery staple")

    assert again.json()["challenge"]["kind"] == "webauthn"
    assert answer(browser, again, credential=key.sign(options_of(again))).status_code == 200
