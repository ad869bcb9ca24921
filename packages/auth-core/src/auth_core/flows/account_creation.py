"""Making an account: user, identity and address in one transaction, and the event."""

from typing import Any

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import AuthEvent, Event, record
from auth_core.models import EmailAddress
from auth_core.passwords import policy
from auth_core.people.addresses import Address, InvalidAddress, parse
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client


class AddressTaken(Exception):
    """There is an account with this address."""


def create_account(*, email: str, password: str, verified: bool = False, superuser: bool = False) -> Any:
    """Make an account that signs in with *email* and *password*.

    Args:
        verified: Whether the address counts as proven.
        superuser: Whether the person may do everything.

    Raises:
        InvalidRequest: the address is not one or is taken, or the password is not allowed.
        Unavailable: too many passwords are hashed at this moment.
    """
    address = parsed_address(email)
    policy.validate_new(password, user=unsaved_user(address))
    password_hash = make_password(password)
    try:
        with transaction.atomic():
            return open_account(address=address, password_hash=password_hash, verified=verified, superuser=superuser)
    except AddressTaken as error:
        raise InvalidRequest(FieldError("email", "taken", _("There is an account with this address."))) from error


def open_account(
    *,
    address: Address,
    password_hash: str,
    verified: bool,
    superuser: bool = False,
    client: Client | None = None,
) -> Any:
    """Make an account inside the transaction that is open; every way to an account ends here.

    Args:
        address: Whose account it is.
        password_hash: As a hasher of ours made it; the password was allowed.

    Raises:
        AddressTaken: there is an account with this address; nothing was written.
    """
    user = unsaved_user(address)
    user.password = password_hash
    user.is_staff = user.is_superuser = superuser
    _save(user, address, verified=verified)
    identity_of(user)
    record(Event(name=AuthEvent.ACCOUNT_CREATED, subject=user, client=client, data={"superuser": superuser}))
    return user


def parsed_address(email: str) -> Address:
    """Return the address that *email* is.

    Raises:
        InvalidRequest: it is none.
    """
    try:
        return parse(email)
    except InvalidAddress as error:
        raise InvalidRequest(_why_refused(error)) from error


def unsaved_user(address: Address) -> Any:
    """Return a user as they would be, for whoever must know before there is one: which passwords say too much."""
    model = get_user_model()
    return model(**{model.USERNAME_FIELD: address.key, model.get_email_field_name(): address.key})


def _why_refused(error: InvalidAddress) -> FieldError:
    if error.code == "ambiguous_letter":
        detail = _("Before the @, this address has a letter that mail servers may take for another one.")
        return FieldError("email", error.code, detail)
    return FieldError("email", "invalid", _("This is not an e-mail address."))


def _save(user: Any, address: Address, *, verified: bool) -> None:
    """Insert; the unique columns, not a look beforehand, say whether the address is taken."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            EmailAddress.objects.create(
                user=user,
                address=address.mailbox,
                key=address.key,
                is_primary=True,
                verified_at=timezone.now() if verified else None,
            )
    except IntegrityError as error:
        raise AddressTaken from error
