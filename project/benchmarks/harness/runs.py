"""Runs the cells in rounds, interleaved, and measures each turn."""

import os
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from harness import figures, processes
from harness.cells import Cell, Place
from harness.figures import Turn
from harness.limits import hash_ceiling
from harness.load import LoadResult, closed_loop, open_loop
from harness.traffic import RENDERED, Supply, Traffic

#: Requests per second of the callers who are signed in, in the benchmark ``mixed``.
QUIET_RATE = 50.0

#: The fewest requests before a cell is measured.
WARM = 40

#: One-time values that the fastest cell may use up in a second.
_MOST_ONCE = 8_000

#: So many requests to each cell are counted, and so long does an idle connection take to report its commits.
COUNTED, COMMITS_REPORTED = 20, 10.5

#: The name of the cell that only hashes.
CEILING = "hash ceiling"

#: The loops, as the report names them.
CLOSED, OPEN, FIXED = "closed", "open at half", f"open, {QUIET_RATE:g}/s"


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What the command line says.

    Args:
        people: Sizes, each measured on its own.
        seconds: The duration of a turn.
        callers: Concurrent callers of the closed loop.
        allowed: See `figures.is_polluted`.
        repeats: How often a polluted turn is repeated.
        beside: Another checkout of the product, measured as one more cell.
        server: See `product.product`.
    """

    people: Sequence[int]
    seconds: float
    rounds: int
    callers: int
    allowed: float
    repeats: int
    beside: Path | None
    server: str
    compiled_argon2: bool


@dataclass(frozen=True, slots=True)
class Series:
    """Which turns belong together: a cell, what its callers do, and the loop."""

    cell: str
    group: str
    variant: str
    loop: str


Turns = Mapping[Series, list[Turn]]


class Runner:
    """Measures the cells of one benchmark."""

    def __init__(self, place: Place, cells: Sequence[Cell], options: Options) -> None:
        self._place, self._options = place, options
        self._cells = {cell.name: cell for cell in cells}
        self._turns: dict[Series, list[Turn]] = defaultdict(list)
        self._counted: dict[tuple[str, str], dict[str, float]] = {}

    def run(self, job: str) -> Turns:
        """Warm up, then measure all cells in every round, each time in the opposite order."""
        names = list(self._cells)
        for cell in self._cells.values():
            for variant in cell.traffic:
                self._warm_up(cell, variant)
        if job != "mixed":
            self._count()
        for number in range(self._options.rounds):
            if job in ("login", "limits"):
                self._measure(None, Series(CEILING, "limit", "hash", CLOSED), lambda: hash_ceiling(self._seconds))
            for name in figures.round_order(names, number):
                cell = self._cells[name]
                _say(f"round {number + 1} of {self._options.rounds}: {name}")
                if job == "mixed":
                    self._measure_mixed(cell)
                else:
                    self._measure_all(cell)
        return self._turns

    def _warm_up(self, cell: Cell, variant: str) -> None:
        """Send the first requests of each process and of each session, as fast as they are answered."""
        _say(f"warming up: {cell.name}, {variant}")
        traffic = cell.traffic[variant]
        number = max(WARM, 2 * len(traffic.credentials))
        self._open(cell, traffic, rate=1e4, seconds=(number + 0.5) / 1e4)

    def _count(self) -> None:
        """Count statements, commits and round trips of a few requests to each cell, without those of an idle cell.

        An idle connection of PostgreSQL reports its commits after ten seconds. So the counts are not those of the turns.
        """
        time.sleep(COMMITS_REPORTED)
        cells = list(self._cells.values())
        began, before = time.monotonic(), {cell.name: self._counts_of(cell) for cell in cells}
        time.sleep(COMMITS_REPORTED)
        idle = {cell.name: (before[cell.name], self._counts_of(cell)) for cell in cells}
        seconds = time.monotonic() - began
        for variant in dict.fromkeys(name for cell in cells for name in cell.traffic):
            self._count_variant(variant, {name: figures.rates(*pair, seconds) for name, pair in idle.items()})

    def _count_variant(self, variant: str, idle: Mapping[str, Mapping[str, float]]) -> None:
        cells = [cell for cell in self._cells.values() if variant in cell.traffic]
        for cell in cells:
            self._warm_up(cell, variant)
        time.sleep(COMMITS_REPORTED)
        began, before = time.monotonic(), {cell.name: self._counts_of(cell) for cell in cells}
        for cell in cells:
            self._open(cell, cell.traffic[variant], rate=COUNTED / 2, seconds=2)
        time.sleep(COMMITS_REPORTED)
        for cell in cells:
            after, seconds = self._counts_of(cell), time.monotonic() - began
            self._counted[cell.name, variant] = figures.counts_per_request(
                before[cell.name], after, idle[cell.name], seconds=seconds, requests=COUNTED
            )

    def _counts_of(self, cell: Cell) -> dict[str, int]:
        statements, commits = self._place.postgresql.counts(cell.database)
        return {"statements": statements, "commits": commits, "redis_reads": cell.redis.reads()}

    @property
    def _seconds(self) -> float:
        return self._options.seconds

    def _measure_all(self, cell: Cell) -> None:
        for variant, traffic in cell.traffic.items():
            if cell.job == "session" and variant != "session":
                continue
            closed = self._measure(
                cell,
                Series(cell.name, cell.group, variant, CLOSED),
                lambda traffic=traffic: self._closed(cell, traffic),  # type: ignore[misc]  # the type of a default is not inferred
            )
            half = max(1.0, closed.rate / 2)
            self._measure(
                cell,
                Series(cell.name, cell.group, variant, OPEN),
                lambda traffic=traffic, half=half: self._open(  # type: ignore[misc]  # as above
                    cell, traffic, rate=half, seconds=self._seconds
                ),
            )

    def _closed(self, cell: Cell, traffic: Traffic) -> LoadResult:
        callers, seconds = self._options.callers, self._seconds
        requests = traffic.render(RENDERED if traffic.once is None else int(_MOST_ONCE * seconds))
        result = closed_loop(cell.port, requests, callers=callers, seconds=seconds)
        if traffic.once is not None:
            # The answers to the last requests of each caller were not awaited.
            _use(traffic.once, result.requests + callers, of=len(requests))
        return result

    def _open(self, cell: Cell, traffic: Traffic, *, rate: float, seconds: float) -> LoadResult:
        number = max(1, int(rate * seconds))
        requests = traffic.render(number if traffic.once is not None else min(number, RENDERED))
        result = open_loop(cell.port, requests, rate=rate, seconds=seconds)
        if traffic.once is not None:
            _use(traffic.once, number, of=len(requests))
        return result

    def _measure_mixed(self, cell: Cell) -> None:
        """Measure signed-in callers at a fixed rate, first alone, then while others sign in as fast as they can."""

        def signed_in() -> LoadResult:
            requests = cell.traffic["session"].render()
            return open_loop(cell.port, requests, rate=QUIET_RATE, seconds=self._seconds)

        def beside_logins() -> LoadResult:
            requests = cell.traffic["login"].render()
            with ThreadPoolExecutor(1) as pool:
                flood = pool.submit(
                    closed_loop, cell.port, requests, callers=self._options.callers, seconds=self._seconds + 1
                )
                time.sleep(0.5)
                result = signed_in()
                floods.append(flood.result())
            return result

        floods: list[LoadResult] = []
        self._measure(cell, Series(cell.name, cell.group, "session, quiet", FIXED), signed_in)
        turn = self._measure(cell, Series(cell.name, cell.group, "session, beside logins", FIXED), beside_logins)
        flood = floods[-1]
        self._turns[Series(cell.name, cell.group, "logins meanwhile", CLOSED)].append(
            Turn(
                requests=flood.requests, errors=flood.errors, rate=flood.rate, p50=flood.p50, p95=flood.p95,
                p99=flood.p99, foreign=turn.foreign,
            )
        )  # fmt: skip

    def _measure(self, cell: Cell | None, series: Series, load: Callable[[], LoadResult]) -> Turn:
        """Measure one turn, and repeat it while other processes disturb it. Return the turn that was least disturbed."""
        turns = []
        for _attempt in range(1 + self._options.repeats):
            turns.append(self._turn(cell, series.variant, load))
            if not figures.is_polluted(turns[-1].foreign, self._options.allowed):
                break
        best = min(turns, key=lambda turn: turn.foreign)
        self._turns[series].append(best)
        return best

    def _turn(self, cell: Cell | None, variant: str, load: Callable[[], LoadResult]) -> Turn:
        before = self._processors(cell)
        result = load()
        after = self._processors(cell)
        used = {name: after[name] - before[name] for name in before}
        count = max(1, result.requests)
        return Turn(
            requests=result.requests,
            errors=result.errors,
            rate=result.rate,
            p50=result.p50,
            p95=result.p95,
            p99=result.p99,
            app=used["app"] * 1e3 / count,
            postgresql=used["postgresql"] * 1e3 / count,
            redis=used["redis"] * 1e3 / count,
            foreign=figures.foreign_share(used["busy"], used["ours"], used["time"], os.cpu_count() or 1),
            **self._counted.get(("" if cell is None else cell.name, variant), {}),
        )

    def _processors(self, cell: Cell | None) -> dict[str, float]:
        """Return the time, and the processor seconds used so far."""
        return {
            "time": time.monotonic(),
            "busy": processes.busy_seconds(),
            "ours": processes.processor_seconds(os.getpid()),
            "app": 0.0 if cell is None else processes.processor_seconds(cell.process),
            "postgresql": processes.processor_seconds(self._place.postgresql.process),
            "redis": 0.0 if cell is None else processes.processor_seconds(cell.redis.process),
        }


def _use(supply: Supply, number: int, *, of: int) -> None:
    """Say that *number* of the rendered one-time values were sent.

    Raises:
        RuntimeError: there were too few, so that some were sent twice.
    """
    if number > of:
        raise RuntimeError(f"{number} one-time values were needed, and {of} were left. Seed more.")
    supply.use(number)


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
