"""Passkeys and security keys as second factors."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from auth_core.contracts import Purpose, Transport
from auth_core.errors import ChallengeFailed
from auth_core.models import PendingLogin
from auth_mfa.events import MfaEvent
from auth_mfa.login import SecondFactor
from auth_mfa.models import WebauthnChallenge
from auth_mfa.models.webauthn_challenge import Ceremony
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.webauthn.login import Webauthn
from conftest import code_of, current_code, enrolled, log_in, new_browser, post

pytestmark = pytest.mark.django_db


@pytest.fixture
def key(alice: User) -> Authenticator:
    """The passkey of alice, which counts."""
    return Authenticator(sign_count=5).added_to(alice, name="Laptop")


def options_of(asked: Any) -> Any:
    return asked.json()["challenge"]["data"]["options"]


def answer(browser: Browser, asked: Any, credential: Any) -> Any:
    return post(browser, "login/answer", token=asked.json()["token"], answer={"credential": credential})


@pytest.mark.asvs("6.3.3")
def test_whoever_has_a_passkey_is_asked_for_it(
    key: Authenticator, browser: Browser, recorded_events: list[Any]
) -> None:
    asked = log_in(browser)
    granted = answer(browser, asked, key.sign(options_of(asked)))

    assert (asked.status_code, asked.json()["challenge"]["kind"]) == (202, "webauthn")
    assert [known["id"] for known in options_of(asked)["allowCredentials"]] == [key.factor.credential_id]
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
def test_a_key_that_may_be_copied_never_reaches_aal3(
    is_verified: bool, may_be_copied: bool, acr: str, alice: User, browser: Browser
) -> None:
    key = Authenticator(backup_eligible=may_be_copied, user_verified=is_verified).added_to(alice)
    asked = log_in(browser)

    granted = answer(browser, asked, key.sign(options_of(asked)))

    assert granted.json()["session"]["acr"] == acr
    assert ("user" in granted.json()["session"]["amr"]) == is_verified


def test_whether_the_user_was_verified_is_what_this_assertion_says(alice: User, browser: Browser) -> None:
    key = Authenticator(backup_eligible=True, user_verified=True).added_to(alice)
    asked = log_in(browser)

    granted = answer(browser, asked, key.sign(options_of(asked), user_verified=False))

    assert granted.status_code == 200
    assert "user" not in granted.json()["session"]["amr"]


def test_one_question_asks_for_all_keys_and_any_answers(key: Authenticator, alice: User, browser: Browser) -> None:
    other = Authenticator(discoverable=False).added_to(alice, name="Stick")
    enrolled(alice)
    asked = log_in(browser)
    if asked.json()["challenge"]["kind"] != "webauthn":
        choice = next(each["id"] for each in asked.json()["choices"] if each["method"] != "totp")
        asked = post(browser, "login/challenge", token=asked.json()["token"], choice=choice)

    granted = answer(browser, asked, other.sign(options_of(asked)))

    assert len(options_of(asked)["allowCredentials"]) == 2
    assert len(asked.json()["choices"]) == 2
    assert granted.status_code == 200


def test_another_factor_may_be_chosen(key: Authenticator, alice: User, browser: Browser) -> None:
    enrolled(alice)
    asked = log_in(browser)
    app = next(each["id"] for each in asked.json()["choices"] if each["method"] == "totp")
    post(browser, "login/challenge", token=asked.json()["token"], choice=app)

    assert post(
        browser, "login/answer", token=asked.json()["token"], answer={"code": current_code()}
    ).status_code == 200  # fmt: skip


@pytest.mark.asvs("6.7.2")
def test_the_assertion_of_one_login_is_refused_by_another(key: Authenticator) -> None:
    first, second = new_browser(), new_browser()
    one, other = log_in(first), log_in(second)
    assertion = key.sign(options_of(one))

    assert code_of(answer(second, other, assertion)) == "challenge_failed"
    assert answer(first, one, assertion).status_code == 200
    assert code_of(answer(second, other, assertion)) == "challenge_failed"


@pytest.mark.asvs("6.7.2")
def test_a_challenge_is_answered_once(key: Authenticator, alice: User) -> None:
    login = PendingLogin.objects.open(user=alice, backend="x", purpose=Purpose.LOGIN, transport=Transport.TOKEN)
    kind, held = Webauthn(), [key.factor]
    key.sign_count = 0
    type(key.factor).objects.update(sign_count=0)
    assertion = key.sign(kind.ask(login, held)["options"])  # type: ignore[arg-type]  # a row has what is held

    with_evidence = kind.answer(login, held, {"credential": assertion})  # type: ignore[arg-type]  # a row has what is held

    assert with_evidence.phishing_resistant
    with pytest.raises(ChallengeFailed):
        kind.answer(login, held, {"credential": assertion})  # type: ignore[arg-type]  # a row has what is held


def test_a_wrong_answer_spends_the_challenge_and_another_is_asked_for(key: Authenticator, browser: Browser) -> None:
    asked = log_in(browser)
    assertion = key.sign(options_of(asked))
    wrong = key.sign(options_of(asked), origin="https://evil.example.org")

    assert code_of(answer(browser, asked, wrong)) == "challenge_failed"
    assert code_of(answer(browser, asked, assertion)) == "challenge_failed"
    again = post(browser, "login/challenge", token=asked.json()["token"], choice=asked.json()["challenge"]["choice"])
    assert options_of(again)["challenge"] != options_of(asked)["challenge"]
    assert answer(browser, asked, key.sign(options_of(again))).status_code == 200


def test_the_question_is_the_same_until_its_challenge_is_spent(key: Authenticator, alice: User) -> None:
    login = PendingLogin.objects.open(user=alice, backend="x", purpose=Purpose.LOGIN, transport=Transport.TOKEN)
    kind, held = Webauthn(), [key.factor]

    asked = kind.ask(login, held)  # type: ignore[arg-type]  # a row has what is held
    assert kind.asked(login, held) == asked  # type: ignore[arg-type]  # a row has what is held
    WebauthnChallenge.objects.update(spent_at=timezone.now())
    assert kind.asked(login, held) == {"options": None}  # type: ignore[arg-type]  # a row has what is held


def test_a_challenge_expires(key: Authenticator, browser: Browser) -> None:
    asked = log_in(browser)

    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1), tick=False):
        assert code_of(answer(browser, asked, key.sign(options_of(asked)))) == "challenge_failed"


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
def test_what_is_wrong_is_refused_and_disables_nobodys_key(
    changed: dict[str, Any], key: Authenticator, browser: Browser, recorded_events: list[Any]
) -> None:
    asked = log_in(browser)

    refused = answer(browser, asked, key.sign(options_of(asked), **changed))

    assert (refused.status_code, code_of(refused), refused.json()["attempts_left"]) == (401, "challenge_failed", 4)
    assert key.factor.sign_count == 5
    # Whoever knows the password could shut its owner out with a hundred of them.
    assert key.factor.failures == 0
    is_known = "credential_id" not in changed
    failed = [event.reason for event in recorded_events if event.name is MfaEvent.FACTOR_FAILED]
    assert len(failed) == int(is_known)


@pytest.mark.asvs("6.5.6")
def test_a_key_that_was_removed_is_refused_at_once(key: Authenticator, alice: User, browser: Browser) -> None:
    other = Authenticator().added_to(alice)
    asked = log_in(browser)
    other.factor.delete()

    assert code_of(answer(browser, asked, other.sign(options_of(asked)))) == "challenge_failed"


def test_the_key_of_another_person_is_refused(key: Authenticator, browser: Browser) -> None:
    theirs = Authenticator().added_to(User.objects.create_user("bob"))
    asked = log_in(browser)

    assert code_of(answer(browser, asked, theirs.sign(options_of(asked)))) == "challenge_failed"
    assert theirs.factor.failures == 0


@pytest.mark.parametrize("said", [5, 4, 0])
def test_a_counter_that_falls_or_stays_is_refused_and_alarms(
    said: int, key: Authenticator, browser: Browser, recorded_events: list[Any]
) -> None:
    asked = log_in(browser)

    refused = answer(browser, asked, key.sign(options_of(asked), sign_count=said))

    assert code_of(refused) == "challenge_failed"
    alarm = next(event for event in recorded_events if event.name is MfaEvent.FACTOR_CLONED)
    assert (alarm.name.value, alarm.target) == ("mfa.factor.regressed", ("factor", str(key.factor.pk)))
    assert key.factor.sign_count == 5


def test_nobody_raises_the_alarm_without_the_key(
    key: Authenticator, browser: Browser, recorded_events: list[Any]
) -> None:
    asked = log_in(browser)

    answer(browser, asked, key.sign(options_of(asked), sign_count=1, key=Authenticator().key))

    assert MfaEvent.FACTOR_CLONED not in [event.name for event in recorded_events]


def test_a_counter_that_stays_at_zero_is_one_that_does_not_count(alice: User) -> None:
    key = Authenticator().added_to(alice)
    for _login in range(2):
        browser = new_browser()
        asked = log_in(browser)
        assert answer(browser, asked, key.sign(options_of(asked))).status_code == 200


def test_a_challenge_of_another_purpose_answers_no_login(key: Authenticator, alice: User, browser: Browser) -> None:
    asked = log_in(browser)
    first_factor = post(new_browser(), "mfa/passkeys/login").json()["options"]
    registration = WebauthnChallenge.objects.issue(purpose=Ceremony.REGISTRATION, user=alice)

    for challenge in (first_factor["challenge"], registration.challenge):
        refused = answer(browser, asked, key.sign(options_of(asked), challenge=challenge))
        assert code_of(refused) == "challenge_failed"


@pytest.mark.parametrize(
    "given",
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
def test_what_is_no_credential_is_refused_and_spends_nothing(
    given: dict[str, Any], key: Authenticator, browser: Browser
) -> None:
    asked = log_in(browser)

    refused = post(browser, "login/answer", token=asked.json()["token"], answer=given)

    assert (refused.status_code, code_of(refused)) == (400, "invalid_request")
    assert PendingLogin.objects.get().attempts_left == 5
    assert answer(browser, asked, key.sign(options_of(asked))).status_code == 200


def test_a_login_of_nobody_is_answered_with_the_same_work(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    looked: list[Any] = []
    monkeypatch.setattr(
        "webauthn.authentication.verify_authentication_response.verify_signature", lambda **given: looked.append(given)
    )
    login = PendingLogin.objects.open(user=None, backend="", purpose=Purpose.LOGIN, transport=Transport.TOKEN)

    with pytest.raises(ChallengeFailed):
        SecondFactor().answer(login, {"credential": Authenticator().sign({"challenge": "A" * 43})})

    assert len(looked) == 1


def test_a_passkey_steps_a_session_up(key: Authenticator, browser: Browser) -> None:
    asked = log_in(browser)
    answer(browser, asked, key.sign(options_of(asked)))
    browser.defaults["HTTP_X_CSRFTOKEN"] = browser.get("/api/v1/csrf/").json()["csrf_token"]
    again = post(browser, "reauthenticate", required_assurance="aal2", max_age=0)
    if again.json()["challenge"]["kind"] == "password":
        body = {"token": again.json()["token"], "answer": {"password": "correct horse battery staple"}}
        again = post(browser, "login/answer", **body)

    assert again.json()["challenge"]["kind"] == "webauthn"
    assert answer(browser, again, key.sign(options_of(again))).status_code == 200
