"""The columns of the site's user model that identify a person: the username, and the fields with email addresses.

Any model that extends Django's ``AbstractBaseUser`` has a username. It may have no email field, and the username may be a
telephone number or an email address.
"""

from typing import Any, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.base_user import BaseUserManager
from django.core.exceptions import FieldDoesNotExist, MultipleObjectsReturned, ObjectDoesNotExist, ValidationError
from django.db.models import EmailField, Field

from auth_core.people.addresses import Address, InvalidAddress, parse
from auth_core.users import UserLike

#: Raised by a field for a text that it cannot hold, such as letters in a number.
_INVALID_VALUE = (TypeError, ValueError, ValidationError)


def username_field() -> "Field[Any, Any]":
    """Return the field of ``USERNAME_FIELD``."""
    field: Any = get_user_model()._meta.get_field(get_user_model().USERNAME_FIELD)
    return cast("Field[Any, Any]", field)


def column_named(name: str) -> "Field[Any, Any] | None":
    """Return the column *name* of the user model. ``None`` if it has none."""
    try:
        field: Any = get_user_model()._meta.get_field(name)
    except FieldDoesNotExist:
        return None
    return field if getattr(field, "concrete", False) else None


def address_fields() -> list["Field[Any, Any]"]:
    """Return the fields with email addresses: ``EMAIL_FIELD``, and ``USERNAME_FIELD`` if it is an email field."""
    email, username = column_named(get_user_model().get_email_field_name()), username_field()
    fields = [] if email is None else [email]
    return [*fields, username] if isinstance(username, EmailField) and username not in fields else fields


def stores_address_keys() -> bool:
    """Return whether the model stores addresses as keys, so that an exact comparison finds them. Ours does."""
    return bool(getattr(get_user_model(), "stores_address_keys", False))


def addresses_in(user: UserLike) -> list[Address]:
    """Return the valid addresses in the columns of *user*."""
    return [address for text in _texts_in(user) if (address := _parsed(text)) is not None]


def address_text_in(user: UserLike) -> str:
    """Return the first address in the columns of *user*, as stored and perhaps invalid. Empty if there is none."""
    return next(iter(_texts_in(user)), "")


def as_username(identifier: str) -> Any:
    """Return *identifier* as a value of ``USERNAME_FIELD``. ``None`` if the field cannot hold it."""
    try:
        return username_field().get_prep_value(identifier)
    except _INVALID_VALUE:
        return None


def has_own_natural_key() -> bool:
    """Return whether the manager of the model has its own way to find a username, such as in any case."""
    find = getattr(type(get_user_model()._default_manager), "get_by_natural_key", None)
    return find not in (None, BaseUserManager.get_by_natural_key) and not stores_address_keys()


def find_by_natural_key(identifier: str) -> Any:
    """Return the user that the manager of the model finds, or ``None``."""
    try:
        return get_user_model()._default_manager.get_by_natural_key(identifier)
    except (*_INVALID_VALUE, ObjectDoesNotExist, MultipleObjectsReturned):
        return None


def _texts_in(user: UserLike) -> list[str]:
    values = (getattr(user, field.attname, "") for field in address_fields())
    return [value for value in values if isinstance(value, str) and value]


def _parsed(text: str) -> Address | None:
    try:
        return parse(text)
    except InvalidAddress:
        return None
