"""The trail records every change by users."""

from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post, sign_up, with_csrf
from auth_core.testing.factories import PASSWORD
from auth_core.testing.gaps import AuditGap, assert_no_audit_gap
from auth_core.testing.mails import code_in, delivered, the_mail, token_in
from auth_mfa.testing.factors import KEY, add_totp, current_code
from auth_sessions.models import Device, Session

pytestmark = pytest.mark.django_db(transaction=True)

SignIn = Callable[..., Browser]
NEW = "another battery horse staple"


def test_sign_up_and_password_changes_leave_no_gap(browser: Browser) -> None:
    with assert_no_audit_gap():
        sign_up(browser, "alice@example.org")
        post(browser, "email/verify", email="alice@example.org", code=code_in(the_mail()))
        assert log_in(browser).status_code == 200
        changed = post(with_csrf(browser), "password/change", current_password=PASSWORD, new_password=NEW)
        assert changed.status_code == 204
        delivered()
        post(new_browser(), "password/forgot", email="alice@example.org")
        reset = post(new_browser(), "password/reset", token=token_in(the_mail()), password=PASSWORD)
        assert reset.status_code == 200


def test_a_second_factor_leaves_no_gap(alice: Any, browser: Browser) -> None:
    add_totp(alice)

    with assert_no_audit_gap():
        challenged = log_in(browser)
        wrong = answer(browser, challenged, code=current_code(b"x" * len(KEY)))
        assert code_of(wrong) == "challenge_failed"
        granted = answer(browser, challenged, code=current_code())
        assert granted.json()["session"]["acr"] == "aal2"
        assert post(with_csrf(browser), "sessions/revoke-others").status_code in (200, 204)
        assert post(browser, "logout").status_code == 204


def test_device_changes_leave_no_gap(alice: Any, signed_in: SignIn) -> None:
    here = signed_in(alice)

    with assert_no_audit_gap():
        signed_in(alice)
        device = Device.objects.latest("pk")
        address = f"/api/v1/devices/{device.pk}/"
        assert here.patch(address, {"name": "Desk"}, content_type="application/json").status_code == 200
        assert here.post(f"{address}block/", {}, content_type="application/json").status_code == 204
        assert here.delete(f"{address}block/").status_code == 204
        assert here.delete(address).status_code == 204
        token = token_in(the_mail())
        assert post(new_browser(), "devices/not-me", token=token).json() == {"status": "account_locked"}


def test_an_unrecorded_change_of_a_session_is_a_gap(alice: Any, signed_in: SignIn) -> None:
    signed_in(alice)

    with pytest.raises(AuditGap, match="auth_sessions_session: UPDATE"), assert_no_audit_gap():
        Session.objects.update(ended_reason="planted")


@pytest.mark.parametrize("transport", ["cookie", "token"])
@pytest.mark.parametrize("assurance", ["aal2", "aal3"])
def test_a_user_with_a_factor_signs_in_over_both_transports(
    transport: str, assurance: str, alice: Any, signed_in: SignIn
) -> None:
    add_totp(alice)

    caller = signed_in(alice, assurance=assurance, transport=transport)

    session = Session.objects.live().get()
    assert caller.get("/api/v1/me/").json()["acr"] == assurance
    assert (session.transport, session.facts.acr) == (transport, assurance)
    assert post(caller, "logout").status_code == 204
    assert not Session.objects.live().exists()
