"""Sessions after the removal of a factor or a reset of all factors."""

from typing import Any

import pytest

from auth_core.assurance.methods import Evidence, Method
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_mfa.factors import remove_factor, reset_factors
from auth_mfa.testing.factors import add_totp
from auth_sessions.models import Session

pytestmark = [pytest.mark.django_db(transaction=bool(redis_url())), pytest.mark.asvs("6.5.6")]


def browser_of(user: Any, factor: Any) -> Any:
    return sign_in(user, evidence=[Evidence.now(Method.PASSWORD), Evidence.now(Method.TOTP, credential=str(factor.pk))])


def status(browser: Any) -> int:
    return int(browser.get("/api/v1/me/").status_code)


def test_removing_a_factor_ends_its_other_sessions(alice: Any) -> None:
    phone, tablet = add_totp(alice), add_totp(alice, key=b"another key of twenty")
    mine, thiefs, others = browser_of(alice, phone), browser_of(alice, phone), browser_of(alice, tablet)
    assert [status(browser) for browser in (mine, thiefs, others)] == [200, 200, 200]

    assert mine.delete(f"/api/v1/mfa/factors/{phone.pk}/").status_code == 204

    assert [status(browser) for browser in (mine, thiefs, others)] == [200, 401, 200]
    assert Session.objects.get(ended_reason="factor_removed").user == alice


def test_a_removal_by_an_administrator_ends_all_sessions_of_the_factor(alice: Any) -> None:
    phone = add_totp(alice)
    browser = browser_of(alice, phone)

    remove_factor(factor=phone, actor=None, reason="administrator")

    assert status(browser) == 401


def test_a_reset_of_factors_ends_every_session(alice: Any) -> None:
    browser = browser_of(alice, add_totp(alice))
    with_password = sign_in(alice, assurance="aal2")

    reset_factors(user=alice, actor=None)

    assert [status(browser), status(with_password)] == [401, 401]
    assert set(Session.objects.values_list("ended_reason", flat=True)) == {"factor_removed", "factors_reset"}
