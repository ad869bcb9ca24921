"""An account without a verified address cannot add a second factor on any path."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from auth_core.contracts import Purpose, Transport
from auth_core.models import EmailAddress, PendingLogin
from auth_core.request.client import Client
from auth_core.testing.browsers import code_of, post
from auth_core.testing.mails import code_in, the_mail
from auth_core.testing.sessions import sign_in
from auth_mfa import login_enrolment
from auth_mfa.errors import AddressUnproven
from auth_mfa.factors import factors_of
from auth_mfa.messages import enrolment as message_enrolment
from auth_mfa.recovery.code_sets import issue_sheet
from auth_mfa.testing.factors import NUMBER, add_totp, current_code
from auth_mfa.totp import enrolment as totp_enrolment

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("captured_texts")]

BEGUN = [("totp", {}), ("sms", {"number": NUMBER}), ("email", {}), ("passkeys", {})]
PAGES = ["add/", "phone/add/", "email/add/", "passkeys/add/"]
CLIENT = Client()


@pytest.fixture
def unproven(alice: User) -> EmailAddress:
    """Alice's unverified address."""
    EmailAddress.objects.filter(user=alice).update(verified_at=None)
    return EmailAddress.objects.get(user=alice)


@pytest.mark.parametrize(("kind", "body"), BEGUN)
def test_the_api_adds_nothing_before_the_address_is_verified(
    kind: str, body: dict[str, Any], alice: User, unproven: EmailAddress
) -> None:
    refused = post(sign_in(alice), f"mfa/{kind}", **body)

    assert (refused.status_code, code_of(refused)) in {(409, "address_unproven"), (400, "invalid_request")}
    assert factors_of(alice) == []


@pytest.mark.parametrize(("kind", "body"), BEGUN)
def test_the_api_adds_a_factor_once_the_address_is_verified(
    kind: str, body: dict[str, Any], alice: User, unproven: EmailAddress
) -> None:
    EmailAddress.objects.update(verified_at=timezone.now())

    assert post(sign_in(alice), f"mfa/{kind}", **body).status_code in {200, 201}


@pytest.mark.parametrize(("kind", "body"), BEGUN)
def test_users_without_address_rows_are_not_checked(kind: str, body: dict[str, Any], alice: User) -> None:
    EmailAddress.objects.filter(user=alice).delete()

    assert post(sign_in(alice), f"mfa/{kind}", **body).status_code in {200, 201}


@pytest.mark.urls("test_pages")
@pytest.mark.parametrize("page", PAGES)
def test_the_pages_add_nothing_before_the_address_is_verified(page: str, alice: User, unproven: EmailAddress) -> None:
    refused = sign_in(alice).post(f"/account/second-factors/{page}", {"number": NUMBER, "name": ""})

    assert refused.status_code in {400, 409}, refused.content.decode()
    assert "Verify" in refused.content.decode()


def test_another_verified_address_is_enough(alice: User, unproven: EmailAddress) -> None:
    EmailAddress.objects.create(user=alice, address="a@example.org", key="a@example.org", verified_at=timezone.now())

    assert totp_enrolment.begin_totp(user=alice, name="").factor.pk


def test_an_enrolment_is_not_confirmed_with_an_unverified_address(alice: User) -> None:
    begun = totp_enrolment.begin_totp(user=alice, name="").factor
    sent = message_enrolment.begin_email(user=alice, name="", client=CLIENT).factor
    code = code_in(the_mail())
    EmailAddress.objects.filter(user=alice).update(verified_at=None)

    with pytest.raises(AddressUnproven):
        totp_enrolment.confirm_totp(user=alice, factor_id=begun.pk, code=current_code(begun.key), client=CLIENT)
    with pytest.raises(AddressUnproven):
        message_enrolment.confirm(user=alice, factor_id=sent.pk, code=code, client=CLIENT)

    assert factors_of(alice) == []


def test_recovery_codes_need_a_verified_address(alice: User, unproven: EmailAddress) -> None:
    add_totp(alice)

    with pytest.raises(AddressUnproven):
        issue_sheet(user=alice, client=CLIENT)

    assert [owned.method.value for owned in factors_of(alice)] == ["totp"]


@pytest.mark.parametrize("choice", ["totp", "passkey"])
def test_a_login_enrols_nothing_before_the_address_is_verified(
    choice: str, alice: User, unproven: EmailAddress
) -> None:
    login = PendingLogin.objects.open(user=alice, backend="x", purpose=Purpose.LOGIN, transport=Transport.TOKEN)

    with pytest.raises(AddressUnproven):
        login_enrolment.challenge(login, choice)
