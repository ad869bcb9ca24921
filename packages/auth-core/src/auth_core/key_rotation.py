"""Rotation of field keys: what stands under a former key is encrypted again, row by row, beside the traffic.

Each row is one statement and one transaction: no lock is held for longer, nobody waits,
and a rotation that is killed has lost nothing. What it has done is under the current
key, by which the database tells it from the rest.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from django.apps import apps
from django.db import models, router
from django.db.models import Case, Count, F, Q, Value, When
from django.db.models.functions import Left, StrIndex, Substr

from auth_core.crypto.encryption import VERSION, DecryptionFailed, current_key_id, decrypt, encrypt
from auth_core.fields import Sealed
from auth_core.registries import EncryptedColumn, encrypted_fields, key_uses

#: What every ciphertext begins with, before the id of its key.
_BEFORE_ID = f"{VERSION}."

#: A ciphertext that names a key, of ours or not; anything else is of nobody's making.
_NAMES_A_KEY = rf"^{VERSION}\.[A-Za-z0-9_-]{{1,32}}\."


class Outcome(Enum):
    """What became of one row."""

    DONE = "done"
    CHANGED = "changed"
    UNREADABLE = "unreadable"


@dataclass(frozen=True, slots=True)
class Progress:
    """How far one column is.

    Args:
        column: As ``app_label.Model.field``.
        found: Rows that were not under the current key when the rotation came to this column.
        done: Rows that are now; in a dry run, rows that could be.
        changed: Rows that somebody else wrote or deleted meanwhile; what they wrote was left alone.
        unreadable: Rows that no key opens, or that do not belong where they are; left alone.
        named: The keys of those among them that came with this batch.
    """

    column: str
    found: int
    done: int = 0
    changed: int = 0
    unreadable: int = 0
    named: Sequence[str] = ()

    def after(self, outcomes: Mapping[Any, Outcome]) -> "Progress":
        """Return the progress after a further batch: outcomes by the key of the row."""
        came = Counter(outcomes.values())
        return Progress(
            column=self.column,
            found=self.found,
            done=self.done + came[Outcome.DONE],
            changed=self.changed + came[Outcome.CHANGED],
            unreadable=self.unreadable + came[Outcome.UNREADABLE],
            named=[str(pk) for pk, outcome in outcomes.items() if outcome is Outcome.UNREADABLE],
        )


def columns() -> dict[str, EncryptedColumn]:
    """Return the encrypted columns that this site has tables for; a swapped model has none."""
    return {
        name: column
        for name, column in encrypted_fields.items()
        if column.model._meta.apps is apps and column.model._meta.managed and not column.model._meta.swapped
    }


def rotate(name: str, column: EncryptedColumn, *, batch_size: int, dry_run: bool = False) -> Iterator[Progress]:
    """Encrypt again, under the current key, what *column* holds under others; yield after each batch.

    Args:
        name: As ``app_label.Model.field``.
        batch_size: Rows that one query reads; each is written by a statement of its own.
        dry_run: Open every value, and write none.

    Raises:
        KeysMissing: there is no current key.
    """
    waiting = _not_current(column)
    progress = Progress(name, waiting.count())
    yield progress
    last: Any = None
    while batch := _next(waiting, column, last, batch_size):
        progress = progress.after({pk: _renew(column, pk, sealed, dry_run=dry_run) for pk, sealed in batch})
        yield progress
        last = batch[-1][0]


def keys_in_use() -> dict[str, dict[str, int]]:
    """Return how many values stand under each key id, by column or other use; one pass over each table.

    An empty id stands for what no key of ours has made.
    """
    in_columns = {name: _ids_of(column) for name, column in columns().items()}
    return {**in_columns, **{name: dict(ask()) for name, ask in key_uses.items()}}


def _rows(column: EncryptedColumn) -> models.QuerySet[Any]:
    """Return the rows that hold ciphertext, from the database that writes: a replica may be behind."""
    holds_some = Q(**{f"{column.name}__isnull": False}) & ~Q(**{column.name: Sealed("")})
    rows: models.QuerySet[Any] = column.model._base_manager.using(router.db_for_write(column.model))
    return rows.filter(holds_some)


def _not_current(column: EncryptedColumn) -> models.QuerySet[Any]:
    """Return the rows under another key; compared as it stands: LIKE has wildcards, and on SQLite no case."""
    head = f"{_BEFORE_ID}{current_key_id()}."
    beginning = Left(F(column.name), len(head), output_field=models.TextField())
    others: models.QuerySet[Any] = _rows(column).annotate(_beginning=beginning).exclude(_beginning=head)
    return others


def _next(waiting: models.QuerySet[Any], column: EncryptedColumn, last: Any, size: int) -> list[tuple[Any, str]]:
    """Return keys and values after *last*, in the order of the primary key, whose index serves it."""
    rest = waiting if last is None else waiting.filter(pk__gt=last)
    return list(rest.order_by("pk").values_list("pk", column.name)[:size])


def _renew(column: EncryptedColumn, pk: Any, sealed: str, *, dry_run: bool) -> Outcome:
    """Write one row, if it still holds what was read: a save that came in between is never overwritten."""
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
    named = Substr(after, 1, StrIndex(after, Value(".")) - 1, output_field=models.TextField())
    key_id = Case(
        When(**{f"{column.name}__regex": _NAMES_A_KEY}, then=named),
        default=Value(""),
        output_field=models.TextField(),
    )
    counted = _rows(column).annotate(_key_id=key_id).order_by().values("_key_id").annotate(number=Count("pk"))
    return dict(counted.values_list("_key_id", "number"))
