"""People of a site whose addresses were adopted add second factors as before the adoption."""

import io

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from auth_core.models import EmailAddress
from auth_core.testing.factories import PASSWORD
from auth_mfa.errors import AddressUnproven
from auth_mfa.mailbox import check_address_proven, mailbox_of

pytestmark = pytest.mark.django_db


def test_an_adopted_address_is_used_as_before() -> None:
    carol = User.objects.create_user("carol", "carol@example.org", PASSWORD)
    before = mailbox_of(carol)

    call_command("adopt_users", stdout=io.StringIO())

    assert EmailAddress.objects.get().verified_at is None
    assert mailbox_of(carol) == before == "carol@example.org"
    check_address_proven(carol)


def test_an_unverified_address_of_a_sign_up_is_refused_as_before() -> None:
    carol = User.objects.create_user("carol", "carol@example.org", PASSWORD)
    EmailAddress.objects.create(user=carol, address=carol.email, key=carol.email, is_primary=True)

    assert mailbox_of(carol) == ""
    with pytest.raises(AddressUnproven):
        check_address_proven(carol)
