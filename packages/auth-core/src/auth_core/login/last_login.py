"""The time of the last login, which Django stores in a statement and a transaction of its own.

A grant issuer may store it together with the session. Django's receiver then has nothing left to do.
"""

from datetime import datetime
from typing import Any, cast
from weakref import ref

from django.contrib.auth import get_user_model
from django.contrib.auth.models import update_last_login
from django.contrib.auth.signals import user_logged_in
from django.db.models import Field

from auth_core.memo import Memo
from auth_core.users import UserLike

#: Django's name for its receiver. A site disconnects it by this name.
_UID = "update_last_login"

#: On a user: the time that the grant of the current login has stored.
_STORED: Memo[datetime] = Memo("auth_core.last_login")


def connect() -> None:
    """Replace Django's receiver, if the site uses it, by one that leaves out what a grant has stored.

    Django connects its receiver when its app is ready. If that is later, Django stores the time as before.
    """
    if user_logged_in.disconnect(dispatch_uid=_UID):
        user_logged_in.connect(_update_unless_stored, dispatch_uid=_UID)


def field_to_store() -> "Field[Any, Any] | None":
    """Return the field of the user model that a grant may store. ``None``: the site disconnected Django's receiver."""
    is_used = any(entry[1] == ref(_update_unless_stored) for entry in user_logged_in.receivers)
    field: Field[Any, Any] | None = get_user_model()._meta.get_field("last_login") if is_used else None
    return field


def note_stored(user: UserLike, moment: datetime) -> None:
    """Note that *moment* is stored as the last login of *user*, in the open transaction."""
    cast("Any", user).last_login = moment
    _STORED.keep(user, moment)


def _update_unless_stored(sender: Any, user: Any, **kwargs: Any) -> None:
    if _STORED.take(user) is None:
        update_last_login(sender, user, **kwargs)
