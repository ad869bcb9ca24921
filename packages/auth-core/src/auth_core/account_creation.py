"""Making an account: user, identity and address in one transaction, and the event."""

from typing import Any

from django.contrib.auth import get_user_model
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core import passwords
from auth_core.emails import Address, InvalidAddress, parse
from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import AuthEvent, Event, record
from auth_core.models import EmailAddress
from auth_core.people import identity_of


def create_account(*, email: str, password: str, verified: bool = False, superuser: bool = False) -> Any:
    """Make an account that signs in with *email* and *password*.

    Args:
        verified: Whether the address counts as proven.
        superuser: Whether the person may do everything.

    Raises:
        InvalidRequest: the address is not one or is taken, or the password is not allowed.
    """
    address = _parsed(email)
    with transaction.atomic():
        user = _new_user(address.key, superuser=superuser)
        passwords.validate_new(password, user=user)
        user.set_password(password)
        _save(user, address, verified=verified)
        identity_of(user)
        record(Event(name=AuthEvent.ACCOUNT_CREATED, subject=user, data={"superuser": superuser}))
    return user


def _parsed(email: str) -> Address:
    try:
        return parse(email)
    except InvalidAddress as error:
        raise InvalidRequest(FieldError("email", "invalid", _("This is not an e-mail address."))) from error


def _new_user(key: str, *, superuser: bool) -> Any:
    model = get_user_model()
    user = model(**{model.USERNAME_FIELD: key, model.get_email_field_name(): key})
    user.is_staff = user.is_superuser = superuser
    return user


def _save(user: Any, address: Address, *, verified: bool) -> None:
    """Insert; the unique columns, not a look beforehand, say whether the address is taken."""
    try:
        with transaction.atomic():
            user.save(force_insert=True)
            EmailAddress.objects.create(
                user=user,
                address=address.display,
                key=address.key,
                is_primary=True,
                verified_at=timezone.now() if verified else None,
            )
    except IntegrityError as error:
        raise InvalidRequest(FieldError("email", "taken", _("There is an account with this address."))) from error
