"""Log records: what is added to each, what is taken out, and how a person reads one.

The project wires these into ``LOGGING``; the filters belong on handlers, so that no
library's record passes them by.
"""

import logging
import traceback
from typing import Any

from auth_core.observability.redaction import one_line, redact, redact_text
from auth_core.request.context import current

#: Loggers by what they are for; an operator gives each its own sink.
SECURITY = "auth_core.security"
AUDIT = "auth_core.audit"
REQUEST = "auth_core.request"

#: What every record has; everything else came with ``extra``.
_STANDARD = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class ContextFilter(logging.Filter):
    """Adds what ties records together."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Add the correlation id, and a stranger's own id apart from it."""
        context = current()
        record.correlation_id = context.correlation_id
        if context.client_request_id:
            record.client_request_id = context.client_request_id
        if context.client is not None:
            record.ip = context.client.ip
        return True


class RedactingFilter(logging.Filter):
    """Takes secrets out of message, arguments, extra fields and exceptions, and cuts each that is very long.

    A traceback is cut line by line: its end says what happened.
    """

    def filter(self, record: logging.LogRecord) -> bool:
        """Redact in place; every handler's formatter sees only what is left."""
        known = current().secrets
        record.msg = one_line(redact_text(record.getMessage(), known))
        record.args = None
        if record.exc_info:
            record.exc_text = "".join(redact_text(part, known) for part in traceback.format_exception(*record.exc_info))
            record.exc_info = None
        if record.stack_info:
            record.stack_info = "\n".join(redact_text(line, known) for line in record.stack_info.splitlines())
        for name in set(vars(record)) - _STANDARD:
            setattr(record, name, redact(getattr(record, name), known, name=name))
        return True


class ReadableFormatter(logging.Formatter):
    """One record, one line, for people who develop; the traceback below it."""

    def format(self, record: logging.LogRecord) -> str:
        """Return time, level, logger, message and what came along."""
        extras = {name: value for name, value in vars(record).items() if name not in _STANDARD}
        told = " ".join(f"{name}={_shown(value)}" for name, value in sorted(extras.items()) if value not in ("", None))
        line = f"{self.formatTime(record)} {record.levelname:<7} {record.name} {one_line(record.getMessage())} {told}"
        return line.rstrip() + (f"\n{record.exc_text}" if record.exc_text else "")


def _shown(value: Any) -> str:
    return one_line(str(value))
