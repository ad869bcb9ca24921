"""The mailbox that an account has without anybody enrolling it."""

from typing import Any

from auth_core.models import EmailAddress
from auth_core.people import email_part


def mailbox_of(user: Any) -> str:
    """Return the address that *user* has proven, or nothing.

    An account that came from elsewhere has no row that says so; there the address of
    record is taken, to which the site sends its links for lost passwords as well.
    """
    part = email_part(user)
    if part["verified"]:
        return str(part["address"])
    return "" if EmailAddress.objects.filter(user=user).exists() else str(part["address"] or "")
