"""Parallel requests: so many threads, each with its own connection, behind one barrier."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run *tasks* at the same moment; return what each returned, or the exception it raised, in order."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        connections["default"].ensure_connection()
        barrier.wait(timeout=60)
        try:
            return task()
        except Exception as error:  # noqa: BLE001 - a refusal is what the test counts
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def tally(results: Sequence[Any]) -> Counter[str]:
    """Count results by what they are: a refusal's or problem's code, else the name of its type."""
    return Counter(_name(result) for result in results)


def _name(result: Any) -> str:
    """Return how *result* is called: ``200`` and the code of a problem for a response."""
    if hasattr(result, "status_code"):
        return str(result.json().get("code", result.status_code)) if result.content else str(result.status_code)
    return str(getattr(result, "code", type(result).__name__))
