"""Returns the people who have a permission, as one queryset."""

from collections.abc import Iterable
from typing import Any

from django.contrib.auth import get_user_model
from django.db import models
from django.db.models import QuerySet
from django.db.models.expressions import RawSQL
from django.utils import timezone

from auth_rbac.decisions import sql
from auth_rbac.decisions.query import native_moment
from auth_rbac.decisions.sql_parameters import values_for
from auth_rbac.permission_names import full_name, parts_of
from auth_rbac.scopes import scopes_of


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
    model = None if obj is None else type(obj)
    app, codename = parts_of(full_name(permission, model))
    values: dict[str, Any] = {}
    scopes = 0
    if obj is not None:
        values, scopes = values_for(type(obj), [obj], set(scopes_of(obj)))
    values |= {"now": native_moment(timezone.now()), "app": app, "codename": codename}
    listed = RawSQL(*sql.positional(sql.people(model, scopes), values))  # noqa: S611 - names are ours
    people = get_user_model()._default_manager.filter(pk__in=listed)
    if among is not None:
        people = people.filter(pk__in=list(among))
    return people.filter(is_active=True) if active_only else people
