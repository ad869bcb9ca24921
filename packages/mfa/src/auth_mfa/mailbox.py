"""The mailbox of an account, which needs no enrolment, and whether its address is verified."""

from auth_core.models import EmailAddress
from auth_core.people.lookup import email_part
from auth_core.users import UserLike
from auth_mfa.errors import AddressUnproven


def mailbox_of(user: UserLike) -> str:
    """Return the verified address of *user*, or an empty string.

    An account of another system has no `EmailAddress` row, or one that was copied from the user
    model. Its address of record is used, as for the password reset links of the site.
    """
    part = email_part(user)
    if part["verified"]:
        return str(part["address"])
    is_own = EmailAddress.objects.filter(user=user.pk, is_adopted=False).exists()
    return "" if is_own else str(part["address"] or "")


def check_address_proven(user: UserLike) -> None:
    """Refuse a factor for an account without a verified address (decision record 0027).

    An attacker could create an account with the address of a victim. After a password
    reset, the victim would use an account that the attacker's factor still protects.
    Users without `EmailAddress` rows, or with rows copied from the user model, are not checked.

    Raises:
        AddressUnproven: there are addresses, and none is verified.
    """
    own = EmailAddress.objects.filter(user=user.pk, is_adopted=False)
    moments = list(own.values_list("verified_at", flat=True))
    if moments and not any(moments):
        raise AddressUnproven
