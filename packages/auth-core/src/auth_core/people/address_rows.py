"""`EmailAddress` rows beside the columns of the user model: which of them count, and how an address becomes verified.

A row that was verified through this package counts regardless of the columns. Any other row counts only while a column of
the user still has its address: the site may change the column in its own forms, in the admin or by code (decision record
0042).
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone

from auth_core.conf import core
from auth_core.models import EmailAddress
from auth_core.people.addresses import Address
from auth_core.people.user_columns import address_fields, address_text_in, addresses_in
from auth_core.users import UserLike


def counts(row: EmailAddress, user: UserLike) -> bool:
    """Return whether the address of *row* is one of *user*."""
    return row.is_proved or is_current(row.key, user)


def is_current(key: str, user: UserLike) -> bool:
    """Return whether a column of *user* has the address of *key*. True if the user model has no such column."""
    return not address_fields() or any(address.key == key for address in addresses_in(user))


def rows_of(user: UserLike) -> list[EmailAddress]:
    """Return the rows of *user* that count, the primary one first. One query."""
    rows = EmailAddress.objects.filter(user=user.pk).order_by("-is_primary", "pk")
    return [row for row in rows if counts(row, user)]


def mailboxes_of(user: UserLike) -> list[str]:
    """Return where notices to *user* go: to all verified addresses and the primary one, else to the column."""
    rows = [row.address for row in rows_of(user) if row.is_primary or row.verified_at is not None]
    return rows or [text for text in [address_text_in(user)] if text]


def new_row_for(user: UserLike, address: Address) -> EmailAddress | None:
    """Return a new row of *user* with *address*, which a column has. ``None``: another account has it by now.

    It is verified if the site vouches for its columns (`TRUST_EXISTING_EMAILS`). Two concurrent calls create one row.
    """
    own = EmailAddress.objects.filter(user=user.pk, key=address.key)
    try:
        with transaction.atomic():
            # One call at a time. A foreign key to the user, such as that of a login, does not wait.
            get_user_model()._default_manager.select_for_update(no_key=True).filter(pk=user.pk).first()
            return own.first() or _insert(user, address, is_adopted=True, verified_at=adoption_time())
    except IntegrityError:
        return None


def adoption_time() -> datetime | None:
    """Return `verified_at` of a row that is copied from a column."""
    return timezone.now() if core.TRUST_EXISTING_EMAILS else None


def prove_address(*, user: UserLike, address: Address) -> bool:
    """Mark *address* of *user* as verified, because they have read mail to it. Return whether this call did so.

    The address becomes the primary one if the former primary one does not count any more. Rows of other accounts that
    do not count give way. Of two accounts that prove one address at the same time the first one gets it.

    Call this inside a transaction.
    """
    try:
        with transaction.atomic():
            return _prove(user, address)
    except IntegrityError:
        if not _release(user, address):
            return False
    try:
        with transaction.atomic():
            return _prove(user, address)
    except IntegrityError:
        return False


def release_stale_rows(address: Address) -> bool:
    """Release *address* from rows that do not count any more. Return whether there were any.

    A person changed their column from it, and another person opens an account with it.
    """
    rows = EmailAddress.objects.filter(key=address.key).select_related("user")
    return demote_rows([row for row in rows if not counts(row, row.user)])


def demote_rows(rows: Sequence[EmailAddress]) -> bool:
    """Make *rows* unverified further addresses. They do not prevent another account from verifying the address."""
    keys = [row.pk for row in rows if row.is_primary or row.verified_at is not None]
    return bool(keys and EmailAddress.objects.filter(pk__in=keys).update(is_primary=False, verified_at=None))


def _prove(user: UserLike, address: Address) -> bool:
    own = EmailAddress.objects.filter(user=user.pk, key=address.key)
    unproved = own.exclude(verified_at__isnull=False, is_adopted=False)
    former = [row for row in EmailAddress.objects.filter(user=user.pk, is_primary=True) if not counts(row, user)]
    demote_rows(former)
    if unproved.update(verified_at=timezone.now(), is_adopted=False):
        if former:
            own.update(is_primary=True)
        return True
    if own.exists():
        return False
    _insert(user, address, is_adopted=False, verified_at=timezone.now())
    return True


def _release(user: UserLike, address: Address) -> bool:
    """Demote the rows of other accounts with *address*. Return ``False`` if one of them is verified and counts."""
    others = list(EmailAddress.objects.filter(key=address.key).exclude(user=user.pk).select_related("user"))
    if any(row.verified_at is not None and counts(row, row.user) for row in others):
        return False
    return demote_rows(others)


def _insert(user: UserLike, address: Address, **columns: Any) -> EmailAddress:
    has_primary = EmailAddress.objects.filter(user=user.pk, is_primary=True).exists()
    return EmailAddress.objects.create(
        user=cast("Any", user), address=address.mailbox, key=address.key, is_primary=not has_primary, **columns
    )
