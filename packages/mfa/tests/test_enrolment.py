"""Enrolment and removal of authenticator apps."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import User
from django.test import Client as Browser
from django.utils import timezone

from auth_core.assurance.evidence import SessionFacts, session_of
from auth_core.events import AuthEvent
from auth_core.registries import exports, sweeps
from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post, with_csrf
from auth_core.testing.mails import the_mail
from auth_mfa import oath
from auth_mfa.models import TotpFactor
from auth_mfa.testing.factors import KEY, add_totp, current_code

pytestmark = pytest.mark.django_db


def facts_of(request: Any) -> SessionFacts:
    facts = session_of(request)
    assert facts is not None
    return facts


def begin_totp(browser: Browser, name: str = "Phone") -> Any:
    return post(browser, "mfa/totp", name=name)


def confirm_totp(browser: Browser, begun: Any, code: str | None = None) -> Any:
    key = oath.from_base32(begun.json()["secret"])
    return post(browser, f"mfa/totp/{begun.json()['id']}/confirm", code=current_code(key) if code is None else code)


def test_an_app_counts_after_its_first_code(browser_of_alice: Browser, alice: User, recorded_events: list[Any]) -> None:
    begun = begin_totp(browser_of_alice)
    assert begun.status_code == 201
    assert set(begun.json()) == {"id", "secret", "uri", "qr_svg"}
    assert log_in(new_browser()).status_code == 200, "what is begun is no factor yet"

    confirmed = confirm_totp(browser_of_alice, begun)

    assert (confirmed.status_code, confirmed.json()["name"]) == (200, "Phone")
    assert log_in(new_browser()).status_code == 202
    assert [factor["method"] for factor in browser_of_alice.get("/api/v1/me/").json()["second_factors"]] == ["totp"]
    added = next(event for event in recorded_events if event.name is AuthEvent.FACTOR_ADDED)
    assert (added.subject, added.data) == (alice, {"method": "totp"})
    assert "second factor was added" in the_mail().subject


def test_the_confirming_code_is_spent(browser_of_alice: Browser) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        begun = begin_totp(browser_of_alice)
        confirm_totp(browser_of_alice, begun)
        browser = new_browser()

        refused = answer(browser, log_in(browser), code=current_code(oath.from_base32(begun.json()["secret"])))

    assert code_of(refused) == "challenge_failed"


def test_a_wrong_code_confirms_nothing(browser_of_alice: Browser) -> None:
    begun = begin_totp(browser_of_alice)
    wrong = f"{(int(current_code(oath.from_base32(begun.json()['secret']))) + 1) % 10**6:06d}"

    assert code_of(confirm_totp(browser_of_alice, begun, wrong)) == "challenge_failed"
    assert not TotpFactor.objects.filter(confirmed=True).exists()


def test_an_enrolment_can_be_confirmed_for_half_an_hour(browser_of_alice: Browser) -> None:
    begun = begin_totp(browser_of_alice)

    with time_machine.travel(timezone.now() + timedelta(minutes=30, seconds=1), tick=False):
        later = with_csrf(new_browser())
        log_in(later)
        assert code_of(confirm_totp(with_csrf(later), begun)) == "not_found"
        assert sweeps.get("auth_mfa.enrolments")() == 1  # type: ignore[misc]  # registered when the app is ready
    assert not TotpFactor.objects.exists()


def test_a_second_enrolment_replaces_the_first(browser_of_alice: Browser) -> None:
    first, second = begin_totp(browser_of_alice), begin_totp(browser_of_alice)

    assert code_of(confirm_totp(browser_of_alice, first)) == "not_found"
    assert confirm_totp(browser_of_alice, second).status_code == 200


def test_the_key_is_in_no_plain_column_and_in_no_repr(browser_of_alice: Browser) -> None:
    begun = begin_totp(browser_of_alice)
    secret = begun.json()["secret"]

    stored = TotpFactor.objects.values().get()
    assert not any(secret in str(value) for value in stored.values())
    assert secret not in repr(TotpFactor.objects.get())


@pytest.mark.asvs("7.5.1")
def test_adding_and_removing_a_factor_needs_a_fresh_proof(browser_of_alice: Browser, alice: User) -> None:
    later = timezone.now() + timedelta(minutes=5, seconds=1)
    factor = add_totp(alice)

    too_little = begin_totp(browser_of_alice)
    assert (too_little.status_code, code_of(too_little)) == (401, "insufficient_user_authentication")
    assert too_little.json()["required_assurance"] == "aal2"
    assert code_of(browser_of_alice.delete(f"/api/v1/mfa/factors/{factor.pk}/")) == "insufficient_user_authentication"

    proved = new_browser()
    assert answer(proved, log_in(proved), code=current_code()).status_code == 200
    with_csrf(proved)
    assert begin_totp(proved).status_code == 201
    with time_machine.travel(later, tick=False):
        assert code_of(begin_totp(proved)) == "insufficient_user_authentication"
    assert proved.delete(f"/api/v1/mfa/factors/{factor.pk}/").status_code == 204
    assert "removed" in the_mail().subject
    assert log_in(new_browser()).status_code == 200


def test_an_old_session_cannot_confirm_an_enrolment(browser_of_alice: Browser) -> None:
    begun = begin_totp(browser_of_alice)

    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1), tick=False):
        assert code_of(confirm_totp(browser_of_alice, begun)) == "insufficient_user_authentication"


def test_a_user_without_factors_needs_a_fresh_password(browser_of_alice: Browser) -> None:
    with time_machine.travel(timezone.now() + timedelta(minutes=5, seconds=1), tick=False):
        refused = begin_totp(browser_of_alice)

    assert (code_of(refused), refused.json()["required_assurance"]) == ("insufficient_user_authentication", "aal1")


def test_a_factor_can_be_listed_and_renamed(browser_of_alice: Browser, alice: User) -> None:
    factor = add_totp(alice)
    address = f"/api/v1/mfa/factors/{factor.pk}/"

    assert (
        browser_of_alice.patch(address, {"name": "Tablet"}, content_type="application/json").json()["name"] == "Tablet"
    )
    assert [row["name"] for row in browser_of_alice.get("/api/v1/mfa/factors/").json()["results"]] == ["Tablet"]
    assert "seed" not in browser_of_alice.get(address).content.decode()
    assert exports.get("auth_mfa")(alice)[0]["name"] == "Tablet"  # type: ignore[misc]  # registered when the app is ready


def test_another_users_factor_is_not_found(browser_of_alice: Browser) -> None:
    bob = User.objects.create_user("bob", "bob@example.org", "x")
    theirs = add_totp(bob)
    begun = TotpFactor.objects.create(user=bob, name="begun", seed=oath.to_base32(KEY))

    address = f"/api/v1/mfa/factors/{theirs.pk}/"
    answers = [
        browser_of_alice.get(address),
        browser_of_alice.patch(address, {"name": "mine"}, content_type="application/json"),
        browser_of_alice.delete(address),
        post(browser_of_alice, f"mfa/totp/{begun.pk}/confirm", code=current_code()),
    ]

    assert {code_of(refused) for refused in answers} == {"not_found"}
    assert TotpFactor.objects.filter(user=bob).count() == 2


def test_the_number_of_factors_is_limited(browser_of_alice: Browser, settings: Any) -> None:
    settings.AUTH_MFA = {"MAX_FACTORS": 0}

    assert begin_totp(browser_of_alice).status_code == 409


@pytest.mark.parametrize(
    "body",
    [{"code": 123456}, {"code": "12345"}, {"code": "1234567"}, {"code": "\uff11\uff12\uff13\uff14\uff15\uff16"}, {"code": "12 34x6"},
     {"code": "\0" * 6}, {"code": "1" * 10_000}, {}, {"code": "123456", "user": "bob"}],
)  # fmt: skip
def test_a_malformed_code_is_refused_and_costs_no_guess(body: dict[str, Any], browser_of_alice: Browser) -> None:
    begun = begin_totp(browser_of_alice)

    for _time in range(12):
        refused = post(browser_of_alice, f"mfa/totp/{begun.json()['id']}/confirm", **body)

    assert (refused.status_code, code_of(refused)) == (400, "invalid_request")
    assert confirm_totp(browser_of_alice, begun).status_code == 200


def test_adding_a_factor_needs_a_session(browser: Browser) -> None:
    assert begin_totp(browser).status_code == 401
    assert browser.get("/api/v1/mfa/factors/").status_code == 401


@pytest.mark.parametrize("is_page", [True, False])
@pytest.mark.urls("test_used_up")
def test_a_session_with_a_changed_context_cannot_rename_a_factor(
    is_page: bool, browser_of_alice: Browser, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    factor = add_totp(alice)
    module = "auth_mfa.pages.factor_views" if is_page else "auth_mfa.api.views"
    monkeypatch.setattr(
        f"{module}.session_of", lambda request: replace(facts_of(request), context_changed=("country",))
    )

    if is_page:
        refused = browser_of_alice.post(f"/account/second-factors/{factor.pk}/name/", {"name": "Mine"})
        assert refused.headers["Location"].startswith("/login/again/")
    else:
        address = f"/api/v1/mfa/factors/{factor.pk}/"
        refused = browser_of_alice.patch(address, {"name": "Mine"}, content_type="application/json")
        assert code_of(refused) == "insufficient_user_authentication"

    assert TotpFactor.objects.get().name == "Phone"
