"""What is answered is what was asked, whatever its owner does meanwhile."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.testing.mails import delivered
from auth_core.testing.sessions import sign_in
from auth_mfa.models import PhoneFactor, TotpFactor
from auth_mfa.testing.factors import add_phone
from conftest import answer, current_code, enrolled, log_in, post

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("captured_texts")]


def test_a_factor_that_is_used_elsewhere_does_not_take_the_answer_to_another(alice: User, browser: Browser) -> None:
    enrolled(alice)
    phone = add_phone(alice)
    asked = log_in(browser)
    phone.note_use()

    granted = answer(browser, asked, current_code())

    assert (asked.json()["challenge"]["method"], granted.status_code) == ("totp", 200)
    assert (TotpFactor.objects.get().failures, PhoneFactor.objects.get().failures) == (0, 0)


def test_a_code_that_takes_no_guess_any_more_is_not_sent_again(alice: User) -> None:
    browser = sign_in(alice)
    begun = post(browser, "mfa/email").json()
    delivered()
    for guess in range(5):
        post(browser, f"mfa/email/{begun['id']}/confirm", code=f"00000{guess}")

    again = post(browser, f"mfa/email/{begun['id']}/resend")

    assert (again.status_code, again.json()["is_sent"]) == (202, False)
    assert delivered() == []
