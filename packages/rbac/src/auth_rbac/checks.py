"""System checks, each with an id and a remedy."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.core.exceptions import FieldDoesNotExist
from django.db import connections

from auth_rbac.conf import BACKEND, authentication_backends, guardian_leaves_users_alone, rbac
from auth_rbac.database import object_triggers, triggers
from auth_rbac.declared_permissions import is_declarable


@register()
def check_backend(**kwargs: Any) -> list[CheckMessage]:
    """Warn where roles would be held and mean nothing, or be asked after somebody else has said yes."""
    if authentication_backends()[:1] == [BACKEND]:
        return []
    hint = f"Let {BACKEND!r} be the first of AUTHENTICATION_BACKENDS."
    return [Warning("Roles do not answer first what somebody may do.", hint=hint, id="auth_rbac.W001")]


@register()
def check_guardian(**kwargs: Any) -> list[CheckMessage]:
    """Warn where guardian makes an anonymous user, who would hold permissions, or puts methods on the user class."""
    if guardian_leaves_users_alone():
        return []
    hint = "Set ANONYMOUS_USER_NAME = None and GUARDIAN_MONKEY_PATCH_USER = False."
    return [Warning("django-guardian would change who there is.", hint=hint, id="auth_rbac.W002")]


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a setting that would silently mean nothing."""
    problems = rbac.unknown_key_errors("auth_rbac.E001")
    problems += [
        Error(f"AUTH_RBAC['PERMISSIONS'][{name!r}] is not app.model.codename.", id="auth_rbac.E002")
        for name in rbac.PERMISSIONS
        if not is_declarable(name)
    ]
    named = [(label, path) for label, paths in rbac.SCOPES.items() for path in paths or [""]]
    problems += [
        Error(f"AUTH_RBAC['SCOPES'][{label!r}]: {path!r} is no foreign key.", id="auth_rbac.E003")
        for label, path in named
        if not _leads_on(label, path)
    ]
    return problems


@register(Tags.database)
def check_triggers(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a database that would not notice what is changed past Django's signals."""
    absent = [
        f"{watched.table} {operation}"
        for alias in databases or ()
        if connections[alias].vendor == "postgresql"
        for watched, operation in triggers.missing(alias)
    ]
    if not absent:
        return []
    hint = f"Run migrate, which lays them: {', '.join(absent)}."
    return [
        Error("Triggers are missing; answers that are remembered would not be renewed.", hint=hint, id="auth_rbac.E004")
    ]


@register(Tags.database)
def check_object_triggers(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a database in which a right would outlive its object; warn of tables that cannot be guarded."""
    problems: list[CheckMessage] = []
    for alias in databases or ():
        if absent := [f"{guard.table} {guard.operation}" for guard in object_triggers.missing(alias)]:
            text = "Guards are missing; a right could pass to a new object with the key of one that was deleted."
            hint = f"Run migrate, which lays them: {', '.join(absent)}."
            problems.append(Error(text, hint=hint, id="auth_rbac.E005"))
        if object_triggers.can_guard(alias) and (others := object_triggers.out_of_reach(alias)):
            text = f"Rights are held for objects whose tables cannot be guarded: {', '.join(others)}."
            hint = "Call auth_rbac.database.orphans.end_rights where they are deleted, and run access_orphans --remove daily."
            problems.append(Warning(text, hint=hint, id="auth_rbac.W003"))
    return problems


def _leads_on(label: str, path: str) -> bool:
    try:
        model: Any = apps.get_model(label)
        for name in path.split("__"):
            field = model._meta.get_field(name)
            if not (field.many_to_one or field.one_to_one):
                return False
            model = field.related_model
    except (LookupError, ValueError, FieldDoesNotExist):
        return False
    return True
