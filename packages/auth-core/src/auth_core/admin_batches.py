"""Admin actions on many rows. Each row is changed or refused separately, and the page reports both."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import ngettext

from auth_core.errors import PermissionRefused
from auth_core.observability.denials import mark_denied_by

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin


def change_each(
    model_admin: "ModelAdmin[Any]", request: HttpRequest, rows: Iterable[Any], change: Callable[[Any], object]
) -> int:
    """Apply *change* to each of *rows*. Return how many it changed.

    A row whose person holds more than the caller stays unchanged. The page reports the number
    of refused rows, and each refusal is recorded.
    """
    changed = refused = 0
    for row in rows:
        try:
            changed += bool(change(row))
        except PermissionRefused as refusal:
            mark_denied_by(refusal)
            refused += 1
    if refused:
        message = ngettext(
            "%d was not changed. You cannot do this to yourself or to a person with more rights than you.",
            "%d were not changed. You cannot do this to yourself or to people with more rights than you.",
            refused,
        )
        model_admin.message_user(request, message % refused, messages.ERROR)
    return changed
