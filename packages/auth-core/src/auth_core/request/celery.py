"""Tasks run in the context of their sender. The only module of the extra ``celery``."""

from contextlib import AbstractContextManager
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun

from auth_core.request.context import TASK_HEADER, bound, from_headers, to_headers

_running: dict[str, AbstractContextManager[Any]] = {}


def connect() -> None:
    """Connect to Celery's signals."""
    before_task_publish.connect(send_along, dispatch_uid="auth_core.request.context")
    task_prerun.connect(enter, dispatch_uid="auth_core.request.context")
    task_postrun.connect(leave, dispatch_uid="auth_core.request.context")


def send_along(headers: dict[str, Any], **kwargs: Any) -> None:
    """Add the context to the headers of the message."""
    headers.update(to_headers())


def enter(task_id: str, task: Any, **kwargs: Any) -> None:
    """Enter the context from the headers of the message."""
    context = bound(from_headers({TASK_HEADER: getattr(task.request, TASK_HEADER, None)}))
    context.__enter__()
    _running[task_id] = context


def leave(task_id: str, **kwargs: Any) -> None:
    """Leave the context."""
    if (context := _running.pop(task_id, None)) is not None:
        context.__exit__(None, None, None)
