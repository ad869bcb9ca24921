"""Names of permissions: ``app.codename``, a verb for a model, or a wildcard."""

from collections.abc import Iterable

from django.apps import apps
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Permission
from django.db import models
from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest

#: The verbs of the permissions that Django creates for every model.
_VERBS = frozenset({"view", "add", "change", "delete"})

#: Names that exist.
_existing: set[str] = set()


def full_name(name: str, model: type[models.Model] | None) -> str:
    """Return ``app.codename`` for *name*, which may be a verb (``view``) or a codename of *model*'s app.

    Raises:
        ValueError: the name has no app, and there is no model.
    """
    if "." in name:
        return name
    if model is None:
        raise ValueError(f"{name!r} is not a full permission name. Use app.codename.")
    codename = get_permission_codename(name, model._meta) if name in _VERBS else name
    return f"{model._meta.app_label}.{codename}"


def parts_of(name: str) -> tuple[str, str]:
    """Return app and codename of a full name."""
    app, _dot, codename = name.partition(".")
    return app, codename


def check_known(name: str) -> None:
    """Refuse an unknown permission. Each process looks up a name once.

    Raises:
        InvalidRequest: there is none of this name.
    """
    if name in _existing:
        return
    app, codename = parts_of(name)
    if not Permission.objects.filter(content_type__app_label=app, codename=codename).exists():
        raise InvalidRequest(FieldError("permission", "unknown", _("Unknown permission.")))
    # Only existing names are kept, so requests cannot fill the set. A deleted permission is refused by every decision.
    _existing.add(name)


def label_of(permission: Permission) -> str:
    """Return ``app.codename`` of *permission*."""
    return f"{permission.content_type.app_label}.{permission.codename}"


def find_all(names: Iterable[str], field: str) -> list[Permission]:
    """Return the permissions with these full names.

    Raises:
        InvalidRequest: a name is unknown. *field* is the field of the request that contains it.
    """
    permissions: list[Permission] = []
    for name in names:
        app, codename = parts_of(name)
        same = Permission.objects.filter(content_type__app_label=app, codename=codename).select_related("content_type")
        if not same:
            raise InvalidRequest(FieldError(field, "unknown", _("Unknown permission.")))
        permissions += same
    return permissions


def pattern_parts(pattern: str) -> tuple[str, str]:
    """Return app and model of ``app.*`` or ``app.model.*``. The model may be empty.

    Raises:
        InvalidRequest: it is neither, or there is no such app or model.
    """
    *parts, star = pattern.split(".")
    try:
        if star != "*" or len(parts) not in {1, 2}:
            raise LookupError
        app = apps.get_app_config(parts[0])
        return app.label, app.get_model(parts[1])._meta.model_name or "" if len(parts) > 1 else ""
    except LookupError:
        problem = FieldError("wildcards", "unknown", _("Use app.* or app.model.* with an installed app and model."))
        raise InvalidRequest(problem) from None
