"""The first administrator: there are no default accounts, but a link that is printed once (ASVS 6.3.2, 6.4.1)."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.utils import timezone

from auth_core.errors import LinkInvalid
from auth_core.events import AuthEvent, Event, record
from auth_core.flows.account_creation import AddressTaken, open_account, parsed_address, unsaved_user
from auth_core.messages.links import link_to
from auth_core.models import BootstrapLink
from auth_core.passwords import policy
from auth_core.request.client import Client


class AdministratorExists(Exception):
    """There is an administrator already; the door is closed for good."""


def new_bootstrap_link() -> str:
    """Return a link under which the first administrator is made; one made before is worth nothing any more.

    It is for the terminal of whoever runs the command, never for a log.

    Raises:
        AdministratorExists: there is one.
    """
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
    """Make the first administrator; return the user, who is not signed in.

    Raises:
        LinkInvalid: the link is wrong, used, expired or replaced, or there is an administrator by now.
        InvalidRequest: the address is not one, or the password is not allowed; the link stays good.
        Unavailable: too many passwords are hashed at this moment; the link stays good.
    """
    policy.check_shape(password)
    link: BootstrapLink = BootstrapLink.objects.find(token)
    address = parsed_address(email)
    policy.validate_new(password, user=unsaved_user(address))
    password_hash = make_password(password)
    with transaction.atomic(durable=True):
        # Spent first: the row's lock lets one caller look whether there is still none.
        if not _is_spent_by_us(link) or has_administrator():
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
    """Say whether anybody may do everything."""
    people = get_user_model()._default_manager
    return bool(people.filter(is_superuser=True, is_active=True).exists())


def _is_spent_by_us(link: BootstrapLink) -> bool:
    """Spend the link if the row still holds its token: a later link took the row over, and this one is dead."""
    row = BootstrapLink.objects.filter(token_digest=link.token_digest)
    return row.spend() == 1
