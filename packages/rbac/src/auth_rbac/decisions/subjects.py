"""Returns the people and the services that have a permission."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from auth_rbac.holders.descriptions import describe_services
from auth_rbac.models import Assignment
from auth_rbac.permission_names import full_name, parts_of
from auth_rbac.scopes import scopes_of
from auth_rbac.statements import sql
from auth_rbac.statements.parameters import values_for
from auth_rbac.statements.query import fetch, native_moment
from auth_rbac.statements.tables import positional


def subjects(
    permission: str,
    obj: models.Model | None = None,
    *,
    among: Iterable[Any] | None = None,
    active_only: bool = True,
) -> "QuerySet[Any]":
    """Return the people with a permission, as `auth_rbac.decisions.decisions.check` decides for each.

    Args:
        permission: ``app.codename``. With an object also a verb, or a codename of its app.
        obj: The object. ``None``: everywhere.
        among: Keys of people, to consider only these.
        active_only: Whether to leave out disabled people.
    """
    values, scopes = _values(permission, obj)
    statement = sql.people(None if obj is None else type(obj), scopes)
    listed = RawSQL(*positional(statement, values))  # noqa: S611 - names are ours
    people = get_user_model()._default_manager.filter(pk__in=listed)
    if among is not None:
        people = people.filter(pk__in=list(among))
    return people.filter(is_active=True) if active_only else people


def services_with(permission: str, obj: models.Model | None = None) -> list[UUID]:
    """Return the public ids of the active services with a permission, in ascending order.

    A service that is disabled or gone has no permission. See `subjects` for the arguments.
    """
    values, scopes = _values(permission, obj)
    to_python = Assignment._meta.get_field("service_id").to_python
    allowed = {to_python(public_id) for (public_id,) in fetch(sql.services(scopes), values)}
    return sorted(public_id for public_id, service in describe_services(allowed).items() if service.is_active)


def _values(permission: str, obj: models.Model | None) -> tuple[dict[str, Any], int]:
    """Return the values of a statement that lists subjects, and the number of content types among the scopes."""
    app, codename = parts_of(full_name(permission, None if obj is None else type(obj)))
    values: dict[str, Any] = {}
    scopes = 0
    if obj is not None:
        values, scopes = values_for(type(obj), [obj.pk], set(scopes_of(obj)))
    return values | {"now": native_moment(timezone.now()), "app": app, "codename": codename}, scopes
