"""Audit gaps: committed changes without an event."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import TYPE_CHECKING, Any
from unittest.mock import patch

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.transaction import Atomic

from auth_core.events import event_recorded
from auth_core.testing.tables import BOOKKEEPING, TOUCHED, TRAIL

if TYPE_CHECKING:
    from django.db.backends.base.base import BaseDatabaseWrapper

    from auth_core.events import Event

_WRITE = re.compile(
    r"(?:WITH\b.*?\)\s*)?(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?\"?(\w+)\"?",
    re.IGNORECASE | re.DOTALL,
)
_SET = re.compile(r"\bSET\s+(.*?)(?:\sWHERE\s|$)", re.IGNORECASE | re.DOTALL)
_ASSIGNED = re.compile(r"\"(\w+)\"\s*=")


class AuditGap(AssertionError):
    """Changes were committed in transactions that recorded no event."""


@dataclass
class _Scope:
    """An open transaction or savepoint: what it wrote, and how many events it recorded."""

    written: list[str] = field(default_factory=list)
    events: int = 0


class _Watch:
    """The record of transactions on one connection."""

    def __init__(self, watched: Collection[str]) -> None:
        self.gaps: list[str] = []
        self._watched = watched
        self._open: list[_Scope] = []

    def hear(self, event: "Event", **kwargs: Any) -> None:
        """Count an event for the open transaction. An event outside a transaction covers no change."""
        if self._open:
            self._open[-1].events += 1

    def execute(self, run: Callable[..., Any], sql: str, params: object, many: bool, context: Mapping[str, Any]) -> Any:
        """Run a statement and note it if it changed a watched table."""
        result = run(sql, params, many, context)
        table = changed_table(sql)
        if table in self._watched and context["cursor"].rowcount != 0:
            self._note(f"{table}: {sql}")
        return result

    def begin(self) -> None:
        """Open a scope for a transaction or savepoint."""
        self._open.append(_Scope())

    def end(self, *, committed: bool) -> None:
        """Close the innermost scope. A rollback discards both its changes and its events."""
        scope = self._open.pop()
        if not committed:
            return
        if self._open:
            self._open[-1].written += scope.written
            self._open[-1].events += scope.events
        elif not scope.events:
            self.gaps += scope.written

    def _note(self, change: str) -> None:
        if self._open:
            self._open[-1].written.append(change)
        else:
            self.gaps.append(change)


@contextmanager
def assert_no_audit_gap(*, bookkeeping: Collection[str] = ()) -> Iterator[None]:
    """Fail if a committed transaction changed a watched table without recording an event.

    It watches the tables of the Enterprise Auth apps and of the user model, for
    statements of this thread, by the ORM or raw SQL. It ignores the tables that
    `auth_core.testing.tables` lists as bookkeeping, statements that matched no row, and
    updates of `TOUCHED` columns only. The transaction of the test itself
    (``django_db`` without ``transaction``) is not counted.

    Args:
        bookkeeping: Further tables to ignore.

    Raises:
        AuditGap: a change has no event. The message lists each table and statement.
    """
    connection = transaction.get_connection()
    watch = _Watch(watched_tables() - set(bookkeeping))
    event_recorded.connect(watch.hear, weak=False)
    try:
        with _watched(connection, watch), connection.execute_wrapper(watch.execute):
            yield
    finally:
        event_recorded.disconnect(watch.hear)
    if watch.gaps:
        raise AuditGap("Committed without an event:\n" + "\n".join(watch.gaps))


def watched_tables() -> set[str]:
    """Return the tables whose changes need an event: those of the Enterprise Auth apps and of the user model."""
    ours = {model for app in apps.get_app_configs() if app.label.startswith("auth_") for model in app.get_models()}
    tables = {model._meta.db_table for model in ours | {get_user_model()} if model._meta.managed}
    return tables - BOOKKEEPING - TRAIL


def changed_table(sql: str) -> str:
    """Return the table that *sql* changes, or an empty string if it changes none or only `TOUCHED` columns."""
    write = _WRITE.match(sql.lstrip())
    if write is None:
        return ""
    assignments = _SET.search(sql) if write[0].upper().startswith("UPDATE") else None
    columns = set(_ASSIGNED.findall(assignments[1])) if assignments else set()
    return "" if columns and columns <= TOUCHED else write[1]


@contextmanager
def _watched(connection: "BaseDatabaseWrapper", watch: _Watch) -> Iterator[None]:
    """Report the beginning and end of transactions on *connection* to *watch*.

    Django has no signal for it, and `transaction.on_commit` does not run inside the
    transaction of a test.
    """
    enter, leave = Atomic.__enter__, Atomic.__exit__

    def watched_enter(block: Atomic) -> None:
        enter(block)
        if transaction.get_connection(block.using) is connection:
            watch.begin()

    def watched_exit(
        block: Atomic, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_ours = transaction.get_connection(block.using) is connection
        committed = kind is None and not connection.needs_rollback
        try:
            leave(block, kind, error, trace)
        except BaseException:
            committed = False
            raise
        finally:
            if is_ours:
                watch.end(committed=committed)

    with patch.object(Atomic, "__enter__", watched_enter), patch.object(Atomic, "__exit__", watched_exit):
        yield
