"""Names of permissions: ``app.codename``, a verb about a model, or a pattern for many."""

from collections.abc import Iterable

from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Permission
from django.db import models
from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest

#: What Django makes a permission for, for every model.
_VERBS = frozenset({"view", "add", "change", "delete"})

#: Names that were found.
_known: set[str] = set()


def full_name(name: str, model: type[models.Model] | None) -> str:
    """Return ``app.codename`` for *name*, which may be a verb (``view``) or a codename of *model*'s app.

    Raises:
        ValueError: it is not whole, and there is no model to complete it.
    """
    if "." in name:
        return name
    if model is None:
        raise ValueError(f"{name!r} is not app.codename.")
    codename = get_permission_codename(name, model._meta) if name in _VERBS else name
    return f"{model._meta.app_label}.{codename}"


def parts_of(name: str) -> tuple[str, str]:
    """Return app and codename of a whole name."""
    app, _dot, codename = name.partition(".")
    return app, codename


def check_known(name: str) -> None:
    """Refuse the name of a permission that nobody has made; asked once for each name in each process.

    Raises:
        InvalidRequest: there is none of this name.
    """
    if name in _known:
        return
    app, codename = parts_of(name)
    if not Permission.objects.filter(content_type__app_label=app, codename=codename).exists():
        raise InvalidRequest(FieldError("permission", "unknown", _("There is no such permission.")))
    # As many as there are permissions, not as strangers can think of. One that goes again is denied to everybody.
    _known.add(name)


def label_of(permission: Permission) -> str:
    """Return ``app.codename`` of *permission*."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def find_all(names: Iterable[str], field: str) -> list[Permission]:
    """Return the permissions of these whole names.

    Raises:
        InvalidRequest: there is none of some name; *field* is where it was said.
    """
    found: list[Permission] = []
    for name in names:
        app, codename = parts_of(name)
        same = Permission.objects.filter(content_type__app_label=app, codename=codename).select_related("content_type")
        if not same:
            raise InvalidRequest(FieldError(field, "unknown", _("There is no such permission.")))
        found += same
    return found


def pattern_parts(pattern: str) -> tuple[str, str]:
    """Return app and model (or nothing) of ``app.*`` or ``app.model.*``.

    Raises:
        InvalidRequest: it is neither, or there is no such app or model.
    """
    *named, star = pattern.split(".")
    try:
        if star != "*" or len(named) not in {1, 2}:
            raise LookupError
        app = apps.get_app_config(named[0])
        return app.label, app.get_model(named[1])._meta.model_name or "" if len(named) > 1 else ""
    except LookupError:
        problem = FieldError("wildcards", "unknown", _("This is not app.* or app.model.* of this site."))
        raise InvalidRequest(problem) from None
