"""Recovery codes: sheets, hashes and single use."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.assurance.methods import Evidence, Method
from auth_core.errors import Unavailable
from auth_core.events import AuthEvent
from auth_core.models import PendingLogin
from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post
from auth_core.testing.hashes import hashing_elsewhere
from auth_core.testing.mails import delivered
from auth_core.testing.sessions import sign_in
from auth_mfa.events import MfaEvent
from auth_mfa.factors import factor_of, remove_factor
from auth_mfa.models import RecoveryCode, RecoveryCodeSet
from auth_mfa.recovery import recovery_codes
from auth_mfa.testing.factors import add_mailbox, add_recovery_codes, add_totp, current_code

pytestmark = pytest.mark.django_db


def ask_for_recovery(browser: Browser, sheet: Any) -> Any:
    challenged = log_in(browser)
    return post(browser, "login/challenge", token=challenged.json()["token"], choice=str(sheet.factor.pk))


@pytest.mark.asvs("6.5.4")
def test_a_code_has_80_bits_and_can_be_parsed() -> None:
    codes = {recovery_codes.new_code() for _number in range(1000)}

    assert len(codes) == 1000
    assert all(len(code.replace("-", "")) == 16 for code in codes)
    assert all(recovery_codes.read_code(code) == code.replace("-", "") for code in codes)


@pytest.mark.parametrize("typed", ["abcd-efgh-jkmn-pqrs", "ABCD EFGH JKMN PQRS", "abcdefghjkmnpqrs"])
def test_case_and_separators_of_a_code_do_not_matter(typed: str) -> None:
    assert recovery_codes.read_code(typed) == "ABCDEFGHJKMNPQRS"


def test_look_alikes_are_replaced() -> None:
    assert recovery_codes.read_code("OIL0-0000-0000-0000") == "0110000000000000"


def test_a_code_proves_as_much_as_the_lost_factor(alice: User, browser: Browser, recorded_events: list[Any]) -> None:
    add_totp(alice)
    sheet = add_recovery_codes(alice)

    challenged = ask_for_recovery(browser, sheet)
    granted = answer(browser, challenged, code=sheet.codes[0].lower())

    assert challenged.json()["challenge"]["kind"] == "recovery_code"
    assert (granted.status_code, granted.json()["session"]["acr"]) == (200, "aal2")
    used = next(event for event in recorded_events if event.name is MfaEvent.RECOVERY_CODE_USED)
    assert used.data == {"left": 9}


@pytest.mark.asvs("6.5.1")
def test_a_code_works_once(alice: User) -> None:
    add_totp(alice)
    sheet = add_recovery_codes(alice)
    first, second = new_browser(), new_browser()

    assert answer(first, ask_for_recovery(first, sheet), code=sheet.codes[0]).status_code == 200
    assert code_of(answer(second, ask_for_recovery(second, sheet), code=sheet.codes[0])) == "challenge_failed"
    assert answer(second, ask_for_recovery(second, sheet), code=sheet.codes[1]).status_code == 200


def test_recovery_codes_never_come_first(alice: User, browser: Browser) -> None:
    add_totp(alice)
    sheet = add_recovery_codes(alice)
    answer(browser, ask_for_recovery(browser, sheet), code=sheet.codes[0])

    challenged = log_in(new_browser()).json()

    assert challenged["challenge"]["method"] == "totp"
    assert [choice["method"] for choice in challenged["choices"]] == ["totp", "recovery_code"]


def test_running_out_of_codes_is_notified_by_mail(alice: User) -> None:
    add_totp(alice)
    sheet = add_recovery_codes(alice)
    delivered()
    warnings = []
    for code in sheet.codes:
        browser = new_browser()
        assert answer(browser, ask_for_recovery(browser, sheet), code=code).status_code == 200
        warnings += [
            ("You have" in mail.body, "running out" in mail.body) for mail in delivered() if "was used" in mail.subject
        ]

    assert warnings == [(True, False)] * 6 + [(True, True)] * 4


@pytest.mark.asvs("6.5.2")
def test_only_a_salted_hash_of_a_code_is_stored(alice: User) -> None:
    add_totp(alice)
    sheet = add_recovery_codes(alice)
    kept = str(list(RecoveryCode.objects.values())) + str(RecoveryCodeSet.objects.values().get())
    code = recovery_codes.read_code(sheet.codes[0])
    assert code is not None

    assert not [one for one in sheet.codes if one in kept or one.replace("-", "") in kept]
    assert len(bytes.fromhex(sheet.factor.salt)) == 16
    other = recovery_codes.digest_of(code, salt=recovery_codes.new_salt(), cost=sheet.factor.cost)
    assert not RecoveryCode.objects.filter(digest=other).exists()


def test_a_new_sheet_replaces_the_previous_one(alice: User, browser: Browser) -> None:
    add_totp(alice)
    before = add_recovery_codes(alice)
    after = add_recovery_codes(alice)

    assert code_of(answer(browser, ask_for_recovery(browser, after), code=before.codes[0])) == "challenge_failed"
    assert RecoveryCodeSet.objects.get().left == 10
    assert RecoveryCode.objects.count() == 10


def test_a_sheet_is_shown_once_and_needs_a_fresh_proof(alice: User, browser_of_alice: Browser) -> None:
    add_totp(alice)
    proved = sign_in(alice, assurance="aal2")

    refused = post(browser_of_alice, "mfa/recovery-codes")
    made = post(proved, "mfa/recovery-codes")
    response = proved.get("/api/v1/mfa/recovery-codes/")

    assert refused.json()["required_assurance"] == "aal2"
    assert (made.status_code, len(made.json()["codes"])) == (201, 10)
    assert response.json()["left"] == 10
    assert "codes" not in response.json()


def test_codes_need_another_factor(browser_of_alice: Browser, alice: User) -> None:
    assert code_of(post(browser_of_alice, "mfa/recovery-codes")) == "factor_needed"
    assert code_of(browser_of_alice.get("/api/v1/mfa/recovery-codes/")) == "not_found"


def test_codes_do_not_replace_a_mailbox(browser_of_alice: Browser, alice: User) -> None:
    """SP 800-63B-4 section 3.1.3: an email code never reaches AAL2, so nothing may replace it at AAL2."""
    add_mailbox(alice)
    proved = sign_in(alice, evidence=[Evidence.now(Method.PASSWORD), Evidence.now(Method.EMAIL_CODE)])

    assert code_of(post(proved, "mfa/recovery-codes")) == "factor_needed"


def test_codes_are_removed_with_the_last_factor_that_they_replace(alice: User) -> None:
    factor = add_totp(alice)
    add_mailbox(alice)
    add_recovery_codes(alice)

    remove_factor(factor=factor)

    assert not RecoveryCodeSet.objects.exists()


def test_replacing_a_sheet_records_a_removal(alice: User, recorded_events: list[Any]) -> None:
    add_totp(alice)
    before = add_recovery_codes(alice)

    add_recovery_codes(alice)

    (removed,) = [event for event in recorded_events if event.name is AuthEvent.FACTOR_REMOVED]
    assert (removed.target, removed.reason) == (("factor", str(before.factor.pk)), "replaced")


def test_codes_are_removed_with_the_last_factor(alice: User) -> None:
    factor = add_totp(alice)
    add_recovery_codes(alice)

    remove_factor(factor=factor)

    assert not RecoveryCodeSet.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_a_sheet_can_be_removed(alice: User) -> None:
    add_totp(alice)
    sheet = add_recovery_codes(alice)
    browser = sign_in(alice, assurance="aal2")

    assert browser.delete(f"/api/v1/mfa/factors/{sheet.factor.pk}/").status_code == 204
    assert factor_of(user=alice, factor_id=sheet.factor.pk) is None


@pytest.mark.parametrize("members", [{}, {"code": "123456"}, {"code": "ABCD-EFGH-JKMN-PQR"}, {"code": 5}, {"code": "U" * 16},
    {"code": "\uff21" * 16}, {"code": "A" * 100_000}, {"code": "0000-0000-0000-0000", "x": 1}])  # fmt: skip
def test_a_malformed_code_is_refused_and_spends_nothing(members: dict[str, Any], alice: User, browser: Browser) -> None:
    add_totp(alice)
    sheet = add_recovery_codes(alice)
    challenged = ask_for_recovery(browser, sheet)

    refused = post(browser, "login/answer", token=challenged.json()["token"], answer=members)

    assert refused.status_code in (400, 413)
    assert RecoveryCodeSet.objects.get().failures == 0
    assert answer(browser, challenged, code=sheet.codes[0]).status_code == 200


def test_wrong_codes_count_as_guesses_of_the_user(alice: User) -> None:
    add_totp(alice)
    sheet = add_recovery_codes(alice)
    codes = []
    for _login in range(3):
        browser = new_browser()
        challenged = ask_for_recovery(browser, sheet)
        codes += [code_of(answer(browser, challenged, code="0000-0000-0000-0000")) for _guess in range(4)]

    assert codes == ["challenge_failed"] * 10 + ["too_many_attempts"] * 2
    browser = new_browser()
    assert code_of(answer(browser, log_in(browser), code=current_code())) == "too_many_attempts"


@pytest.fixture
def one_place(settings: Any) -> None:
    """One hash slot without waiting."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "MAX_PARALLEL_HASHES": 1, "HASH_WAIT": timedelta(0)}


def test_a_code_that_was_not_checked_stays_valid(alice: User, browser: Browser, one_place: None) -> None:
    add_totp(alice)
    sheet = add_recovery_codes(alice)
    challenged = ask_for_recovery(browser, sheet)
    before = PendingLogin.objects.get().attempts_left

    with hashing_elsewhere():
        refused = [answer(browser, challenged, code=sheet.codes[0]) for _try in range(11)]

    assert {(one.status_code, code_of(one), one.headers["Retry-After"]) for one in refused} == {
        (503, "unavailable", "1")
    }
    assert PendingLogin.objects.get().attempts_left == before
    assert (RecoveryCodeSet.objects.get().left, RecoveryCodeSet.objects.get().failures) == (10, 0)
    assert answer(browser, challenged, code=sheet.codes[0]).status_code == 200


def test_a_checked_code_costs_a_guess_with_a_single_slot(alice: User, browser: Browser, one_place: None) -> None:
    add_totp(alice)
    challenged = ask_for_recovery(browser, add_recovery_codes(alice))
    before = PendingLogin.objects.get().attempts_left

    assert code_of(answer(browser, challenged, code="0000-0000-0000-0000")) == "challenge_failed"

    assert PendingLogin.objects.get().attempts_left == before - 1
    assert RecoveryCodeSet.objects.get().failures == 1


def test_a_sheet_without_a_hash_slot_replaces_nothing(alice: User, one_place: None) -> None:
    add_totp(alice)
    before = add_recovery_codes(alice)

    with hashing_elsewhere(), pytest.raises(Unavailable):
        add_recovery_codes(alice)

    assert RecoveryCodeSet.objects.get().pk == before.factor.pk


def test_ten_codes_need_one_hash_slot(alice: User, one_place: None) -> None:
    add_totp(alice)

    assert len(add_recovery_codes(alice).codes) == 10
