"""Who must have a second factor, and how users without one sign in."""

from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.core.checks import run_checks
from django.test import Client as Browser
from django.utils import timezone

from auth_core.assurance.levels import Demand
from auth_core.assurance.methods import Evidence, Method
from auth_core.contracts import Challenged, Purpose, Transport
from auth_core.errors import MoreProofRequired, PermissionRefused
from auth_core.events import AuthEvent
from auth_core.login.journey import open_login
from auth_core.models import EmailAddress
from auth_core.registries import facts
from auth_core.request.client import Client
from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post, with_csrf
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import code_in, delivered, the_mail
from auth_core.testing.sessions import sign_in
from auth_mfa import oath
from auth_mfa.factors import factor_of, factors_of, remove_factor, reset_factors
from auth_mfa.models import FactorHistory, TotpFactor
from auth_mfa.policy import Requirement, deadline_of, requirement_of, unknown_rules
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import add_mailbox, add_phone, add_recovery_codes, add_totp, current_code

pytestmark = pytest.mark.django_db


@pytest.fixture
def everyone(settings: Any) -> None:
    """A site where every user must have a second factor."""
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}


def lose(user: User) -> None:
    """Remove the factors of *user* as the user would."""
    for owned in factors_of(user):
        factor = factor_of(user=user, factor_id=owned.id)
        assert factor is not None
        remove_factor(factor=factor)


@pytest.mark.usefixtures("everyone")
def test_a_required_user_without_a_factor_adds_one_after_an_email_code(alice: User, browser: Browser) -> None:
    challenged = log_in(browser)
    assert (challenged.status_code, challenged.json()["challenge"]["method"]) == (202, "email_code")

    to_add = answer(browser, challenged, code=code_in(the_mail()))
    assert (to_add.status_code, to_add.json()["challenge"]["kind"]) == (202, "enrolment")
    key = oath.from_base32(to_add.json()["challenge"]["data"]["secret"])
    granted = answer(browser, to_add, code=current_code(key))

    assert granted.status_code == 200
    assert TotpFactor.objects.get().confirmed
    assert "second factor was added" in the_mail().subject
    assert log_in(new_browser()).json()["challenge"]["method"] == "totp"


@pytest.mark.usefixtures("everyone")
def test_an_enrolment_in_a_login_needs_the_correct_code(alice: User, browser: Browser) -> None:
    to_add = answer(browser, log_in(browser), code=code_in(the_mail()))
    key = oath.from_base32(to_add.json()["challenge"]["data"]["secret"])
    wrong = f"{(int(current_code(key)) + 1) % 1_000_000:06}"

    refused = [answer(browser, to_add, code=code) for code in (wrong, "12345")]

    assert [code_of(answered) for answered in refused] == ["challenge_failed", "invalid_request"]
    assert not TotpFactor.objects.get().confirmed
    assert browser.get("/api/v1/me/").status_code == 401


@pytest.mark.usefixtures("everyone")
def test_a_thief_of_the_password_cannot_enrol_for_a_user_who_never_had_a_factor(alice: User, browser: Browser) -> None:
    challenged = log_in(browser)
    sent = code_in(the_mail())

    refused = answer(browser, challenged, code=f"{(int(sent) + 1) % 1_000_000:06}")

    assert code_of(refused) == "challenge_failed"
    assert not TotpFactor.objects.exists()


@pytest.mark.asvs("6.4.4")
@pytest.mark.usefixtures("everyone")
def test_a_thief_of_the_password_cannot_enrol_for_a_user_who_lost_their_factor(
    alice: User, browser: Browser, recorded_events: list[Any]
) -> None:
    add_totp(alice)
    lose(alice)
    delivered()

    refused = log_in(browser)

    assert (code_of(refused), refused.json()["enrol"]) == ("more_proof_required", False)
    assert delivered() == []
    assert not TotpFactor.objects.exists()
    assert [event.reason for event in recorded_events if event.name is AuthEvent.LOGIN_DENIED] == ["more_proof"]


def test_a_thief_of_the_password_cannot_enrol_for_a_user_with_a_factor(alice: User, browser: Browser) -> None:
    add_totp(alice)
    log_in(browser)

    assert [post(browser, path).status_code for path in ("mfa/totp", "mfa/email", "mfa/recovery-codes")] == [401] * 3


@pytest.mark.asvs("6.4.4")
def test_a_password_alone_enrols_nothing_after_a_loss(alice: User, browser: Browser) -> None:
    """Without a requirement the password signs in, but adding a factor needs a proof of the mailbox."""
    add_totp(alice)
    lose(alice)
    assert log_in(browser).status_code == 200
    with_csrf(browser)
    delivered()

    refused = post(browser, "mfa/totp")
    assert refused.json()["required_assurance"] == "second_factor"
    challenged = post(browser, "reauthenticate", required_assurance="second_factor", max_age=0)
    challenged = answer(browser, challenged, password=PASSWORD)
    proved = answer(browser, challenged, code=code_in(the_mail()))

    assert proved.status_code == 200
    assert post(with_csrf(browser), "mfa/totp").status_code == 201


@pytest.mark.usefixtures("everyone")
def test_a_reset_allows_an_enrolment_again(alice: User, browser: Browser) -> None:
    add_totp(alice)
    administrator = User.objects.create_superuser("root")
    add_recovery_codes(alice)
    delivered()

    removed = reset_factors(user=alice, actor=administrator)

    assert removed == 2
    assert factors_of(alice) == []
    assert any("were reset" in mail.subject for mail in delivered())
    challenged = log_in(browser)
    assert challenged.json()["challenge"]["method"] == "email_code"
    assert answer(browser, challenged, code=code_in(the_mail())).json()["challenge"]["kind"] == "enrolment"


def test_a_demand_of_risk_never_leads_to_an_enrolment(alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"]}

    with pytest.raises(MoreProofRequired):
        begin_demanding(alice, Demand.AAL2)


def test_a_user_without_factors_meets_a_demand_of_risk_by_email(alice: User) -> None:
    outcome = begin_demanding(alice, Demand.SECOND_FACTOR)

    assert isinstance(outcome, Challenged)
    assert outcome.challenge.method == "email_code"


def test_an_unenrolled_mailbox_is_disabled_after_too_many_wrong_codes(alice: User, settings: Any) -> None:
    """SP 800-63B-4 section 3.2.2: its failures are counted although it has no row."""
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "MAX_FAILURES": 2}
    for _guess in range(2):
        browser = new_browser()
        answer(browser, log_in(browser), code=wrong_for(code_in(delivered()[-1])))

    browser = new_browser()
    challenged = log_in(browser)
    assert code_of(answer(browser, challenged, code=code_in(delivered()[-1]))) == "challenge_failed"

    reset_factors(user=alice, actor=None)
    browser = new_browser()
    challenged = log_in(browser)
    last = next(mail for mail in reversed(delivered()) if "is your code" in mail.subject)
    assert answer(browser, challenged, code=code_in(last)).status_code == 202
    assert FactorHistory.objects.get().mailbox_failures == 0


def wrong_for(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


def test_only_superusers_reset_superusers(alice: User) -> None:
    add_totp(alice)
    User.objects.update(is_superuser=True)
    alice.refresh_from_db()

    with pytest.raises(PermissionRefused):
        reset_factors(user=alice, actor=User.objects.create_user("helpdesk", is_staff=True))

    assert reset_factors(user=alice, actor=User.objects.create_superuser("root")) == 1


def test_an_unverified_address_confirms_nothing(alice: User) -> None:
    EmailAddress.objects.filter(user=alice).update(verified_at=None)

    with pytest.raises(MoreProofRequired):
        begin_demanding(alice, Demand.SECOND_FACTOR)


def test_an_email_code_does_not_meet_aal2(alice: User) -> None:
    add_mailbox(alice)
    add_totp(alice)

    outcome = begin_demanding(alice, Demand.AAL2)

    assert isinstance(outcome, Challenged)
    assert [choice.method for choice in outcome.challenge.choices] == ["totp"]


def test_the_second_factor_is_never_the_channel_of_the_first(alice: User) -> None:
    add_mailbox(alice)

    with pytest.raises(MoreProofRequired):
        begin_demanding(alice, Demand.SECOND_FACTOR, Method.EMAIL_LINK)


@pytest.mark.parametrize(
    ("rule", "is_meant"),
    [("everyone", True), ("staff", False), ("superusers", False), ("group:finance", True), ("group:sales", False),
     ("floor:3", True), ("floor:4", False), ("teams:red", True), ("teams:blue", False)],
)  # fmt: skip
def test_each_rule_applies_to_its_users(
    rule: str, is_meant: bool, alice: User, browser: Browser, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(facts._entries, "floor", lambda user: {"alice": 3}[user.username])
    monkeypatch.setitem(facts._entries, "teams", lambda user: ["red", "green"])
    alice.groups.add(Group.objects.create(name="finance"))
    settings.AUTH_MFA = {"REQUIRED_OF": [rule]}

    assert (log_in(browser).status_code == 202) == is_meant


def test_the_policy_applies_to_staff(alice: User, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["staff"]}
    User.objects.update(is_staff=True)

    assert log_in(browser).status_code == 202


def test_the_documented_rules_fail_no_check(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that cannot be evaluated applies to every user, so only the check tells it from the right one."""
    monkeypatch.setitem(facts._entries, "floor", lambda user: 3)
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone", "staff", "superusers", "group:finance", "floor:3"]}

    assert unknown_rules() == []


@pytest.mark.parametrize("rules", [["nobody"], ["group:"], ["moon:full"]])
def test_an_unknown_rule_fails_a_check(rules: list[str], settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": rules}

    assert "auth_mfa.E002" in {message.id for message in run_checks()}


@pytest.mark.parametrize("wrong", [{"METHODS": ["totp", "telepathy"]}, {"COUNTED_METHODS": ["password"]}, {"PASSKEY_LOGIN_VERIFICATION": "sometimes"}])  # fmt: skip
def test_an_unknown_method_fails_a_check(wrong: dict[str, Any], settings: Any) -> None:
    settings.AUTH_MFA = wrong

    assert "auth_mfa.E003" in {message.id for message in run_checks()}


def test_new_users_have_a_grace_period(alice: User, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "GRACE_PERIOD": timedelta(days=7)}
    assert log_in(browser).status_code == 200

    User.objects.update(date_joined=timezone.now() - timedelta(days=8))
    assert log_in(new_browser()).status_code == 202


@time_machine.travel(1_700_000_000, tick=False)
def test_the_grace_period_ends_at_its_deadline(alice: User, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "GRACE_PERIOD": timedelta(days=7)}
    alice.date_joined = timezone.now() - timedelta(days=7)

    assert requirement_of(alice) is Requirement.REQUIRED
    alice.date_joined += timedelta(seconds=1)
    assert requirement_of(alice) is Requirement.GRACE


@pytest.mark.parametrize("name", ["date_joined", "created_at"])
def test_the_grace_period_begins_when_the_user_model_says_that_a_user_joined(name: str, settings: Any) -> None:
    settings.AUTH_MFA = {"GRACE_PERIOD": timedelta(days=7)}
    joined = timezone.now() - timedelta(days=3)

    user: Any = SimpleNamespace(**{name: joined})

    assert deadline_of(user) == joined + timedelta(days=7)


def test_a_new_policy_gives_every_user_a_grace_period(alice: User, browser: Browser, settings: Any) -> None:
    User.objects.update(date_joined=timezone.now() - timedelta(days=800))
    settings.AUTH_MFA = {
        "REQUIRED_OF": ["everyone"],
        "GRACE_PERIOD": timedelta(days=7),
        "REQUIRED_SINCE": timezone.now() - timedelta(days=1),
    }

    assert log_in(browser).status_code == 200


def test_an_uncounted_factor_leads_to_a_counted_one(alice: User, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["totp"]}
    add_mailbox(alice)

    challenged = log_in(browser)
    to_add = answer(browser, challenged, code=code_in(the_mail()))

    assert (challenged.json()["challenge"]["method"], to_add.json()["challenge"]["kind"]) == ("email_code", "enrolment")


def test_an_uncounted_factor_is_not_enough_beside_a_counted_one(alice: User, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"REQUIRED_OF": ["everyone"], "COUNTED_METHODS": ["totp"]}
    add_totp(alice)
    mailbox = add_mailbox(alice)
    challenged = log_in(browser)
    challenged = post(browser, "login/challenge", token=challenged.json()["token"], choice=str(mailbox.pk))

    still_asked = answer(browser, challenged, code=code_in(the_mail()))

    assert (still_asked.status_code, still_asked.json()["challenge"]["method"]) == (202, "totp")
    assert answer(browser, still_asked, code=current_code()).status_code == 200


@pytest.mark.usefixtures("everyone")
def test_the_last_factor_of_a_required_user_stays(alice: User) -> None:
    factor = add_totp(alice)
    browser = sign_in(alice, assurance="aal2")

    refused = browser.delete(f"/api/v1/mfa/factors/{factor.pk}/")

    assert (refused.status_code, code_of(refused)) == (409, "last_factor")
    other = add_totp(alice, key=b"another key of twenty")
    assert browser.delete(f"/api/v1/mfa/factors/{factor.pk}/").status_code == 204
    assert code_of(browser.delete(f"/api/v1/mfa/factors/{other.pk}/")) == "last_factor"


def test_the_only_passkey_of_a_user_without_a_password_stays(alice: User) -> None:
    alice.set_unusable_password()
    alice.save()
    key = Authenticator(backup_eligible=True).added_to(alice)
    browser = sign_in(
        alice, assurance="aal2", evidence=[Evidence.now(Method.PASSKEY, user_verified=True, phishing_resistant=True)]
    )
    address = f"/api/v1/mfa/factors/{key.factor.pk}/"

    assert code_of(browser.delete(address)) == "last_factor"
    Authenticator(backup_eligible=True).added_to(alice)
    assert browser.delete(address).status_code == 204


def test_a_method_that_the_site_does_not_offer_is_not_asked_for(alice: User, browser: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"METHODS": ["totp"]}
    add_mailbox(alice)
    add_totp(alice)

    assert [choice["method"] for choice in log_in(browser).json()["choices"]] == ["totp"]
    assert code_of(post(sign_in(alice, assurance="aal2"), "mfa/email")) == "invalid_request"


def test_the_history_records_a_factor_but_not_a_mailbox(alice: User) -> None:
    add_mailbox(alice)
    assert not FactorHistory.objects.had_factor(alice)

    add_phone(alice)
    lose(alice)
    assert FactorHistory.objects.had_factor(alice)


def begin_demanding(user: User, demand: Demand, method: Method = Method.PASSWORD) -> Any:
    user.backend = "auth_core.backends.IdentifierBackend"  # type: ignore[attr-defined]  # as a login leaves it
    return open_login(
        user=user,
        evidence=Evidence.now(method),
        purpose=Purpose.LOGIN,
        transport=Transport.COOKIE,
        client=Client(),
        demand=demand,
        browser_secret="elb_" + "x" * 43,
    )
