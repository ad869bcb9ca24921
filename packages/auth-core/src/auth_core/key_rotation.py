"""Rotation of field keys: encrypt values under former keys again, row by row, during normal operation.

Each row is one statement and one transaction, so that locks are short and requests do not
wait. A killed rotation loses nothing: finished rows are under the current key, and the next
run skips them.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple

from django.apps import apps
from django.db import models, router
from django.db.models import Case, Count, F, Q, Value, When
from django.db.models.functions import Left, StrIndex, Substr

from auth_core.crypto.encryption import VERSION, DecryptionFailed, current_key_id, decrypt, encrypt
from auth_core.fields import Sealed
from auth_core.registries import EncryptedColumn, encrypted_fields, key_uses

#: Prefix of every ciphertext, before the id of its key.
_BEFORE_ID = f"{VERSION}."

#: A ciphertext with a key id. Other values were not written by this package.
_NAMES_A_KEY = rf"^{VERSION}\.[A-Za-z0-9_-]{{1,32}}\."


class Outcome(Enum):
    """The outcome of one row."""

    DONE = "done"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Progress:
    """The progress of one column.

    Args:
        column: As ``app_label.Model.field``.
        found: Rows that were not under the current key when the rotation of this column began.
        done: Rows that were encrypted again. In a dry run, rows that could be.
        changed: Rows that another request wrote or deleted in the meantime. The rotation skips them.
        unreadable: Rows that no key decrypts, or that belong to another row or column. The rotation skips them.
        named: The primary keys of the unreadable rows of this batch.
    """

    column: str
    found: int
    done: int = 0
    changed: int = 0
    unreadable: int = 0
    named: Sequence[str] = ()

    def after(self, outcomes: Mapping[Any, Outcome]) -> "Progress":
        """Return the progress after a further batch, given as outcomes by primary key."""
        counts = Counter(outcomes.values())
        return Progress(
            column=self.column,
            found=self.found,
            done=self.done + counts[Outcome.DONE],
            changed=self.changed + counts[Outcome.CHANGED],
            unreadable=self.unreadable + counts[Outcome.UNREADABLE],
            named=[str(pk) for pk, outcome in outcomes.items() if outcome is Outcome.UNREADABLE],
        )


class _SealedRow(NamedTuple):
    """A row of a column, as stored."""

    pk: Any
    sealed: str


def columns() -> dict[str, EncryptedColumn]:
    """Return the encrypted columns that have a table in this site. A swapped model has none."""
    return {
        name: column
        for name, column in encrypted_fields.items()
        if column.model._meta.apps is apps and column.model._meta.managed and not column.model._meta.swapped
    }


def rotate(name: str, column: EncryptedColumn, *, batch_size: int, dry_run: bool = False) -> Iterator[Progress]:
    """Encrypt the values of *column* that are under other keys again, and yield the progress after each batch.

    Args:
        name: As ``app_label.Model.field``.
        batch_size: Rows that one query reads. Each row is written by its own statement.
        dry_run: Decrypt every value, and write none.

    Raises:
        KeysMissing: there is no current key.
    """
    waiting = _not_current(column)
    progress = Progress(name, waiting.count())
    yield progress
    last: Any = None
    while batch := _next(waiting, column, last, batch_size):
        progress = progress.after({row.pk: _renew(column, row.pk, row.sealed, dry_run=dry_run) for row in batch})
        yield progress
        last = batch[-1].pk


def keys_in_use() -> dict[str, dict[str, int]]:
    """Return the number of values under each key id, by column or other use. Scans each table once.

    An empty id stands for values that no key of ours has encrypted.
    """
    in_columns = {name: _ids_of(column) for name, column in columns().items()}
    return {**in_columns, **{name: dict(ask()) for name, ask in key_uses.items()}}


def _rows(column: EncryptedColumn) -> models.QuerySet[Any]:
    """Return the rows that hold ciphertext, from the primary database. A replica may be behind."""
    holds_some = Q(**{f"{column.name}__isnull": False}) & ~Q(**{column.name: Sealed("")})
    rows: models.QuerySet[Any] = column.model._base_manager.using(router.db_for_write(column.model))
    return rows.filter(holds_some)


def _not_current(column: EncryptedColumn) -> models.QuerySet[Any]:
    """Return the rows under another key. LIKE is not used: it has wildcards, and ignores case on SQLite."""
    head = f"{_BEFORE_ID}{current_key_id()}."
    beginning = Left(F(column.name), len(head), output_field=models.TextField())
    others: models.QuerySet[Any] = _rows(column).annotate(_beginning=beginning).exclude(_beginning=head)
    return others


def _next(waiting: models.QuerySet[Any], column: EncryptedColumn, last: object, size: int) -> list[_SealedRow]:
    """Return the rows after *last*, in the order of the primary key index."""
    rest = waiting if last is None else waiting.filter(pk__gt=last)
    return [_SealedRow(*row) for row in rest.order_by("pk").values_list("pk", column.name)[:size]]


def _renew(column: EncryptedColumn, pk: object, sealed: str, *, dry_run: bool) -> Outcome:
    """Write one row if it still holds the value that was read. A concurrent save is never overwritten."""
    try:
        text = decrypt(column.purpose, sealed, context=str(pk))
    except DecryptionFailed:
        return Outcome.UNREADABLE
    if dry_run:
        return Outcome.DONE
    renewed = Sealed(encrypt(column.purpose, text, context=str(pk)))
    unchanged = _rows(column).filter(Q(pk=pk, **{column.name: Sealed(sealed)}))
    return Outcome.DONE if unchanged.update(**{column.name: renewed}) else Outcome.CHANGED


def _ids_of(column: EncryptedColumn) -> dict[str, int]:
    after = Substr(F(column.name), len(_BEFORE_ID) + 1, output_field=models.TextField())
    prefix_id = Substr(after, 1, StrIndex(after, Value(".")) - 1, output_field=models.TextField())
    key_id = Case(
        When(**{f"{column.name}__regex": _NAMES_A_KEY}, then=prefix_id),
        default=Value(""),
        output_field=models.TextField(),
    )
    counted = _rows(column).annotate(_key_id=key_id).order_by().values("_key_id").annotate(number=Count("pk"))
    return dict(counted.values_list("_key_id", "number"))
