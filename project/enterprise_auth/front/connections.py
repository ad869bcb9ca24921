"""The connections to the database that early answers use.

Django takes a connection from the pool for each request and puts it back. That takes longer than the rest of an early answer,
so a thread keeps its connection for a moment. Django's own requests put it back first.
"""

import threading
from datetime import timedelta
from time import monotonic

from django.db import close_old_connections

#: How long a thread keeps its connection. It is shorter than the time for which the pool trusts one without a check.
_KEPT = timedelta(seconds=1)

_since = threading.local()


def begin() -> None:
    """Put the connections of this thread back if they are older than a moment. The next one is checked by the pool."""
    now = monotonic()
    if now - getattr(_since, "moment", 0.0) > _KEPT.total_seconds():
        close_old_connections()
        _since.moment = now


def give_back() -> None:
    """Put the connections of this thread back now: one of them may be lost."""
    close_old_connections()
    _since.moment = 0.0
