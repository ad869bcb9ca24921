"""Gaps of the trail: changes that were committed and of which nothing was recorded."""

import re
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any
from unittest.mock import patch

from django.apps import apps
from django.contrib.auth import get_user_model
from django.db import transaction
from django.db.transaction import Atomic

from auth_core.events import event_recorded
from auth_core.testing.tables import BOOKKEEPING, TOUCHED, TRAIL

_WRITE = re.compile(
    r"(?:WITH\b.*?\)\s*)?(?:INSERT\s+(?:OR\s+\w+\s+)?INTO|UPDATE|DELETE\s+FROM)\s+(?:ONLY\s+)?\"?(\w+)\"?",
    re.IGNORECASE | re.DOTALL,
)
_SET = re.compile(r"\bSET\s+(.*?)(?:\sWHERE\s|$)", re.IGNORECASE | re.DOTALL)
_ASSIGNED = re.compile(r"\"(\w+)\"\s*=")


class AuditGap(AssertionError):
    """Changes were committed in transactions that recorded nothing."""


@dataclass
class _Scope:
    """One transaction or savepoint that is open: what it wrote, and how often it recorded."""

    written: list[str] = field(default_factory=list)
    events: int = 0


class _Watch:
    """Follows the transactions of this thread's connection."""

    def __init__(self, watched: Collection[str]) -> None:
        self.gaps: list[str] = []
        self._watched = watched
        self._open: list[_Scope] = []

    def hear(self, event: Any, **kwargs: Any) -> None:
        """Note that the transaction that is open recorded something; outside any it vouches for nothing."""
        if self._open:
            self._open[-1].events += 1

    def execute(self, run: Callable[..., Any], sql: str, params: Any, many: bool, context: Any) -> Any:
        """Run a statement; note it if it changed a table that is watched."""
        result = run(sql, params, many, context)
        table = changed_table(sql)
        if table in self._watched and context["cursor"].rowcount != 0:
            self._note(f"{table}: {sql}")
        return result

    def begin(self) -> None:
        """Note that a transaction or savepoint begins."""
        self._open.append(_Scope())

    def end(self, *, kept: bool) -> None:
        """Note that the innermost one is over; what was undone is neither a change nor a record of one."""
        ended = self._open.pop()
        if not kept:
            return
        if self._open:
            self._open[-1].written += ended.written
            self._open[-1].events += ended.events
        elif not ended.events:
            self.gaps += ended.written

    def _note(self, change: str) -> None:
        if self._open:
            self._open[-1].written.append(change)
        else:
            self.gaps.append(change)


@contextmanager
def assert_no_audit_gap(*, bookkeeping: Collection[str] = ()) -> Iterator[None]:
    """Fail when a transaction changes what is ours, is committed, and recorded no event.

    Watched is what this thread writes into the tables of our apps and of the user
    model, by the ORM or by SQL of its own. What `auth_core.testing.tables` lists is
    bookkeeping; so is a statement that matched no row, or only touched. A test's own
    transaction (``django_db`` without ``transaction``) counts as none.

    Args:
        bookkeeping: Further tables that hold no state.

    Raises:
        AuditGap: with each such table and statement.
    """
    connection = transaction.get_connection()
    watch = _Watch(watched_tables() - set(bookkeeping))
    event_recorded.connect(watch.hear, weak=False)
    try:
        with _followed(connection, watch), connection.execute_wrapper(watch.execute):
            yield
    finally:
        event_recorded.disconnect(watch.hear)
    if watch.gaps:
        raise AuditGap("Committed without an event:\n" + "\n".join(watch.gaps))


def watched_tables() -> set[str]:
    """Return the tables whose changes must be recorded: all of our apps', and the user model's."""
    ours = {model for app in apps.get_app_configs() if app.label.startswith("auth_") for model in app.get_models()}
    tables = {model._meta.db_table for model in ours | {get_user_model()} if model._meta.managed}
    return tables - BOOKKEEPING - TRAIL


def changed_table(sql: str) -> str:
    """Return the table that *sql* changes; nothing when it changes none, or only says that somebody was here."""
    found = _WRITE.match(sql.lstrip())
    if found is None:
        return ""
    assigned = _SET.search(sql) if found[0].upper().startswith("UPDATE") else None
    columns = set(_ASSIGNED.findall(assigned[1])) if assigned else set()
    return "" if columns and columns <= TOUCHED else found[1]


@contextmanager
def _followed(connection: Any, watch: _Watch) -> Iterator[None]:
    """Tell *watch* where transactions of *connection* begin and end.

    There is no signal for it, and `transaction.on_commit` says nothing inside the
    transaction of a test.
    """
    enter, leave = Atomic.__enter__, Atomic.__exit__

    def entered(block: Atomic) -> None:
        enter(block)
        if transaction.get_connection(block.using) is connection:
            watch.begin()

    def left(
        block: Atomic, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        is_ours = transaction.get_connection(block.using) is connection
        kept = kind is None and not connection.needs_rollback
        try:
            leave(block, kind, error, trace)
        except BaseException:
            kept = False
            raise
        finally:
            if is_ours:
                watch.end(kept=kept)

    with patch.object(Atomic, "__enter__", entered), patch.object(Atomic, "__exit__", left):
        yield
