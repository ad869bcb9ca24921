"""The mailbox that an account has without anybody enrolling it, and whether it was proved."""

from typing import Any

from auth_core.models import EmailAddress
from auth_core.people.lookup import email_part
from auth_mfa.errors import AddressUnproven


def mailbox_of(user: Any) -> str:
    """Return the address that *user* has proven, or nothing.

    An account that came from elsewhere has no row that says so; there the address of
    record is taken, to which the site sends its links for lost passwords as well.
    """
    part = email_part(user)
    if part["verified"]:
        return str(part["address"])
    return "" if EmailAddress.objects.filter(user=user).exists() else str(part["address"] or "")


def check_address_proven(user: Any) -> None:
    """Refuse a factor to an account none of whose addresses is proved (decision record 0027).

    A person could have made it with the address of another, whose password reset would
    then lead to an account that the first one's factor still guards. Users of a site
    that keeps no `EmailAddress` rows are not asked.

    Raises:
        AddressUnproven: there are addresses, and none of them is proved.
    """
    moments = list(EmailAddress.objects.filter(user=user).values_list("verified_at", flat=True))
    if moments and not any(moments):
        raise AddressUnproven
