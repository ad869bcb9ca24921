"""A login asks for the strongest factor first, and a new spare changes nothing."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.testing.browsers import answer, log_in, new_browser, post, with_csrf
from auth_core.testing.mails import code_in, the_mail
from auth_core.testing.sessions import sign_in
from auth_core.testing.texts import code_in_text, delivered_texts
from auth_mfa import oath
from auth_mfa.factors import factors_of
from auth_mfa.models import EmailFactor, Factor, PhoneFactor, TotpFactor
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import NUMBER, add_mailbox, add_phone, add_recovery_codes, add_totp, current_code

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("captured_texts")]


def first_method(user: User) -> str:
    """Return the method that a login of *user* asks for first."""
    return str(log_in(new_browser()).json()["challenge"]["method"])


def enrol_app(browser: Browser) -> None:
    begun = post(browser, "mfa/totp", name="Spare").json()
    post(browser, f"mfa/totp/{begun['id']}/confirm", code=current_code(oath.from_base32(begun["secret"])))


def enrol_phone(browser: Browser) -> None:
    begun = post(browser, "mfa/sms", number=NUMBER).json()
    post(browser, f"mfa/sms/{begun['id']}/confirm", code=code_in_text(delivered_texts()[-1]))


def enrol_mailbox(browser: Browser) -> None:
    begun = post(browser, "mfa/email").json()
    post(browser, f"mfa/email/{begun['id']}/confirm", code=code_in(the_mail()))


ADDED: list[tuple[Callable[[Browser], None], type[Factor]]] = [
    (enrol_app, TotpFactor),
    (enrol_phone, PhoneFactor),
    (enrol_mailbox, EmailFactor),
]


@pytest.mark.parametrize(("enrol", "model"), ADDED, ids=["totp", "sms_code", "email_code"])
def test_an_enrolment_does_not_count_as_a_use(
    enrol: Callable[[Browser], None], model: type[Factor], alice: User
) -> None:
    enrol(with_csrf(sign_in(alice, assurance="aal1")))

    assert model.objects.of(alice).get().last_used_at is None


@pytest.mark.parametrize("enrol", [enrol for enrol, _model in ADDED], ids=["totp", "sms_code", "email_code"])
def test_a_weaker_factor_does_not_come_before_the_passkey(enrol: Callable[[Browser], None], alice: User) -> None:
    Authenticator().added_to(alice)
    enrol(with_csrf(sign_in(alice, assurance="aal2")))

    assert len(factors_of(alice)) == 2
    assert first_method(alice) == "passkey"


def test_the_strongest_factor_comes_first_even_if_a_weaker_one_was_used_last(alice: User) -> None:
    add_totp(alice)
    mailbox = add_mailbox(alice)
    browser = new_browser()
    token = log_in(browser).json()["token"]
    chosen = post(browser, "login/challenge", token=token, choice=str(mailbox.pk))
    assert answer(browser, chosen, code=code_in(the_mail())).status_code == 200

    assert first_method(alice) == "totp"


def test_factors_are_ordered_by_strength(alice: User) -> None:
    add_totp(alice)
    add_mailbox(alice)
    add_phone(alice)
    add_recovery_codes(alice)
    Authenticator(discoverable=False).added_to(alice)
    Authenticator().added_to(alice)

    assert [owned.method.value for owned in factors_of(alice)] == [
        "passkey",
        "security_key",
        "totp",
        "sms_code",
        "email_code",
        "recovery_code",
    ]


@pytest.mark.parametrize("is_used", [True, False])
def test_a_second_app_does_not_come_before_the_first(is_used: bool, alice: User) -> None:
    first = add_totp(alice)
    if is_used:
        browser = new_browser()
        assert answer(browser, log_in(browser), code=current_code(steps=-1)).status_code == 200
    spare: Any = add_totp(alice, key=b"another key of twenty", name="Spare")

    assert [owned.id for owned in factors_of(alice)] == [first.pk, spare.pk]
    assert log_in(new_browser()).json()["challenge"]["choice"] == str(first.pk)


def test_the_most_recently_used_of_two_apps_comes_first(alice: User, browser: Browser) -> None:
    add_totp(alice)
    spare = add_totp(alice, key=b"another key of twenty", name="Spare")
    token = log_in(browser).json()["token"]
    chosen = post(browser, "login/challenge", token=token, choice=str(spare.pk))
    assert answer(browser, chosen, code=current_code(b"another key of twenty")).status_code == 200

    assert log_in(new_browser()).json()["challenge"]["choice"] == str(spare.pk)
