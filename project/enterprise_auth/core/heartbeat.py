"""A file that the Celery worker and beat touch while they run, for probes that cannot send a request."""

from pathlib import Path
from typing import Any

from celery.signals import heartbeat_sent

from enterprise_auth.core.conf import site


def connect() -> None:
    """Touch the file whenever the worker sends its own heartbeat to the broker, every two seconds."""
    heartbeat_sent.connect(touch_heartbeat, dispatch_uid="enterprise_auth.heartbeat")


def touch_heartbeat(**kwargs: Any) -> None:
    """Touch the file in ``HEARTBEAT_PATH``, if one is set."""
    if site.heartbeat_path:
        Path(site.heartbeat_path).touch()
