"""Every permission for a single object that there is: of guardian's several tables, as one list that pages.

Guardian's rows have numbers for keys, and do not know since when they are there: a list is
in the order of tables, and of keys in each. A page asks one table after the other until it is full.
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
from auth_rbac.database.triggers import object_permission_models
from auth_rbac.decisions.visibility import Reach, reach_of
from auth_rbac.permission_names import label_of
from auth_rbac.scopes import kind_of

#: What lets somebody see what others hold.
SEES = "auth_rbac.view_assignment"


@dataclass(frozen=True, slots=True)
class ObjectPermission:
    """Who was given what for which object.

    Args:
        position: Where in the list it stands.
        permission: ``app.codename``.
        kind: ``app.model`` of the object.
        key: The object's primary key, as text.
    """

    position: str
    user: Any
    group: Any
    permission: str
    kind: str
    key: str


@dataclass(frozen=True, slots=True)
class ObjectTable:
    """A table of guardian's, and what of it is looked at.

    Args:
        holder: ``user`` or ``group``.
        of: Whose objects it is about; ``None``: those of every model that has no table of its own.
    """

    rows: "QuerySet[Any]"
    holder: str
    of: type[models.Model] | None

    @property
    def name(self) -> str:
        """What the database calls it."""
        name: str = self.rows.model._meta.db_table
        return name

    def read(self, row: Any) -> ObjectPermission:
        """Return what *row* says; kinds of objects are looked up in a cache of Django's."""
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
    """A list that is ordered, filtered by position and cut like a `QuerySet`, which is all that paging asks for."""

    tables: Sequence[ObjectTable]
    beyond: str = ""
    is_rising: bool = False

    def order_by(self, *names: str) -> Self:
        """Return the list in the order of positions, or from its end (``-position``)."""
        return replace(self, is_rising=names == ("position",))

    def filter(self, **beyond: str) -> Self:
        """Return what stands beyond a position, in the order that was asked for."""
        (position,) = beyond.values()
        return replace(self, beyond=position)

    def __getitem__(self, wanted: slice) -> list[ObjectPermission]:
        found: list[ObjectPermission] = []
        for table, rows in self._ordered():
            found += [table.read(row) for row in rows[: wanted.stop - len(found)]]
            if len(found) >= wanted.stop:
                break
        return found[wanted.start :]

    def _ordered(self) -> "Iterator[tuple[ObjectTable, QuerySet[Any]]]":
        """Yield each table that has something to say, with its rows from where the page begins."""
        name, _colon, key = self.beyond.rpartition(":")
        for table in sorted(self.tables, key=lambda table: table.name, reverse=not self.is_rising):
            rows = table.rows.order_by("pk" if self.is_rising else "-pk")
            if not self.beyond or (table.name > name if self.is_rising else table.name < name):
                yield table, rows
            elif table.name == name:
                yield table, rows.filter(**{"pk__gt" if self.is_rising else "pk__lt": _key(table, key)})


def object_rows(
    *,
    seen_by: Any,
    holder: Any = None,
    permissions: Collection[Permission] = (),
    model: type[models.Model] | None = None,
    obj: models.Model | None = None,
) -> ObjectRows:
    """Return what *seen_by* may see of what was given for single objects.

    Args:
        holder: To this person or group.
        permissions: One of these; left out: any.
        model: For objects of this model.
        obj: For this object.
    """
    reach = reach_of(seen_by, SEES)
    of = type(obj) if obj is not None else model
    found = []
    for table in object_tables(of):
        if holder is not None and table.holder != ("group" if isinstance(holder, Group) else "user"):
            continue
        rows = _seen(table, reach).select_related(
            "group" if table.holder == "group" else "user__auth_identity", "permission__content_type"
        )
        if holder is not None:
            rows = rows.filter(**{table.holder: holder})
        if permissions:
            rows = rows.filter(permission__in=permissions)
        if of is not None and table.of is None:
            rows = rows.filter(content_type=kind_of(of))
        if obj is not None:
            rows = rows.filter(object_pk=str(obj.pk)) if table.of is None else rows.filter(content_object=obj)
        found.append(replace(table, rows=rows))
    return ObjectRows(found)


def object_tables(model: type[models.Model] | None = None) -> list[ObjectTable]:
    """Return guardian's tables, for objects of *model* or all; generic ones without what a table of a model's own says."""
    if model is not None:
        people, groups = [get_user_obj_perms_model(model)], [get_group_obj_perms_model(model)]  # type: ignore[arg-type]  # a class will do
    else:
        people = object_permission_models(UserObjectPermissionBase, get_user_obj_perms_model())
        groups = object_permission_models(GroupObjectPermissionBase, get_group_obj_perms_model())
    return [*_tables(people, "user"), *_tables(groups, "group")]


def _tables(guardians: list[Any], holder: str) -> Iterator[ObjectTable]:
    of = {table: _model_of(table) for table in guardians}
    elsewhere = [kind_of(model) for model in of.values() if model is not None]
    for table, model in of.items():
        rows = table.objects.all()
        yield ObjectTable(rows if model or not elsewhere else rows.exclude(content_type__in=elsewhere), holder, model)


def _model_of(table: Any) -> type[models.Model] | None:
    if table.objects.is_generic():
        return None
    model: type[models.Model] = table.content_object.field.related_model
    return model


def _seen(table: ObjectTable, reach: Reach) -> "QuerySet[Any]":
    """Return the rows about objects that are in reach."""
    some_of = reach.some_of()
    if table.of is not None:
        if table.of in some_of:
            return table.rows.filter(content_object__in=reach.objects(table.of))
        return table.rows if reach.is_everywhere else table.rows.none()
    seen = ~Q(content_type__in=[kind_of(model) for model in some_of]) if reach.is_everywhere else Q(pk__in=[])
    rows = table.rows
    for number, model in enumerate(sorted(some_of, key=lambda model: model._meta.label)):
        # As text on both sides: keys of other kinds of objects stand in the same column.
        keys = reach.objects(model).annotate(as_text=Cast("pk", CharField(max_length=255))).values("as_text")
        rows = rows.alias(**{f"key{number}": _object_key(model, rows.db)})
        seen |= Q(**{"content_type": kind_of(model), f"key{number}__in": keys})
    return rows.filter(seen)


def _object_key(model: type[models.Model], alias: str) -> Any:
    """Return the key in guardian's row as the model's table has it as text: SQLite keeps a UUID without its dashes."""
    key: Any = model._meta.pk
    while key.remote_field:
        key = key.target_field
    if isinstance(key, models.UUIDField) and not connections[alias].features.has_native_uuid_field:
        return Replace("object_pk", Value("-"), Value(""))
    return F("object_pk")


def _key(table: ObjectTable, key: str) -> Any:
    """Return the key in a position.

    Raises:
        InvalidRequest: there can be none; the cursor is not one of ours.
    """
    try:
        return table.rows.model._meta.pk.to_python(key)
    except ValidationError:
        raise InvalidRequest(FieldError("cursor", "invalid", _("This is not a cursor."))) from None
