"""An answer belongs to the factor that was asked for, even if the owner uses others meanwhile."""

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.testing.browsers import answer, log_in, post
from auth_core.testing.mails import delivered
from auth_core.testing.sessions import sign_in
from auth_mfa.models import PhoneFactor, TotpFactor
from auth_mfa.testing.factors import add_phone, add_totp, current_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("captured_texts")]


def test_an_answer_is_compared_with_the_factor_that_was_asked_for(alice: User, browser: Browser) -> None:
    add_totp(alice)
    phone = add_phone(alice)
    challenged = log_in(browser)
    phone.note_use()

    granted = answer(browser, challenged, code=current_code())

    assert (challenged.json()["challenge"]["method"], granted.status_code) == ("totp", 200)
    assert (TotpFactor.objects.get().failures, PhoneFactor.objects.get().failures) == (0, 0)


def test_a_code_without_guesses_is_not_sent_again(alice: User) -> None:
    browser = sign_in(alice)
    begun = post(browser, "mfa/email").json()
    delivered()
    for guess in range(5):
        post(browser, f"mfa/email/{begun['id']}/confirm", code=f"00000{guess}")

    again = post(browser, f"mfa/email/{begun['id']}/resend")

    assert (again.status_code, again.json()["is_sent"]) == (202, False)
    assert delivered() == []
