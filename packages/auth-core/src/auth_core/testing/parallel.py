"""Parallel requests: so many threads, each with its own connection, behind one barrier."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

#: How often a race is run: one that is lost in one round of five is missed in one run of a hundred.
ROUNDS = 20

#: What no guard of a race refuses with: a limit hid the guard, or something broke.
_NO_REFUSALS = frozenset({"too_many_attempts", "internal_error", "unavailable", "429", "500", "503"})


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
            close_connections()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def tally(results: Sequence[Any]) -> Counter[str]:
    """Count results by what they are: a refusal's or problem's code, else the name of its type."""
    return Counter(_name(result) for result in results)


def one_winner(
    tasks: Callable[[int], Sequence[Callable[[], Any]]], *, refusal: Set[str], rounds: int = ROUNDS
) -> Counter[str]:
    """Run a race again and again; return what became of all who ran.

    Args:
        tasks: Sets one round up, given its number, and returns who runs in it.
        refusal: How every loser is refused, by code; a function that says no with ``False`` loses with ``"False"``.
        rounds: How often.

    Raises:
        AssertionError: in some round not exactly one won, or a loser was refused by something else.
        ValueError: *refusal* names what is no guard's, such as a limit's.
    """
    if hidden := refusal & _NO_REFUSALS:
        raise ValueError(f"{', '.join(sorted(hidden))} would hide the guard that is tested.")
    total: Counter[str] = Counter()
    for number in range(rounds):
        results = at_once(tasks(number))
        came = tally(results)
        winners = sum(_has_won(result) for result in results)
        losers = {_name(result) for result in results if not _has_won(result)}
        assert winners == 1, f"round {number}: {winners} won of {dict(came)}"
        assert losers <= refusal, f"round {number}: refused by something else: {dict(came)}"
        total += came
    return total


def _has_won(result: Any) -> bool:
    """Say whether *result* is a success: 2xx, or what a function returned that is neither an error nor ``False``."""
    if hasattr(result, "status_code"):
        return bool(200 <= result.status_code < 300)  # noqa: PLR2004 - the successes of HTTP
    return result is not False and not isinstance(result, BaseException)


def _name(result: Any) -> str:
    """Return how *result* is called: ``200`` and the code of a problem for a response."""
    if hasattr(result, "status_code"):
        return str(result.json().get("code", result.status_code)) if result.content else str(result.status_code)
    if isinstance(result, bool):
        return str(result)
    return str(getattr(result, "code", type(result).__name__))


def close_connections() -> None:
    """Close what this thread has opened; to a database in memory Django itself keeps every connection open."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if connection.connection is not None:
            connection.connection.close()
            connection.connection = None
