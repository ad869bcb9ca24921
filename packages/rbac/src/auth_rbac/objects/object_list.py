"""A list of all permissions for single objects, in the several tables of guardian, with pagination.

The keys of guardian's rows are numbers, and the rows have no creation time. The list is therefore ordered by
table, and by key in each table. A page reads one table after the other until it is full.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Self

from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import connections, models
from django.db.models import CharField, F, Q, QuerySet, Value
from django.db.models.functions import Cast, Replace
from django.utils.translation import gettext as _
from guardian.models import GroupObjectPermissionBase, UserObjectPermissionBase
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_core.errors import FieldError, InvalidRequest
from auth_core.users import UserLike
from auth_rbac.database.triggers import object_permission_models
from auth_rbac.decisions.visibility import Reach, reach_of
from auth_rbac.models import HolderKind
from auth_rbac.permission_names import label_of
from auth_rbac.scopes import kind_of

#: The permission to see what others hold.
SEES = "auth_rbac.view_assignment"


@dataclass(frozen=True, slots=True)
class ObjectPermission:
    """One permission for one object.

    Args:
        position: The position in the list.
        permission: ``app.codename``.
        kind: ``app.model`` of the object.
        key: The primary key of the object, as text.
    """

    position: str
    user: Any
    group: Any
    permission: str
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """A table of guardian, with the rows to list.

    Args:
        holder: ``user`` or ``group``.
        of: The model of the objects. ``None``: every model without a table of its own.
    """

    rows: "QuerySet[Any]"
    holder: str
    of: type[models.Model] | None

    @property
    def name(self) -> str:
        """The name of the table in the database."""
        name: str = self.rows.model._meta.db_table
        return name

    def read(self, row: Any) -> ObjectPermission:
        """Return the permission in *row*. Django caches the content type."""
        if self.of is None:
            kind = ContentType.objects.get_for_id(row.content_type_id)
            named, key = f"{kind.app_label}.{kind.model}", row.object_pk
        else:
            named, key = self.of._meta.label_lower, str(row.content_object_id)
        return ObjectPermission(
            position=f"{self.name}:{row.pk}",
            user=getattr(row, "user", None),
            group=getattr(row, "group", None),
            permission=label_of(row.permission),
            kind=named,
            key=key,
        )


@dataclass(frozen=True, slots=True)
class ObjectRows:
    """The list, with the methods of a `QuerySet` that pagination uses: order, filter by position, slice."""

    tables: Sequence[ObjectTable]
    beyond: str = ""
    is_rising: bool = False

    def order_by(self, *names: str) -> Self:
        """Return the list in ascending order of positions, or descending (``-position``)."""
        return replace(self, is_rising=names == ("position",))

    def filter(self, **beyond: str) -> Self:
        """Return the list after a position, in its order."""
        (position,) = beyond.values()
        return replace(self, beyond=position)

    def __getitem__(self, page: slice) -> list[ObjectPermission]:
        grants: list[ObjectPermission] = []
        for table, rows in self._ordered():
            grants += [table.read(row) for row in rows[: page.stop - len(grants)]]
            if len(grants) >= page.stop:
                break
        return grants[page.start :]

    def _ordered(self) -> "Iterator[tuple[ObjectTable, QuerySet[Any]]]":
        """Yield each table from the position on, with its rows."""
        name, _colon, key = self.beyond.rpartition(":")
        for table in sorted(self.tables, key=lambda table: table.name, reverse=not self.is_rising):
            rows = table.rows.order_by("pk" if self.is_rising else "-pk")
            if not self.beyond or (table.name > name if self.is_rising else table.name < name):
                yield table, rows
            elif table.name == name:
                yield table, rows.filter(**{"pk__gt" if self.is_rising else "pk__lt": _key(table, key)})


def object_rows(
    *,
    seen_by: UserLike,
    holder: UserLike | Group | None = None,
    holder_kind: HolderKind | None = None,
    permissions: Collection[Permission] = (),
    model: type[models.Model] | None = None,
    obj: models.Model | None = None,
) -> ObjectRows:
    """Return the permissions for single objects that *seen_by* may see.

    Args:
        holder: Only of this person or group.
        holder_kind: Only of people, or only of groups.
        permissions: Only these. Empty: all.
        model: Only for objects of this model.
        obj: Only for this object.
    """
    reach = reach_of(seen_by, SEES)
    of = type(obj) if obj is not None else model
    tables = []
    for table in object_tables(of):
        is_of_groups = table.holder == "group"
        if holder is not None and isinstance(holder, Group) is not is_of_groups:
            continue
        if holder_kind is not None and (holder_kind is HolderKind.GROUP) is not is_of_groups:
            continue
        rows = _visible(table, reach).select_related(
            "group__rbac_identity" if is_of_groups else "user__auth_identity", "permission__content_type"
        )
        if holder is not None:
            rows = rows.filter(**{table.holder: holder})
        if permissions:
            rows = rows.filter(permission__in=permissions)
        if of is not None and table.of is None:
            rows = rows.filter(content_type=kind_of(of))
        if obj is not None:
            rows = rows.filter(object_pk=str(obj.pk)) if table.of is None else rows.filter(content_object=obj)
        tables.append(replace(table, rows=rows))
    return ObjectRows(tables)


def object_tables(model: type[models.Model] | None = None) -> list[ObjectTable]:
    """Return guardian's tables for objects of *model*, or all. Generic tables skip models with a table of their own."""
    if model is not None:
        people, groups = [get_user_obj_perms_model(model)], [get_group_obj_perms_model(model)]  # type: ignore[arg-type]  # a class will do
    else:
        people = object_permission_models(UserObjectPermissionBase, get_user_obj_perms_model())
        groups = object_permission_models(GroupObjectPermissionBase, get_group_obj_perms_model())
    return [*_tables(people, "user"), *_tables(groups, "group")]


def _tables(guardian_models: list[Any], holder: str) -> Iterator[ObjectTable]:
    of = {table: _model_of(table) for table in guardian_models}
    excluded = [kind_of(model) for model in of.values() if model is not None]
    for table, model in of.items():
        rows = table.objects.all()
        yield ObjectTable(rows if model or not excluded else rows.exclude(content_type__in=excluded), holder, model)


def _model_of(table: Any) -> type[models.Model] | None:
    if table.objects.is_generic():
        return None
    model: type[models.Model] = table.content_object.field.related_model
    return model


def _visible(table: ObjectTable, reach: Reach) -> "QuerySet[Any]":
    """Return the rows about objects in reach."""
    bound_models = reach.bound_models()
    if table.of is not None:
        if table.of in bound_models:
            return table.rows.filter(content_object__in=reach.objects(table.of))
        return table.rows if reach.is_everywhere else table.rows.none()
    visible = ~Q(content_type__in=[kind_of(model) for model in bound_models]) if reach.is_everywhere else Q(pk__in=[])
    rows = table.rows
    for number, model in enumerate(sorted(bound_models, key=lambda model: model._meta.label)):
        # Compare as text: the column also has the keys of other kinds of objects.
        keys = reach.objects(model).annotate(as_text=Cast("pk", CharField(max_length=255))).values("as_text")
        rows = rows.alias(**{f"key{number}": _object_key(model, rows.db)})
        visible |= Q(**{"content_type": kind_of(model), f"key{number}__in": keys})
    return rows.filter(visible)


def _object_key(model: type[models.Model], alias: str) -> Any:
    """Return the key in guardian's row as the model's table has it as text. SQLite stores a UUID without dashes."""
    key: Any = model._meta.pk
    while key.remote_field:
        key = key.target_field
    if isinstance(key, models.UUIDField) and not connections[alias].features.has_native_uuid_field:
        return Replace("object_pk", Value("-"), Value(""))
    return F("object_pk")


def _key(table: ObjectTable, key: str) -> Any:
    """Return the key in a position.

    Raises:
        InvalidRequest: the cursor is invalid.
    """
    try:
        return table.rows.model._meta.pk.to_python(key)
    except ValidationError:
        raise InvalidRequest(FieldError("cursor", "invalid", _("Invalid cursor."))) from None
