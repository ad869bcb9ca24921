"""The arithmetic of the benchmarks. It starts nothing and reads no clock."""

import math
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

#: The share of the machine that other processes may use during a turn. With more, the turn is repeated.
ALLOWED_FOREIGN = 0.10


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least *share* of *values* do not exceed (nearest rank).

    Args:
        values: At least one value, in any order.
        share: From 0, exclusive, to 1.
    """
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def due_times(rate: float, seconds: float) -> list[float]:
    """Return when each request of an open loop is due, in seconds from the beginning: evenly, *rate* per second."""
    return [number / rate for number in range(int(rate * seconds))]


def open_latencies(due: Sequence[float], done: Mapping[int, float], ended: float) -> list[float]:
    """Return the response time of each due request, counted from when it was due and not from when it was sent.

    A server that stalls delays the requests behind the stall. A closed loop, or a clock that starts with the sending,
    would leave their waiting out (coordinated omission).

    Args:
        due: When each request was due, in seconds.
        done: When the response was complete, by the number of the request.
        ended: When the run ended. A request without a response has waited at least until then.
    """
    return [max(0.0, done.get(number, ended) - moment) for number, moment in enumerate(due)]


def ratio(value: float, other: float) -> float | None:
    """Return *value* in units of *other*. ``None``: there is nothing to compare with."""
    return None if not other else value / other


def is_polluted(foreign: float, allowed: float = ALLOWED_FOREIGN) -> bool:
    """Tell whether other processes used more of the machine than allowed.

    Args:
        foreign: Their share of all processors, from 0 to 1.
        allowed: The largest share that does not count.
    """
    return foreign > allowed


def foreign_share(busy: float, ours: float, seconds: float, processors: int) -> float:
    """Return the share of all processors that other processes used.

    Args:
        busy: Processor seconds in use on the whole machine during the turn.
        ours: Processor seconds of the benchmark and of everything that it started.
        seconds: The duration of the turn.
        processors: The number of processors.
    """
    capacity = seconds * processors
    return min(1.0, max(0.0, busy - ours) / capacity) if capacity > 0 else 0.0


def rates(before: Mapping[str, int], after: Mapping[str, int], seconds: float) -> dict[str, float]:
    """Return by how much each count rose in a second."""
    return {name: (after[name] - before[name]) / seconds for name in before}


def counts_per_request(
    before: Mapping[str, int], after: Mapping[str, int], idle: Mapping[str, float], *, seconds: float, requests: int
) -> dict[str, float]:
    """Return what one request adds to each count, without what the service does when nothing asks it.

    Args:
        before, after: The counts, *seconds* apart.
        idle: What an idle service adds in a second.
        requests: How many requests were sent between them.
    """
    added = {name: after[name] - before[name] - idle[name] * seconds for name in before}
    return {name: max(0.0, count) / requests for name, count in added.items()}


def round_order(names: Sequence[str], number: int) -> list[str]:
    """Return the order of the cells in a round. It flips each time, so that no cell always has the same neighbour."""
    return list(names) if number % 2 == 0 else list(reversed(names))


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """What was measured while one cell was under load. Times of processors are per request.

    Args:
        requests: The number of responses.
        errors: How many of them were no success, or did not arrive.
        rate: Successful responses per second.
        p50, p95, p99: Response times in milliseconds.
        app, postgresql, redis: Processor time per request in milliseconds.
        statements, commits, redis_reads: Per request. A Redis read is one round trip.
        foreign: See `foreign_share`.
    """

    requests: int
    errors: int
    rate: float
    p50: float
    p95: float
    p99: float
    app: float = 0.0
    postgresql: float = 0.0
    redis: float = 0.0
    statements: float = 0.0
    commits: float = 0.0
    redis_reads: float = 0.0
    foreign: float = 0.0

    @property
    def round_trips(self) -> float:
        """Statements and Redis reads per request."""
        return self.statements + self.redis_reads


@dataclass(frozen=True, slots=True)
class Summary:
    """The median of the turns of one cell in one loop. Polluted turns count only if there are no others.

    Args:
        figures: The median of every figure of a `Turn`.
        turns: How many turns the medians are of.
        is_polluted: Whether all turns were polluted.
    """

    figures: Mapping[str, float]
    turns: int
    is_polluted: bool


def summary(turns: Iterable[Turn], allowed: float = ALLOWED_FOREIGN) -> Summary:
    """Return the medians of *turns*, of which there is at least one."""
    every = list(turns)
    clean = [turn for turn in every if not is_polluted(turn.foreign, allowed)]
    counted = clean or every
    names = [*Turn.__dataclass_fields__, "round_trips"]
    medians = {name: float(statistics.median(getattr(turn, name) for turn in counted)) for name in names}
    return Summary(medians, len(counted), not clean)
