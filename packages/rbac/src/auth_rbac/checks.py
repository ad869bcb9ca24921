"""System checks."""

from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.core.exceptions import FieldDoesNotExist
from django.db import connections

from auth_rbac.conf import BACKEND, authentication_backends, guardian_leaves_users_alone, rbac
from auth_rbac.database import administrator_trigger, object_triggers, triggers
from auth_rbac.declared_permissions import is_declarable


@register()
def check_backend(**kwargs: Any) -> list[CheckMessage]:
    """Warn if roles are not used, or if another backend answers first."""
    if authentication_backends()[:1] == [BACKEND]:
        return []
    hint = f"Move {BACKEND!r} to the top of AUTHENTICATION_BACKENDS."
    return [Warning(f"{BACKEND!r} is not the first authentication backend.", hint=hint, id="auth_rbac.W001")]


@register()
def check_guardian(**kwargs: Any) -> list[CheckMessage]:
    """Warn if guardian creates an anonymous user, who could hold permissions, or patches the user model."""
    if guardian_leaves_users_alone():
        return []
    hint = "Set ANONYMOUS_USER_NAME = None and GUARDIAN_MONKEY_PATCH_USER = False."
    text = "django-guardian is configured to create an anonymous user or to patch the user model."
    return [Warning(text, hint=hint, id="auth_rbac.W002")]


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a setting that would have no effect."""
    problems = rbac.unknown_key_errors("auth_rbac.E001")
    problems += [
        Error(
            f"Invalid name in AUTH_RBAC['PERMISSIONS']: {name!r}.",
            hint="Use app.model.codename with an installed model.",
            id="auth_rbac.E002",
        )
        for name in rbac.PERMISSIONS
        if not is_declarable(name)
    ]
    scopes = [(label, path) for label, paths in rbac.SCOPES.items() for path in paths or [""]]
    problems += [
        Error(
            f"Invalid path in AUTH_RBAC['SCOPES'][{label!r}]: {path!r}.",
            hint="Use an installed app.model and paths of foreign keys, such as 'branch__company'.",
            id="auth_rbac.E003",
        )
        for label, path in scopes
        if not _is_foreign_key(label, path)
    ]
    return problems


@register(Tags.database)
def check_triggers(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a database that misses changes that send no Django signal."""
    absent = [
        f"{watched.table} {operation}"
        for alias in databases or ()
        if connections[alias].vendor == "postgresql"
        for watched, operation in triggers.missing(alias)
    ]
    if not absent:
        return []
    text = "Database triggers are missing, so cached decisions would not expire."
    hint = f"Run migrate to create them: {', '.join(absent)}."
    return [Error(text, hint=hint, id="auth_rbac.E004")]


@register(Tags.database)
def check_object_triggers(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a database in which a right would outlive its object. Warn of tables that cannot have triggers."""
    problems: list[CheckMessage] = []
    for alias in databases or ():
        if absent := [f"{guard.table} {guard.operation}" for guard in object_triggers.missing(alias)]:
            text = "Triggers are missing, so the permissions for a deleted object could pass to one with the same key."
            hint = f"Run migrate to create them: {', '.join(absent)}."
            problems.append(Error(text, hint=hint, id="auth_rbac.E005"))
        if object_triggers.can_guard(alias) and (others := object_triggers.out_of_reach(alias)):
            text = f"Permissions are held for objects whose tables cannot have triggers: {', '.join(others)}."
            hint = (
                "Call auth_rbac.database.orphans.end_rights when these objects are deleted,"
                " and run access_orphans --remove daily."
            )
            problems.append(Warning(text, hint=hint, id="auth_rbac.W003"))
    return problems


@register(Tags.database)
def check_administrator_trigger(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a database in which a statement without a signal could remove the last administrator."""
    text = "The trigger that keeps the last administrator is missing."
    return [
        Error(text, hint=f"Run migrate --database {alias} to create it.", id="auth_rbac.E006")
        for alias in databases or ()
        if administrator_trigger.is_missing(alias)
    ]


def _is_foreign_key(label: str, path: str) -> bool:
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
