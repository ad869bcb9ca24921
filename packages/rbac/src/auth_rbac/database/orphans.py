"""Finds, removes and prevents rights for objects that do not exist.

`auth_rbac.database.object_triggers` ends the rights for an object when the object is deleted. It does not cover tables that
Django does not manage, and tables of another database. A site ends the rights there with `end_rights`, or runs
``manage.py access_orphans``.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import connections, models, router, transaction
from django.utils.translation import gettext as _
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_core.errors import FieldError, InvalidRequest
from auth_rbac.models import Assignment
from auth_rbac.scopes import kind_of

#: How many rows are checked at once.
_PAGE_SIZE = 1000


@dataclass(frozen=True, slots=True)
class Rights:
    """A table of rights for objects.

    Args:
        kind: The field with the content type of the object.
        key: The field with the key of the object, as text.
    """

    model: Any
    kind: str
    key: str

    def kinds(self) -> set[int]:
        """Return the content types of the objects in this table."""
        rows = self.model._default_manager.filter(**{f"{self.kind}__isnull": False})
        return set(rows.order_by().values_list(self.kind, flat=True).distinct())


class _RightRow(NamedTuple):
    """A right, and the key of its object as text."""

    pk: Any
    key: str


@dataclass(frozen=True, slots=True)
class Orphan:
    """A right for an object that does not exist."""

    rights: Rights
    row: Any
    kind: str
    key: str


def all_rights() -> list[Rights]:
    """Return the tables that name objects by content type and key."""
    generic: list[Any] = [get_user_obj_perms_model(), get_group_obj_perms_model()]
    tables = [Rights(model, "content_type_id", "object_pk") for model in generic if model.objects.is_generic()]
    return [*tables, Rights(Assignment, "scope_type_id", "scope_id")]


def find(of: Collection[type[models.Model]] | None = None) -> Iterator[Orphan]:
    """Yield every right for an object that does not exist.

    Models that the site no longer has are skipped, because they may come back.

    Args:
        of: The models of the objects. ``None``: all models.
    """
    for rights in all_rights():
        for kind in sorted(rights.kinds()):
            model = ContentType.objects.get_for_id(kind).model_class()
            if model is not None and (of is None or model in of):
                yield from _find_in(rights, kind, model)


def remove(of: Collection[type[models.Model]] | None = None) -> int:
    """Remove the orphans, and return their number. Cached decisions end with them.

    Each row is removed by its own key. A right that a new object with the same key gets in the meantime stays.
    """
    removed = 0
    for orphan in find(of):
        deleted, _by_model = orphan.rights.model._default_manager.filter(pk=orphan.row).delete()
        removed += deleted
    return removed


def end_rights(model: type[models.Model], keys: Iterable[Any]) -> int:
    """End the rights for objects of *model* and the roles in their scope. Return their number.

    This is for tables without triggers. Call it in the transaction that deletes the objects.
    """
    texts, ended = [str(key) for key in keys], 0
    with transaction.atomic():
        for rights in all_rights():
            filters = {rights.kind: kind_of(model), f"{rights.key}__in": texts}
            deleted, _by_model = rights.model._default_manager.filter(**filters).delete()
            ended += deleted
    return ended


def lock_object(kind_id: int, key: str, using: str) -> None:
    """Keep an object from being deleted until the end of the transaction that adds a right for it.

    Otherwise the right could be committed after the delete trigger ran, and outlive the object.

    Raises:
        InvalidRequest: the object does not exist.
    """
    model = ContentType.objects.get_for_id(kind_id).model_class()
    if model is not None and not _exists(model, key, using):
        raise InvalidRequest(FieldError("object", "unknown", _("Object not found.")))


def _exists(model: type[models.Model], key: str, using: str) -> bool:
    alias, pk = router.db_for_write(model), model._meta.pk
    connection = connections[alias]
    try:
        native = pk.get_db_prep_value(pk.to_python(key), connection)
    except (ValidationError, ValueError):
        return False
    quote = connection.ops.quote_name
    is_locked = connection.vendor == "postgresql" and model._meta.managed and connection.in_atomic_block
    lock = " FOR KEY SHARE" if is_locked and alias == using else ""
    with connection.cursor() as cursor:
        table, column = quote(model._meta.db_table), quote(str(pk.column))
        cursor.execute(f"SELECT 1 FROM {table} WHERE {column} = %s{lock}", [native])  # noqa: S608 - names of a model
        return cursor.fetchone() is not None


def _find_in(rights: Rights, kind: int, model: type[models.Model]) -> Iterator[Orphan]:
    rows = rights.model._default_manager.filter(**{rights.kind: kind}).order_by("pk").values_list("pk", rights.key)
    page = [_RightRow(*row) for row in rows[:_PAGE_SIZE]]
    while page:
        existing = _existing_keys(model, {row.key for row in page})
        yield from (Orphan(rights, row.pk, model._meta.label_lower, row.key) for row in page if row.key not in existing)
        page = [_RightRow(*row) for row in rows.filter(pk__gt=page[-1].pk)[:_PAGE_SIZE]]


def _existing_keys(model: type[models.Model], keys: set[str]) -> set[str]:
    """Return those of *keys* that belong to an existing object. A text that cannot be a key does not."""
    possible = []
    for key in keys:
        try:
            possible.append(model._meta.pk.to_python(key))
        except ValidationError:
            continue
    # Read the primary database: a replica may be behind.
    rows = model._base_manager.using(router.db_for_write(model)).filter(pk__in=possible)
    return {str(key) for key in rows.values_list("pk", flat=True)}
