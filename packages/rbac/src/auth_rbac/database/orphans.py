"""Rights for objects that are not there: found, removed, and not made in the first place.

`auth_rbac.database.object_triggers` ends what was given for an object together with it. Beyond its reach are tables that
Django does not manage and those of another database: a site ends rights there by `end_rights`, or runs
``manage.py access_orphans``.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db import connections, models, router, transaction
from django.utils.translation import gettext as _
from guardian.utils import get_group_obj_perms_model, get_user_obj_perms_model

from auth_core.errors import FieldError, InvalidRequest
from auth_rbac.models import Assignment
from auth_rbac.scopes import kind_of

#: How many rows are looked at together.
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Rights:
    """A table of what is given for objects.

    Args:
        kind: The field of the kind of object.
        key: The field of the object's key, as text.
    """

    model: Any
    kind: str
    key: str

    def kinds(self) -> set[int]:
        """Return the kinds of objects for which something is given here."""
        rows = self.model._default_manager.filter(**{f"{self.kind}__isnull": False})
        return set(rows.order_by().values_list(self.kind, flat=True).distinct())


@dataclass(frozen=True, slots=True)
class Orphan:
    """One right for an object that is not there."""

    rights: Rights
    row: Any
    kind: str
    key: str


def all_rights() -> list[Rights]:
    """Return the tables in which objects are named by kind and key."""
    generic: list[Any] = [get_user_obj_perms_model(), get_group_obj_perms_model()]
    found = [Rights(model, "content_type_id", "object_pk") for model in generic if model.objects.is_generic()]
    return [*found, Rights(Assignment, "scope_type_id", "scope_id")]


def find(of: Collection[type[models.Model]] | None = None) -> Iterator[Orphan]:
    """Yield every right for an object that is not there.

    Of a model that the site does not have any more nothing is said: it may come back.

    Args:
        of: Models whose objects are looked for; ``None``: all.
    """
    for rights in all_rights():
        for kind in sorted(rights.kinds()):
            model = ContentType.objects.get_for_id(kind).model_class()
            if model is not None and (of is None or model in of):
                yield from _find_in(rights, kind, model)


def remove(of: Collection[type[models.Model]] | None = None) -> int:
    """Remove them; return how many. Answers that are remembered end with them.

    Rows are removed by their own keys: what is given meanwhile to a new object with the same key stays.
    """
    removed = 0
    for orphan in find(of):
        gone, _by_model = orphan.rights.model._default_manager.filter(pk=orphan.row).delete()
        removed += gone
    return removed


def end_rights(model: type[models.Model], keys: Iterable[Any]) -> int:
    """End what was given for objects of *model*, and in their scope; return how much.

    For tables that cannot be guarded: call it in the transaction that deletes the objects.
    """
    texts, ended = [str(key) for key in keys], 0
    with transaction.atomic():
        for rights in all_rights():
            wanted = {rights.kind: kind_of(model), f"{rights.key}__in": texts}
            gone, _by_model = rights.model._default_manager.filter(**wanted).delete()
            ended += gone
    return ended


def hold_object(kind_id: int, key: str, using: str) -> None:
    """Keep the object from being deleted until the transaction ends, in which something is given for it.

    Otherwise a right could be committed after the trigger had looked for rights, and outlive the object.

    Raises:
        InvalidRequest: the object is not there.
    """
    model = ContentType.objects.get_for_id(kind_id).model_class()
    if model is not None and not _is_there(model, key, using):
        raise InvalidRequest(FieldError("object", "unknown", _("There is no such object.")))


def _is_there(model: type[models.Model], key: str, using: str) -> bool:
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
    page = list(rows[:_AT_ONCE])
    while page:
        there = _there(model, {key for _row, key in page})
        yield from (Orphan(rights, row, model._meta.label_lower, key) for row, key in page if key not in there)
        page = list(rows.filter(pk__gt=page[-1][0])[:_AT_ONCE])


def _there(model: type[models.Model], keys: set[str]) -> set[str]:
    """Return those of *keys* that objects have; what cannot be a key is none."""
    possible = []
    for key in keys:
        try:
            possible.append(model._meta.pk.to_python(key))
        except ValidationError:
            continue
    # Of the database that is written to: a replica may be behind.
    rows = model._base_manager.using(router.db_for_write(model)).filter(pk__in=possible)
    return {str(key) for key in rows.values_list("pk", flat=True)}
