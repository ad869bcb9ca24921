"""Objects of which the caller may not know: the answer is the one of an object that is not there.

That somebody was refused it is noted for the trail.
"""

from typing import NoReturn

from django.db.models import Model
from django.http import Http404

from auth_core.errors import NotFound
from auth_core.observability import denials


def hide(model: type[Model]) -> NoReturn:
    """Answer a view of the site as if there were no such object.

    Raises:
        Http404: with the words of `django.shortcuts.get_object_or_404`, which a handler of the site may show.
    """
    denials.mark_denied(denials.DenialReason.NOT_SHOWN)
    raise Http404(f"No {model._meta.object_name} matches the given query.")


def hidden() -> NotFound:
    """Return what our API answers about it."""
    denials.mark_denied(denials.DenialReason.NOT_SHOWN)
    return NotFound()
