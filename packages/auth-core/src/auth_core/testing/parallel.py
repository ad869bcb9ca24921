"""Parallel requests in threads with their own connections, started by one barrier."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence, Set
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from django.db import connections

#: The number of rounds of a race. A defect that shows in one round of five is missed in one run of a hundred.
ROUNDS = 20

#: Codes that no guard of a race uses. They mean that a limit hid the guard or that something broke.
_NO_REFUSALS = frozenset({"too_many_attempts", "internal_error", "unavailable", "429", "500", "503"})


def at_once(tasks: Sequence[Callable[[], Any]]) -> list[Any]:
    """Run *tasks* at the same time and return the results or exceptions in order."""
    barrier = threading.Barrier(len(tasks))

    def run(task: Callable[[], Any]) -> Any:
        connections["default"].ensure_connection()
        barrier.wait(timeout=60)
        try:
            return task()
        except Exception as error:  # noqa: BLE001 - the test counts the errors
            return error
        finally:
            close_connections()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


def tally(results: Sequence[Any]) -> Counter[str]:
    """Count results by the code of the error or problem, else by the name of the type."""
    return Counter(_name(result) for result in results)


def one_winner(
    tasks: Callable[[int], Sequence[Callable[[], Any]]], *, refusal: Set[str], rounds: int = ROUNDS
) -> Counter[str]:
    """Run a race several times and return the counts of all results.

    Args:
        tasks: Sets up the round with the given number and returns its tasks.
        refusal: Codes with which losers may fail. A function that returns ``False`` loses with ``"False"``.
        rounds: The number of rounds.

    Raises:
        AssertionError: a round did not have exactly one winner, or a loser failed with another code.
        ValueError: *refusal* has a code that no guard uses, such as that of a limit.
    """
    if hidden := refusal & _NO_REFUSALS:
        raise ValueError(f"{', '.join(sorted(hidden))} would hide the tested guard.")
    total: Counter[str] = Counter()
    for number in range(rounds):
        results = at_once(tasks(number))
        counts = tally(results)
        winners = sum(_has_won(result) for result in results)
        losers = {_name(result) for result in results if not _has_won(result)}
        assert winners == 1, f"round {number}: {winners} won of {dict(counts)}"
        assert losers <= refusal, f"round {number}: unexpected failures: {dict(counts)}"
        total += counts
    return total


def _has_won(result: object) -> bool:
    """Return whether *result* is a success: a 2xx response, or a value that is neither an exception nor ``False``."""
    if hasattr(result, "status_code"):
        return bool(200 <= result.status_code < 300)  # noqa: PLR2004 - success codes of HTTP
    return result is not False and not isinstance(result, BaseException)


def _name(result: Any) -> str:
    """Return the name of *result*. For a response it is the status or the code of the problem."""
    if hasattr(result, "status_code"):
        return str(result.json().get("code", result.status_code)) if result.content else str(result.status_code)
    if isinstance(result, bool):
        return str(result)
    return str(getattr(result, "code", type(result).__name__))


def close_connections() -> None:
    """Close the connections of this thread. Django itself keeps connections to an in-memory database open."""
    for connection in connections.all(initialized_only=True):
        connection.close()
        if connection.connection is not None:
            connection.connection.close()
            connection.connection = None
