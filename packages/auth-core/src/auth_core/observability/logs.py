"""Log records: added context, redaction, and a readable format.

The project configures these in ``LOGGING``. The filters belong on handlers, so that they apply to the records of every
library.
"""

import logging
import os
import select
import traceback
from contextlib import nullcontext
from typing import Any

from django.http import HttpRequest

from auth_core.observability.redaction import one_line, redact, redact_text
from auth_core.request.context import Context, context_of, existing

#: Loggers by purpose. An operator can give each its own destination.
SECURITY = "auth_core.security"
AUDIT = "auth_core.audit"
REQUEST = "auth_core.request"

#: The attributes of every record. All others came from ``extra``.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class ContextFilter(logging.Filter):
    """Adds the context of the request, which ties records together.

    A record outside a request, task and command gets no id. An invented one would tie together records of different
    requests that a thread served.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the correlation id. The caller's own id is a separate field."""
        context = _context_of(record)
        if context is None or hasattr(record, "correlation_id"):
            return True
        record.correlation_id = context.correlation_id
        if context.client_request_id:
            record.client_request_id = context.client_request_id
        if context.client is not None:
            record.ip = context.client.ip
        return True


class RedactingFilter(logging.Filter):
    """Removes secrets from message, arguments, extra fields and exceptions, and truncates long texts.

    A traceback is truncated line by line, because its end contains the error.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact in place, so that the formatters of all handlers see only the redacted record."""
        context = _context_of(record)
        secrets = context.secrets if context is not None else frozenset()
        record.msg = one_line(redact_text(record.getMessage(), secrets))
        record.args = None
        if record.exc_info:
            record.exc_text = "".join(
                redact_text(part, secrets) for part in traceback.format_exception(*record.exc_info)
            )
            record.exc_info = None
        if record.stack_info:
            record.stack_info = "\n".join(redact_text(line, secrets) for line in record.stack_info.splitlines())
        fields = vars(record)
        for name in [name for name in fields if name not in _STANDARD]:
            fields[name] = redact(fields[name], secrets, name=name)
        return True


class LineHandler(logging.StreamHandler[Any]):
    """Writes each line with one system call, without a queue: nothing is lost when the process ends.

    `logging.StreamHandler` formats a record while it holds the lock of the handler. The threads of a busy process wait for
    each other there. This handler holds the lock only while it writes.
    """

    def handle(self, record: logging.LogRecord) -> bool:
        """Filter, format and write *record*. The filters and the formatter are used by several threads at once."""
        is_kept = self.filter(record)
        if is_kept:
            self.emit(record)
        return bool(is_kept)

    def emit(self, record: logging.LogRecord) -> None:
        """Write *record* as one line. An error is reported on standard error, as by every handler."""
        try:
            line = self.format(record) + self.terminator
            with self.lock or nullcontext():
                self._write(line)
        except RecursionError:
            raise
        except Exception:  # noqa: BLE001 - a handler must not stop the work that is logged
            self.handleError(record)

    def _write(self, line: str) -> None:
        try:
            number = self.stream.fileno()
        except (AttributeError, OSError, ValueError):  # a stream without a file, as in tests
            self.stream.write(line)
            self.flush()
            return
        rest = memoryview(line.encode(getattr(self.stream, "encoding", None) or "utf-8", "backslashreplace"))
        while rest:
            try:
                rest = rest[os.write(number, rest) :]
            except BlockingIOError:
                # The reader of a pipe is slow, and the parent process made the pipe non-blocking.
                select.select([], [number], [])


class ReadableFormatter(logging.Formatter):
    """Formats a record as one line for developers, with the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, logger, message and extra fields."""
        extras = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        fields = " ".join(
            f"{name}={_shown(value)}" for name, value in sorted(extras.items()) if value not in ("", None)
        )
        line = f"{self.formatTime(record)} {record.levelname:<7} {record.name} {one_line(record.getMessage())} {fields}"
        return line.rstrip() + (f"\n{record.exc_text}" if record.exc_text else "")


def _context_of(record: logging.LogRecord) -> Context | None:
    """Return the context of the request that *record* names, else the current one.

    Django logs an error of a request after its middleware, and a server may do so in another thread.
    """
    request = getattr(record, "request", None)
    return context_of(request) if isinstance(request, HttpRequest) else existing()


def _shown(value: object) -> str:
    return one_line(str(value))
