"""Hides objects that the caller may not view: the answer is the same as for an object that does not exist.

The denial is recorded all the same.
"""

from typing import NoReturn

from django.db.models import Model
from django.http import Http404

from auth_core.errors import NotFound
from auth_core.observability import denials


def hide(model: type[Model]) -> NoReturn:
    """Answer a view of the site as if the object did not exist.

    Raises:
        Http404: with the text of `django.shortcuts.get_object_or_404`, which a handler of the site may show.
    """
    denials.mark_denied(denials.DenialReason.NOT_SHOWN)
    raise Http404(f"No {model._meta.object_name} matches the given query.")


def hidden() -> NotFound:
    """Return the error with which the API hides an object."""
    denials.mark_denied(denials.DenialReason.NOT_SHOWN)
    return NotFound()
