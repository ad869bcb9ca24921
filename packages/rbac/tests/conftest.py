"""Shared fixtures and helpers."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import Group, Permission, User
from django.test import Client as Browser
from guardian.models import UserObjectPermission

from auth_core.people.lookup import identity_of
from auth_rbac.decisions import decision_cache, role_cache
from auth_rbac.holders.lookup import holder_of
from auth_rbac.models import Role
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role


def again(user: User) -> Any:
    """Return a new instance of *user*, as the next request has it."""
    return User.objects.get(pk=user.pk)


def permission(name: str) -> Permission:
    """Return the permission ``app.codename``."""
    app, _dot, codename = name.partition(".")
    return Permission.objects.get(content_type__app_label=app, codename=codename)


def make_role(name: str, *names: str, **more: Any) -> Role:
    """Create a role that allows these permissions."""
    return create_role(name=name, permissions=[permission(one) for one in names], **more)


def browser_of(user: User) -> Browser:
    """Return a browser in which *user* is logged in."""
    browser = Browser()
    browser.force_login(user, backend="auth_core.backends.IdentifierBackend")
    return browser


def named(obj: Any) -> dict[str, str]:
    """Return the object as a request body names it."""
    return {"type": obj._meta.label_lower, "id": str(obj.pk)}


def public(user: User) -> str:
    """Return the public id of *user*."""
    return str(identity_of(user).subject_id)


def held_by(holder: User | Group | UUID) -> dict[str, str]:
    """Return the holder, a person, a group or the id of a service, as requests and answers name it."""
    if isinstance(holder, UUID):
        return {"kind": "service", "id": str(holder)}
    return holder_of(holder).to_json()


def delete_past_guards(obj: Any) -> None:
    """Delete *obj* and restore the permissions for it, as a database without triggers would keep them."""
    rows = list(UserObjectPermission.objects.filter(object_pk=str(obj.pk)))
    obj.delete()
    UserObjectPermission.objects.bulk_create(rows)


@pytest.fixture(autouse=True)
def empty_caches() -> None:
    """Begin each test with empty caches: an entry for the same keys would save a query."""
    decision_cache.forget_all()
    role_cache.forget_all()


@pytest.fixture
def manager_of(db: None) -> Callable[..., User]:
    """Creates people who may manage roles and assignments, and hold these permissions."""

    def make(name: str, *names: str, scope: Any = None) -> User:
        user = User.objects.create_user(name)
        own = [
            f"auth_rbac.{verb}_{what}"
            for verb in ("view", "add", "change", "delete")
            for what in ("role", "assignment")
        ]
        assign_role(user=user, role=make_role(f"manager {name}", *own, *names), scope=scope)
        return user

    return make
