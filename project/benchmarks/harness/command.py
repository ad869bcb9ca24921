"""The command line of the benchmarks."""

import argparse
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from harness import processes
from harness.cells import Place
from harness.figures import ALLOWED_FOREIGN
from harness.installation import install
from harness.load import require_wrk
from harness.oauth_peers import oidc_provider
from harness.peers import DJANGO_PEERS, better_auth, django_peer
from harness.product import PROXIED, ROOT, product
from harness.report import PAGE, Result, insert_section, markdown, plot, results_of, to_json
from harness.runs import Options, Runner
from harness.servers import BenchPostgreSQL, BenchRedis

#: The Node peers of each benchmark.
_NODE_PEERS = {
    "login": ("better_auth",), "session": ("better_auth",), "mixed": ("better_auth",), "oauth": ("oidc_provider",),
}  # fmt: skip

#: One-time values that a turn of one second needs, in the closed loop and in the open one.
_ONCE = 10_000


def main(job: str, description: str | None) -> None:
    """Run the benchmark *job* as the command line says."""
    options, publishes = _options(job, description)
    # A stop must end the servers too.
    signal.signal(signal.SIGTERM, lambda *_signal: sys.exit(128 + signal.SIGTERM))
    require_wrk()
    install(node_peers=_NODE_PEERS.get(job, ()), compiled_argon2=options.compiled_argon2)
    results = [result for people in options.people for result in measure(job, people, options)]
    _write(job, results, options, publishes=publishes)


def measure(job: str, people: int, options: Options) -> list[Result]:
    """Start all cells with *people* each, and measure them in turns."""
    folder = Path(tempfile.mkdtemp(prefix="bench-", dir="/tmp"))
    try:
        with ExitStack() as stack:
            postgresql = stack.enter_context(BenchPostgreSQL())
            redis = stack.enter_context(BenchRedis())
            place = Place(postgresql, redis, folder, people, once=_one_time_values(options) if job == "oauth" else 0)
            cells = [stack.enter_context(cell) for cell in _cells(job, place, options)]
            postgresql.administer("CHECKPOINT")
            turns = Runner(place, cells, options).run(job)
            memory = {cell.name: processes.largest_worker(cell.process) for cell in cells}
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return results_of(people, turns, memory, options.allowed)


def _cells(job: str, place: Place, options: Options) -> list[Any]:
    """Return the cells, not yet started."""
    cells: list[Any] = [] if job == "limits" else [product(place, job, server=options.server)]
    if options.beside is not None and job != "limits":
        cells.append(product(place, job, root=options.beside, name="before", server=options.server))
    cells += [django_peer(place, job, peer) for peer in DJANGO_PEERS[job]]
    if "better_auth" in _NODE_PEERS.get(job, ()):
        cells.append(better_auth(place, job))
    if job == "oauth":
        cells.append(oidc_provider(place, job, PROXIED))
    return cells


def _one_time_values(options: Options) -> int:
    """Return how many one-time values of each kind are needed, also if every turn is repeated."""
    return int(_ONCE * options.seconds * options.rounds * (1 + options.repeats)) + 1_000


def _options(job: str, description: str | None) -> tuple[Options, bool]:
    parser = argparse.ArgumentParser(prog=f"./dev bench {job}", description=description)
    parser.add_argument("--people", default="100000", help="how many, or several sizes: 10000,100000,1000000")
    parser.add_argument("--seconds", type=float, default=10.0, help="of one turn")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--callers", type=int, default=32 if job == "mixed" else 16, help="of the closed loop")
    parser.add_argument("--allowed-foreign", type=float, default=ALLOWED_FOREIGN, help="share of the machine")
    parser.add_argument("--repeats", type=int, default=2, help="of a turn that other processes disturbed")
    parser.add_argument("--beside", type=Path, help="another checkout of this product, after ./dev install")
    parser.add_argument(
        "--server", choices=["own", "wsgi"], default="own", help="wsgi: plain granian, as the peers have"
    )
    parser.add_argument("--compiled-argon2", action="store_true", help="compile argon2 of the peers for this processor")
    parser.add_argument("--publish", action="store_true", help="write the result into docs/performance.md")
    arguments = parser.parse_args()
    options = Options(
        people=[int(each) for each in arguments.people.split(",")],
        seconds=arguments.seconds,
        rounds=arguments.rounds,
        callers=arguments.callers,
        allowed=arguments.allowed_foreign,
        repeats=arguments.repeats,
        beside=None if arguments.beside is None else arguments.beside.resolve(),
        server=arguments.server,
        compiled_argon2=arguments.compiled_argon2,
    )
    return options, arguments.publish


def _write(job: str, results: Sequence[Result], options: Options, *, publishes: bool) -> None:
    shown = {
        "seconds": options.seconds, "rounds": options.rounds, "callers": options.callers,
        "allowed_foreign": options.allowed, "server": options.server, "compiled_argon2": options.compiled_argon2,
    }  # fmt: skip
    section = markdown(job, results, shown)
    print(section)
    folder = PAGE.parent if publishes else ROOT / "var/bench"
    if publishes:
        PAGE.write_text(insert_section(PAGE.read_text(), job, section))
    (folder / f"performance-{job}.json").write_text(to_json(job, results, shown))
    if len(options.people) > 1:
        (folder / f"performance-{job}.svg").write_text(plot(results))
