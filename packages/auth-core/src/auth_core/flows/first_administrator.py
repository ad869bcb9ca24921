"""The first administrator. There are no default accounts, only a link that is printed once (ASVS 6.3.2, 6.4.1)."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from auth_core.errors import LinkInvalid, SignupClosed
from auth_core.events import AuthEvent, Event, record
from auth_core.flows import account_fields
from auth_core.flows.account_creation import (
    AddressTaken,
    check_creatable,
    open_account,
    parsed_address,
    unsaved_user,
)
from auth_core.messages.links import link_to
from auth_core.models import BootstrapLink
from auth_core.passwords import policy
from auth_core.people.user_columns import column_named
from auth_core.request.client import Client


class AdministratorExists(Exception):
    """An administrator exists. No further bootstrap link is issued."""


def new_bootstrap_link() -> str:
    """Return a link that creates the first administrator. It replaces an earlier link.

    Print it to the terminal of the person who runs the command. Never log it.

    Raises:
        AdministratorExists: there is an administrator.
        SignupClosed: the user model needs more than an address and a password, or has no superusers.
    """
    if account_fields.obstacles() or column_named("is_superuser") is None:
        raise SignupClosed
    if has_administrator():
        raise AdministratorExists
    link = BootstrapLink(expires_at=timezone.now() + BootstrapLink.lifetime())
    link.renew()
    columns = {"token_digest": link.token_digest, "expires_at": link.expires_at, "spent_at": None}
    with transaction.atomic(durable=True):
        BootstrapLink.objects.update_or_create(slot=1, defaults=columns)
        record(Event(name=AuthEvent.BOOTSTRAP_OPENED))
    return link_to("bootstrap", link.token)


def create_first_administrator(*, token: str, email: str, password: str, client: Client) -> Any:
    """Create the first administrator. Return the user, who is not signed in.

    Raises:
        LinkInvalid: the link is wrong, used, expired or replaced, or an administrator exists.
        InvalidRequest: the address is invalid, or the password is not allowed. The link stays valid.
        Unavailable: too many passwords are being hashed. The link stays valid.
    """
    policy.check_shape(password)
    link: BootstrapLink = BootstrapLink.objects.find(token)
    address = parsed_address(email)
    check_creatable(address)
    policy.validate_new(password, user=unsaved_user(address))
    password_hash = make_password(password)
    with transaction.atomic(durable=True):
        # The link is spent first. The lock on its row then lets one caller at a time check that there is no
        # administrator.
        if not _spend(link) or has_administrator():
            raise LinkInvalid
        try:
            user = open_account(
                address=address, password_hash=password_hash, verified=True, superuser=True, client=client
            )
        except AddressTaken:
            raise LinkInvalid from None
        record(Event(name=AuthEvent.BOOTSTRAP_COMPLETED, subject=user, client=client))
    return user


def has_administrator() -> bool:
    """Return whether there is an active superuser."""
    flags = {name: True for name in ("is_superuser", "is_active") if column_named(name) is not None}
    return "is_superuser" in flags and bool(get_user_model()._default_manager.filter(**flags).exists())


def _spend(link: BootstrapLink) -> bool:
    """Spend the link if the row still has its token. A later link overwrites the row, and this one is then invalid."""
    row = BootstrapLink.objects.filter(token_digest=link.token_digest)
    return row.spend() == 1
