"""Recovery codes: on a sheet, hashed, each good once."""

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.assurance.methods import Evidence, Method
from auth_core.errors import Unavailable
from auth_core.events import AuthEvent
from auth_core.models import PendingLogin
from auth_core.testing.hashes import hashing_elsewhere
from auth_core.testing.mails import delivered
from auth_core.testing.sessions import sign_in
from auth_mfa.events import MfaEvent
from auth_mfa.factors import factor_of, remove_factor
from auth_mfa.models import RecoveryCode, RecoveryCodeSet
from auth_mfa.recovery import recovery_codes
from auth_mfa.testing.factors import add_mailbox, add_recovery_codes
from conftest import answer, code_of, current_code, enrolled, log_in, new_browser, post

pytestmark = pytest.mark.django_db


def ask_for_recovery(browser: Browser, sheet: Any) -> Any:
    asked = log_in(browser)
    return post(browser, "login/challenge", token=asked.json()["token"], choice=str(sheet.factor.pk))


@pytest.mark.asvs("6.5.4")
def test_a_code_has_80_bits_and_can_be_read_back() -> None:
    codes = {recovery_codes.new_code() for _number in range(1000)}

    assert len(codes) == 1000
    assert all(len(code.replace("-", "")) == 16 for code in codes)
    assert all(recovery_codes.read_code(code) == code.replace("-", "") for code in codes)


@pytest.mark.parametrize("typed", ["abcd-efgh-jkmn-pqrs", "ABCD EFGH JKMN PQRS", "abcdefghjkmnpqrs"])
def test_a_code_is_read_however_it_is_typed(typed: str) -> None:
    assert recovery_codes.read_code(typed) == "ABCDEFGHJKMNPQRS"


def test_look_alikes_are_read_as_what_was_meant() -> None:
    assert recovery_codes.read_code("OIL0-0000-0000-0000") == "0110000000000000"


def test_a_code_proves_what_its_owner_lost(alice: User, browser: Browser, recorded_events: list[Any]) -> None:
    enrolled(alice)
    sheet = add_recovery_codes(alice)

    asked = ask_for_recovery(browser, sheet)
    granted = answer(browser, asked, sheet.codes[0].lower())

    assert asked.json()["challenge"]["kind"] == "recovery_code"
    assert (granted.status_code, granted.json()["session"]["acr"]) == (200, "aal2")
    used = next(event for event in recorded_events if event.name is MfaEvent.RECOVERY_CODE_USED)
    assert used.data == {"left": 9}


@pytest.mark.asvs("6.5.1")
def test_a_code_works_once(alice: User) -> None:
    enrolled(alice)
    sheet = add_recovery_codes(alice)
    first, second = new_browser(), new_browser()

    assert answer(first, ask_for_recovery(first, sheet), sheet.codes[0]).status_code == 200
    assert code_of(answer(second, ask_for_recovery(second, sheet), sheet.codes[0])) == "challenge_failed"
    assert answer(second, ask_for_recovery(second, sheet), sheet.codes[1]).status_code == 200


def test_recovery_codes_are_never_asked_first(alice: User, browser: Browser) -> None:
    enrolled(alice)
    sheet = add_recovery_codes(alice)
    answer(browser, ask_for_recovery(browser, sheet), sheet.codes[0])

    asked = log_in(new_browser()).json()

    assert asked["challenge"]["method"] == "totp"
    assert [choice["method"] for choice in asked["choices"]] == ["totp", "recovery_code"]


def test_codes_that_run_out_are_told_of_by_mail(alice: User) -> None:
    enrolled(alice)
    sheet = add_recovery_codes(alice)
    delivered()
    told = []
    for code in sheet.codes:
        browser = new_browser()
        assert answer(browser, ask_for_recovery(browser, sheet), code).status_code == 200
        told += [
            ("You have" in mail.body, "running out" in mail.body) for mail in delivered() if "was used" in mail.subject
        ]

    assert told == [(True, False)] * 6 + [(True, True)] * 4


@pytest.mark.asvs("6.5.2")
def test_what_is_kept_of_a_code_is_a_salted_hash(alice: User) -> None:
    enrolled(alice)
    sheet = add_recovery_codes(alice)
    kept = str(list(RecoveryCode.objects.values())) + str(RecoveryCodeSet.objects.values().get())
    code = recovery_codes.read_code(sheet.codes[0])
    assert code is not None

    assert not [one for one in sheet.codes if one in kept or one.replace("-", "") in kept]
    assert len(bytes.fromhex(sheet.factor.salt)) == 16
    other = recovery_codes.digest_of(code, salt=recovery_codes.new_salt(), cost=sheet.factor.cost)
    assert not RecoveryCode.objects.filter(digest=other).exists()


def test_another_sheet_replaces_the_one_before(alice: User, browser: Browser) -> None:
    enrolled(alice)
    before = add_recovery_codes(alice)
    after = add_recovery_codes(alice)

    assert code_of(answer(browser, ask_for_recovery(browser, after), before.codes[0])) == "challenge_failed"
    assert RecoveryCodeSet.objects.get().left == 10
    assert RecoveryCode.objects.count() == 10


def test_a_sheet_is_shown_once_and_needs_a_fresh_proof(alice: User, signed_in: Browser) -> None:
    enrolled(alice)
    proved = sign_in(alice, assurance="aal2")

    refused = post(signed_in, "mfa/recovery-codes")
    made = post(proved, "mfa/recovery-codes")
    seen = proved.get("/api/v1/mfa/recovery-codes/")

    assert refused.json()["required_assurance"] == "aal2"
    assert (made.status_code, len(made.json()["codes"])) == (201, 10)
    assert seen.json()["left"] == 10
    assert "codes" not in seen.json()


def test_codes_stand_in_for_a_factor_and_do_not_stand_alone(signed_in: Browser, alice: User) -> None:
    assert code_of(post(signed_in, "mfa/recovery-codes")) == "factor_needed"
    assert code_of(signed_in.get("/api/v1/mfa/recovery-codes/")) == "not_found"


def test_codes_stand_in_for_no_mailbox_which_never_reaches_aal2(signed_in: Browser, alice: User) -> None:
    """SP 800-63B-4 section 3.1.3: a code by e-mail is no factor of AAL2, and nothing may stand in for it as one."""
    add_mailbox(alice)
    proved = sign_in(alice, evidence=[Evidence.now(Method.PASSWORD), Evidence.now(Method.EMAIL_CODE)])

    assert code_of(post(proved, "mfa/recovery-codes")) == "factor_needed"


def test_codes_go_with_the_last_factor_for_which_they_stand_in(alice: User) -> None:
    factor = enrolled(alice)
    add_mailbox(alice)
    add_recovery_codes(alice)

    remove_factor(factor=factor)

    assert not RecoveryCodeSet.objects.exists()


def test_a_sheet_that_is_replaced_is_recorded_as_removed(alice: User, recorded_events: list[Any]) -> None:
    enrolled(alice)
    before = add_recovery_codes(alice)

    add_recovery_codes(alice)

    (removed,) = [event for event in recorded_events if event.name is AuthEvent.FACTOR_REMOVED]
    assert (removed.target, removed.reason) == (("factor", str(before.factor.pk)), "replaced")


def test_codes_go_with_the_last_factor(alice: User) -> None:
    factor = enrolled(alice)
    add_recovery_codes(alice)

    remove_factor(factor=factor)

    assert not RecoveryCodeSet.objects.exists()
    assert not RecoveryCode.objects.exists()


def test_a_sheet_can_be_removed(alice: User) -> None:
    enrolled(alice)
    sheet = add_recovery_codes(alice)
    browser = sign_in(alice, assurance="aal2")

    assert browser.delete(f"/api/v1/mfa/factors/{sheet.factor.pk}/").status_code == 204
    assert factor_of(user=alice, factor_id=sheet.factor.pk) is None


@pytest.mark.parametrize("given", [{}, {"code": "123456"}, {"code": "ABCD-EFGH-JKMN-PQR"}, {"code": 5}, {"code": "U" * 16},
    {"code": "\uff21" * 16}, {"code": "A" * 100_000}, {"code": "0000-0000-0000-0000", "x": 1}])  # fmt: skip
def test_what_is_no_code_is_refused_and_spends_nothing(given: dict[str, Any], alice: User, browser: Browser) -> None:
    enrolled(alice)
    sheet = add_recovery_codes(alice)
    asked = ask_for_recovery(browser, sheet)

    refused = post(browser, "login/answer", token=asked.json()["token"], answer=given)

    assert refused.status_code in (400, 413)
    assert RecoveryCodeSet.objects.get().failures == 0
    assert answer(browser, asked, sheet.codes[0]).status_code == 200


def test_wrong_codes_are_guesses_of_the_person(alice: User) -> None:
    enrolled(alice)
    sheet = add_recovery_codes(alice)
    codes = []
    for _login in range(3):
        browser = new_browser()
        asked = ask_for_recovery(browser, sheet)
        codes += [code_of(answer(browser, asked, "0000-0000-0000-0000")) for _guess in range(4)]

    assert codes == ["challenge_failed"] * 10 + ["too_many_attempts"] * 2
    browser = new_browser()
    assert code_of(answer(browser, log_in(browser), current_code())) == "too_many_attempts"


@pytest.fixture
def one_place(settings: Any) -> None:
    """One place for hashes, for which nobody waits."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "MAX_PARALLEL_HASHES": 1, "HASH_WAIT": timedelta(0)}


def test_a_code_that_nobody_looked_at_stays_good(alice: User, browser: Browser, one_place: None) -> None:
    enrolled(alice)
    sheet = add_recovery_codes(alice)
    asked = ask_for_recovery(browser, sheet)
    before = PendingLogin.objects.get().attempts_left

    with hashing_elsewhere():
        refused = [answer(browser, asked, sheet.codes[0]) for _try in range(11)]

    assert {(one.status_code, code_of(one), one.headers["Retry-After"]) for one in refused} == {
        (503, "unavailable", "1")
    }
    assert PendingLogin.objects.get().attempts_left == before
    assert (RecoveryCodeSet.objects.get().left, RecoveryCodeSet.objects.get().failures) == (10, 0)
    assert answer(browser, asked, sheet.codes[0]).status_code == 200


def test_a_code_that_was_looked_at_costs_a_guess_in_a_single_place_as_well(
    alice: User, browser: Browser, one_place: None
) -> None:
    enrolled(alice)
    asked = ask_for_recovery(browser, add_recovery_codes(alice))
    before = PendingLogin.objects.get().attempts_left

    assert code_of(answer(browser, asked, "0000-0000-0000-0000")) == "challenge_failed"

    assert PendingLogin.objects.get().attempts_left == before - 1
    assert RecoveryCodeSet.objects.get().failures == 1


def test_a_sheet_for_which_there_is_no_place_replaces_nothing(alice: User, one_place: None) -> None:
    enrolled(alice)
    before = add_recovery_codes(alice)

    with hashing_elsewhere(), pytest.raises(Unavailable):
        add_recovery_codes(alice)

    assert RecoveryCodeSet.objects.get().pk == before.factor.pk


def test_ten_codes_need_one_place(alice: User, one_place: None) -> None:
    enrolled(alice)

    assert len(add_recovery_codes(alice).codes) == 10
