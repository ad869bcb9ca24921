"""Events as log lines, written after the commit, for operators who watch a stream instead of a table."""

import logging
from functools import partial
from typing import Any

from django.db import transaction

from auth_core.events import Event, Severity, event_recorded
from auth_core.observability.logs import AUDIT, SECURITY
from auth_core.people.lookup import public_id_if_loaded

_audit = logging.getLogger(AUDIT)
_security = logging.getLogger(SECURITY)


def connect() -> None:
    """Connect to the signal of every event."""
    event_recorded.connect(log_when_committed, dispatch_uid="auth_core.observability.event_log")


def log_when_committed(event: Event, **kwargs: Any) -> None:
    """Write a log line after the commit. A rolled-back event is not logged."""
    transaction.on_commit(partial(_write, event))


def _write(event: Event) -> None:
    fields = {
        "event": event.name.value,
        "outcome": event.outcome.value,
        "reason": event.reason,
        "subject": public_id_if_loaded(event.subject),
        "actor": public_id_if_loaded(event.actor),
        "on_behalf_of": public_id_if_loaded(event.on_behalf_of),
        "session": str(event.session or ""),
        "application": str(event.application or ""),
    }
    # In the message too, because a handler of the site may print nothing else.
    words = [fields["event"], fields["outcome"], *([fields["reason"]] if event.reason else [])]
    _audit.info(" ".join(words), extra=fields)
    if event.name.severity is not Severity.INFO:
        _security.warning(" ".join(words), extra=fields)
