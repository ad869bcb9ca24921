"""Account creation: user, identity, address and event in one transaction."""

from typing import Any, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest, SignupClosed
from auth_core.events import AuthEvent, Event, record, recorded_by_caller
from auth_core.flows import account_fields
from auth_core.models import EmailAddress
from auth_core.passwords import policy
from auth_core.people.address_rows import release_stale_rows
from auth_core.people.addresses import Address, InvalidAddress, parse
from auth_core.people.identifiers import matches_of
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.users import AccountLike


class AddressTaken(Exception):
    """An account with this address already exists."""


def create_account(*, email: str, password: str, verified: bool = False, superuser: bool = False) -> Any:
    """Create an account that signs in with *email* and *password*.

    Args:
        verified: Whether the address counts as verified.
        superuser: Whether the person becomes a superuser.

    Raises:
        InvalidRequest: the address is invalid or taken, or the password is not allowed.
        SignupClosed: the user model needs more than an address and a password.
        Unavailable: too many passwords are being hashed.
    """
    address = parsed_address(email)
    check_creatable(address)
    # The columns of many user models are not unique. Another account must not lose its sign-in by this address.
    if matches_of(address.key):
        raise InvalidRequest(_taken())
    policy.validate_new(password, user=unsaved_user(address))
    password_hash = make_password(password)
    try:
        with transaction.atomic():
            return open_account(address=address, password_hash=password_hash, verified=verified, superuser=superuser)
    except AddressTaken as error:
        raise InvalidRequest(_taken()) from error


def open_account(
    *,
    address: Address,
    password_hash: str,
    verified: bool,
    superuser: bool = False,
    client: Client | None = None,
) -> Any:
    """Create an account in the current transaction. Every way to create an account calls this function.

    Args:
        address: The address of the account.
        password_hash: Hash of an allowed password, made by one of the configured hashers.

    Raises:
        AddressTaken: an account with this address exists. Nothing was written.
    """
    user = unsaved_user(address)
    user.password = password_hash
    user.is_staff = user.is_superuser = superuser
    _save(user, address, verified=verified)
    identity_of(user)
    record(Event(name=AuthEvent.ACCOUNT_CREATED, subject=user, client=client, data={"superuser": superuser}))
    return user


def parsed_address(email: str) -> Address:
    """Parse *email*.

    Raises:
        InvalidRequest: it is not a valid address.
    """
    try:
        return parse(email)
    except InvalidAddress as error:
        raise InvalidRequest(_address_error(error)) from error


def check_creatable(address: Address) -> None:
    """Check that an account with *address* can be created.

    Raises:
        SignupClosed: the user model needs more than an address and a password.
        InvalidRequest: the address is too long for its columns.
    """
    if account_fields.obstacles():
        raise SignupClosed
    if not account_fields.fits(address):
        raise InvalidRequest(FieldError("email", "too_long", _("This email address is too long.")))


def unsaved_user(address: Address) -> Any:
    """Return an unsaved user with *address*. Password validators compare the password with its attributes."""
    return get_user_model()(**account_fields.values_for(address))


def owner_of(address: Address) -> tuple[Any, str]:
    """Return a user who has *address*, and the stored address for their mail. One query.

    A sign-up and an invitation with this address create no account. Mail never goes to the typed address of an account
    (decision record 0027). The stored address is empty for an unknown one, and for a username that looks like one.
    """
    matches = matches_of(address.key)
    return (matches[0].user, matches[0].mailbox) if matches else (None, "")


def _taken() -> FieldError:
    return FieldError("email", "taken", _("An account with this email address already exists."))


def _address_error(error: InvalidAddress) -> FieldError:
    if error.code == "ambiguous_letter":
        detail = _("The part before the @ has a letter that mail servers may confuse with another one.")
        return FieldError("email", error.code, detail)
    return FieldError("email", "invalid", _("Enter a valid email address."))


def _save(user: AccountLike, address: Address, *, verified: bool) -> None:
    """Insert the rows. The unique columns decide whether the address is taken, not a query before the insert."""
    try:
        _insert(user, address, verified=verified)
    except IntegrityError as error:
        if not release_stale_rows(address):
            raise AddressTaken from error
        try:
            _insert(user, address, verified=verified)
        except IntegrityError as second_error:
            raise AddressTaken from second_error


def _insert(user: AccountLike, address: Address, *, verified: bool) -> None:
    with transaction.atomic(), recorded_by_caller():
        user.save(force_insert=True)
        EmailAddress.objects.create(
            user=cast("Any", user),
            address=address.mailbox,
            key=address.key,
            is_primary=True,
            verified_at=timezone.now() if verified else None,
        )
