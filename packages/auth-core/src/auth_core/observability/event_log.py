"""Events as log lines, once they are committed: for whoever watches a stream instead of a table."""

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
    """Listen to every event."""
    event_recorded.connect(log_when_committed, dispatch_uid="auth_core.observability.event_log")


def log_when_committed(event: Event, **kwargs: Any) -> None:
    """Write a line once the change stands; what is rolled back did not happen."""
    transaction.on_commit(partial(_write, event))


def _write(event: Event) -> None:
    line = {
        "event": event.name.value,
        "outcome": event.outcome.value,
        "reason": event.reason,
        "subject": public_id_if_loaded(event.subject),
        "actor": public_id_if_loaded(event.actor),
        "session": str(event.session or ""),
    }
    _audit.info("event", extra=line)
    if event.name.severity is not Severity.INFO:
        _security.warning("event", extra=line)
