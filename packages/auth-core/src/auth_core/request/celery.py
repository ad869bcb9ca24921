"""The context of whoever sent a task is the task's; the one module of the extra ``celery``."""

from contextlib import AbstractContextManager
from typing import Any

from celery.signals import before_task_publish, task_postrun, task_prerun

from auth_core.request.context import TASK_HEADER, bound, from_headers, to_headers

_running: dict[str, AbstractContextManager[Any]] = {}


def connect() -> None:
    """Listen to Celery."""
    before_task_publish.connect(send_along, dispatch_uid="auth_core.request.context")
    task_prerun.connect(enter, dispatch_uid="auth_core.request.context")
    task_postrun.connect(leave, dispatch_uid="auth_core.request.context")


def send_along(headers: dict[str, Any], **kwargs: Any) -> None:
    """Put the context into the message."""
    headers.update(to_headers())


def enter(task_id: str, task: Any, **kwargs: Any) -> None:
    """Let the task happen in the context that its message carries."""
    carried = bound(from_headers({TASK_HEADER: getattr(task.request, TASK_HEADER, None)}))
    carried.__enter__()
    _running[task_id] = carried


def leave(task_id: str, **kwargs: Any) -> None:
    """Leave it again."""
    if (carried := _running.pop(task_id, None)) is not None:
        carried.__exit__(None, None, None)
