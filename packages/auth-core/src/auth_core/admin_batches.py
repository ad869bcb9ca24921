"""Actions of an admin site on many rows: each row is changed or refused by itself, and the page says which."""

from collections.abc import Callable, Iterable
from typing import Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import ngettext

from auth_core.errors import PermissionRefused
from auth_core.observability.denials import mark_denied_by


def change_each(model_admin: Any, request: HttpRequest, rows: Iterable[Any], change: Callable[[Any], object]) -> int:
    """Apply *change* to each of *rows*; return how many it changed.

    A row whose person holds more than the caller stays as it is. The page says how many
    there were, and the refusal is recorded.
    """
    changed = refused = 0
    for row in rows:
        try:
            changed += bool(change(row))
        except PermissionRefused as refusal:
            mark_denied_by(refusal)
            refused += 1
    if refused:
        told = ngettext(
            "%d was left as it is: you may not do this to a person who holds more than you do, or to yourself.",
            "%d were left as they are: you may not do this to people who hold more than you do, or to yourself.",
            refused,
        )
        model_admin.message_user(request, told % refused, messages.ERROR)
    return changed
