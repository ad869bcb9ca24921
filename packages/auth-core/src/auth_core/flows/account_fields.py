"""Whether the site's user model lets this package create an account from an address and a password.

A model may require more, such as a date of birth, or identify people by a telephone number. Sign-up, invitations,
``create_user`` and ``bootstrap_link`` are then closed, and the check ``auth_core.W004`` says why.
"""

from collections.abc import Iterator
from typing import Any

from django.contrib.auth import get_user_model
from django.core.exceptions import ValidationError
from django.db.models import NOT_PROVIDED, Field

from auth_core.people.addresses import Address
from auth_core.people.user_columns import address_fields, column_named, username_field

#: An address of usual length. A username field that refuses it identifies people by something else.
_SAMPLE = "firstname.lastname@department.example.org"

#: Set by this package, or never required.
_OWN_FIELDS = frozenset({"password", "last_login", "is_superuser", "is_staff", "is_active"})


def obstacles() -> list[str]:
    """Return why no account can be created: one sentence for each field of the user model. Empty: accounts can be."""
    return [*_username_obstacles(), *_required_fields()]


def values_for(address: Address) -> dict[str, Any]:
    """Return the columns of a new account with *address*."""
    names = {username_field().name, *(field.name for field in address_fields())}
    return dict.fromkeys(names, address.key)


def fits(address: Address) -> bool:
    """Return whether the columns are long enough for *address*. Ours are, but Django's usernames have 150 characters."""
    lengths = (getattr(column_named(name), "max_length", None) for name in values_for(address))
    return all(length is None or len(address.key) <= length for length in lengths)


def _username_obstacles() -> Iterator[str]:
    field = username_field()
    try:
        field.run_validators(field.to_python(_SAMPLE))
    except ValidationError:
        yield f"{_label(field)} cannot hold an email address."


def _required_fields() -> Iterator[str]:
    set_fields = {*_OWN_FIELDS, username_field().name, *(field.name for field in address_fields())}
    for field in get_user_model()._meta.concrete_fields:
        if field.name not in set_fields and _is_required(field):
            yield f"{_label(field)} is required and has no default."


def _is_required(field: "Field[Any, Any]") -> bool:
    has_value = field.default is not NOT_PROVIDED or getattr(field, "db_default", NOT_PROVIDED) is not NOT_PROVIDED
    is_set_by_django = getattr(field, "auto_now", False) or getattr(field, "auto_now_add", False) or field.generated
    is_automatic = field.get_internal_type() in ("AutoField", "BigAutoField", "SmallAutoField")
    return not (has_value or is_set_by_django or is_automatic or field.null or field.blank)


def _label(field: "Field[Any, Any]") -> str:
    return f"{get_user_model()._meta.label}.{field.name}"
