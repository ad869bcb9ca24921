"""Counters of guesses: one row per counted value."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple
from uuid import UUID, uuid4

from django.db import connections, models, router
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from auth_core.runtime import prepared_statements

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper


@dataclass(frozen=True, slots=True, order=True)
class ChargeRequest:
    """A requested charge of one guess to *key*, of which *budget* guesses are allowed until *ends_at*."""

    key: str
    budget: int
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class ChargedRow:
    """A charged guess: the row and the window of that row.

    Args:
        used: The count with this guess. 0 if it was not read.
        used_beside: The count of the row beside, the same for every row of a charge. See `charge_as_known`.
    """

    key: str
    window_id: UUID
    used: int = 0
    used_beside: int | None = None


class _RefundedRow(NamedTuple):
    """A row of `_REFUND`.

    Args:
        used: The count after the refund.
        used_beside: The count of the row beside, the same in every row. ``None``: it has none, or was not asked for.
    """

    key: str
    used: int
    used_beside: int | None = None


class GuessBudgetManager(models.Manager["GuessBudget"]):
    """Charges and refunds. Each is one conditional statement."""

    def charge(self, charges: Sequence[ChargeRequest], *, now: datetime) -> list[ChargedRow]:
        """Take one guess from every budget that has one left. Return the rows that had.

        One statement for all rows, sorted by key so that two callers cannot deadlock. The
        database evaluates the condition under the row's lock: of two hundred parallel callers,
        only as many get a guess as are left. Call this inside a transaction, and roll back
        unless every row was charged.
        """
        connection = connections[router.db_for_write(self.model)]
        rows = sorted(charges)
        sql = _CHARGE.format(
            table=connection.ops.quote_name(self.model._meta.db_table),
            rows=", ".join(["(%s, %s, 1, %s, %s)"] * len(rows)),
            upsert=_UPSERT,
        )
        parameters = [*self._parameters(rows, connection), *[self._stored("ends_at", now, connection)] * 5]
        return self._charged(connection, sql, parameters)

    def charge_as_known(
        self,
        *,
        device: "QuerySet[Any]",
        strangers: Sequence[ChargeRequest],
        devices: Sequence[ChargeRequest],
        everybody: Sequence[ChargeRequest],
        beside: str,
        now: datetime,
    ) -> list[ChargedRow]:
        """Charge *devices* if *device* has a row, else *strangers*. Charge *everybody* in either case.

        One statement, like `charge`: the database looks up the device in the same snapshot in
        which it charges. It does the same work whether or not the device or the person exists.

        Args:
            device: Query for the device, with one row or none. Its primary key completes the keys of *devices*.
            devices: Prefixes of keys.
            beside: Key of a row whose count at *now* is returned with every row, charged or not.
        """
        connection = connections[router.db_for_write(self.model)]
        is_postgresql = connection.vendor == "postgresql"
        compiled, compiled_parameters = device.values("pk")[:1].query.get_compiler(connection=connection).as_sql()
        rows = [
            (group, row) for group, charges in enumerate((strangers, devices, everybody)) for row in sorted(charges)
        ]
        sql = _CHARGE_AS_KNOWN.format(
            device=compiled,
            rows=", ".join([_TYPED_ROW if is_postgresql else _ROW] * len(rows)),
            upsert=_UPSERT,
            beside=_BESIDE.format(table=connection.ops.quote_name(self.model._meta.db_table)) if beside else "",
            table=connection.ops.quote_name(self.model._meta.db_table),
        )
        moment = self._stored("ends_at", now, connection)
        parameters = [value for group, row in rows for value in (group, *self._parameters([row], connection))]
        parameters += [*[moment] * 5, *([beside, moment] if beside else [])]
        # The query for the device has a form for each kind of identifier, so its text is not the same each time.
        with connection.cursor() as cursor:
            cursor.execute(sql, [*compiled_parameters, *parameters])
            return [_charged_row(*row) for row in cursor.fetchall()]

    def refund(self, charged: Sequence[ChargedRow], *, beside: str = "", now: datetime | None = None) -> dict[str, int]:
        """Refund one guess to each row whose window is still the charged one. Return the used counts.

        One statement, which locks in the order of `charge`. Otherwise a charge and a refund of
        the same two rows could deadlock.

        Args:
            beside: Key of a row that was not charged, and whose count at *now* is returned too.
        """
        connection = connections[router.db_for_write(self.model)]
        sql = _REFUND.format(
            table=connection.ops.quote_name(self.model._meta.db_table),
            rows=" OR ".join(["(key = %s AND window_id = %s)"] * len(charged)),
            lock=connection.ops.for_update_sql() if connection.features.has_select_for_update else "",
            beside=_BESIDE.format(table=connection.ops.quote_name(self.model._meta.db_table)) if beside else "",
        )
        parameters = [
            value for row in charged for value in (row.key, self._stored("window_id", row.window_id, connection))
        ]
        if beside:
            parameters += [beside, self._stored("ends_at", now, connection)]
        rows = [_RefundedRow(*row) for row in prepared_statements.put(connection, sql, parameters, uses_before=1)]
        counts = {row.key: row.used for row in rows}
        return counts | {beside: rows[0].used_beside or 0} if beside and rows else counts

    def _charged(self, connection: Any, sql: str, parameters: Sequence[Any]) -> list[ChargedRow]:
        rows = prepared_statements.put(connection, sql, parameters, uses_before=1)
        return [_charged_row(*row) for row in rows]

    def _parameters(self, rows: Sequence[ChargeRequest], connection: "BaseDatabaseWrapper") -> list[Any]:
        return [
            parameter
            for row in rows
            for parameter in (
                row.key,
                self._stored("window_id", uuid4(), connection),
                row.budget,
                self._stored("ends_at", row.ends_at, connection),
            )
        ]

    def _stored(self, column: str, value: object, connection: "BaseDatabaseWrapper") -> Any:
        field: Any = self.model._meta.get_field(column)
        return field.get_db_prep_save(value, connection)


class GuessBudget(models.Model):
    """The used part of one budget in its current window.

    A window begins with the first guess and has a fixed end, so that a caller knows how
    long to wait. Two adjacent windows may hold twice the budget, never more.
    """

    key = models.CharField(primary_key=True, max_length=64, help_text=_("HMAC of the counted value."))
    window_id = models.UUIDField(help_text=_("Id of the window. A refund applies to no other."))
    used = models.PositiveIntegerField(help_text=_("Charged guesses."))
    budget = models.PositiveIntegerField(help_text=_("Allowed guesses."))
    ends_at = models.DateTimeField(db_index=True)
    refused_at = models.DateTimeField(null=True, help_text=_("Time of the first refusal in this window."))

    objects = GuessBudgetManager()

    class Meta:
        verbose_name = _("guess budget")
        verbose_name_plural = _("guess budgets")

    def __str__(self) -> str:
        return f"{self.used} of {self.budget}"


_UPSERT = """
ON CONFLICT (key) DO UPDATE SET
  used = CASE WHEN current_row.ends_at <= %s THEN 1 ELSE current_row.used + 1 END,
  window_id = CASE WHEN current_row.ends_at <= %s THEN excluded.window_id ELSE current_row.window_id END,
  refused_at = CASE WHEN current_row.ends_at <= %s THEN NULL ELSE current_row.refused_at END,
  ends_at = CASE WHEN current_row.ends_at <= %s THEN excluded.ends_at ELSE current_row.ends_at END,
  budget = excluded.budget
WHERE current_row.ends_at <= %s OR current_row.used < excluded.budget
RETURNING key, window_id, used
"""

_CHARGE = """
INSERT INTO {table} AS current_row (key, window_id, used, budget, ends_at) VALUES {rows} {upsert}
"""

#: Kind (0 strangers, 1 known devices, 2 everybody), key, window, budget, end.
_ROW = "(%s, %s, %s, %s, %s)"
_TYPED_ROW = "(%s::integer, %s::text, %s::uuid, %s::integer, %s::timestamptz)"

_CHARGE_AS_KNOWN = """
WITH device (id) AS ({device}), charge (kind, key, window_id, budget, ends_at) AS (VALUES {rows})
INSERT INTO {table} AS current_row (key, window_id, used, budget, ends_at)
SELECT
  charge.key || CASE WHEN charge.kind = 1 THEN (SELECT CAST(device.id AS text) FROM device) ELSE '' END AS whole_key,
  charge.window_id, 1, charge.budget, charge.ends_at
FROM charge
WHERE charge.kind = 2 OR (charge.kind = 1) = EXISTS (SELECT 1 FROM device)
ORDER BY whole_key
{upsert} {beside}
"""

_REFUND = """
UPDATE {table} SET used = used - 1
WHERE used > 0 AND key IN (SELECT key FROM {table} WHERE {rows} ORDER BY key {lock})
RETURNING key, used {beside}
"""

_BESIDE = ", (SELECT other.used FROM {table} AS other WHERE other.key = %s AND other.ends_at > %s)"


def _charged_row(key: str, window_id: UUID | str, used: int, used_beside: int | None = None) -> ChargedRow:
    return ChargedRow(key, _uuid(window_id), used, used_beside)


def _uuid(stored: UUID | str) -> UUID:
    """Return *stored* as a UUID. SQLite returns text."""
    return stored if isinstance(stored, UUID) else UUID(stored)
