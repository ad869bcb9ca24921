"""The trail records every change of second factors."""

from typing import Any

import pytest

from auth_core.testing.browsers import answer, log_in, new_browser, post
from auth_core.testing.gaps import assert_no_audit_gap
from auth_core.testing.mails import code_in, delivered
from auth_core.testing.sessions import sign_in
from auth_core.testing.texts import code_in_text, the_text
from auth_mfa.factors import reset_factors
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import NUMBER, add_totp

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("captured_texts")]


def test_adding_using_and_removing_every_factor_leaves_no_gap(alice: Any) -> None:
    add_totp(alice)
    here, key = sign_in(alice, assurance="aal2"), Authenticator(backup_eligible=True)

    with assert_no_audit_gap():
        phone = post(here, "mfa/sms", number=NUMBER).json()
        post(here, f"mfa/sms/{phone['id']}/confirm", code="000000")
        assert post(here, f"mfa/sms/{phone['id']}/confirm", code=code_in_text(the_text())).status_code == 200
        mailbox = post(here, "mfa/email").json()
        sent = code_in(next(mail for mail in delivered() if "is your code" in mail.subject))
        assert post(here, f"mfa/email/{mailbox['id']}/confirm", code=sent).status_code == 200
        registration = post(here, "mfa/passkeys").json()
        created = post(
            here, f"mfa/passkeys/{registration['id']}/confirm", credential=key.make(registration["options"]), name="Key"
        )
        assert created.status_code == 201
        codes = post(here, "mfa/recovery-codes").json()["codes"]
        assert (
            here.patch(
                f"/api/v1/mfa/factors/{phone['id']}/", {"name": "Old"}, content_type="application/json"
            ).status_code
            == 200
        )

        browser = new_browser()
        challenged = log_in(browser).json()
        choice = next(way["id"] for way in challenged["choices"] if way["method"] == "recovery_code")
        chosen = post(browser, "login/challenge", token=challenged["token"], choice=choice)
        assert answer(browser, chosen, code=codes[0]).status_code == 200
        options = post(new_browser(), "mfa/passkeys/login", transport="token").json()
        signed = key.sign(options["options"])
        granted = post(new_browser(), "mfa/passkeys/login/answer", token=options["token"], credential=signed)
        assert granted.status_code == 200
        assert here.delete(f"/api/v1/mfa/factors/{phone['id']}/").status_code == 204
        reset_factors(user=alice, actor=None)
