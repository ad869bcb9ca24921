"""``python -m guests [--all] [--packages …] [--sites …] [--django …] [--probe …]``: print the table, and what is red.

Without ``--all`` it visits a diagonal of the matrix, on which every set of packages, every site and every line of Django
occurs. The status is 1 if a probe is red.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

from guests.defects import plant
from guests.environments import PYTHONS, python_of
from guests.packages import ADDITIONS, build_wheels
from guests.probes import Result, run_probes
from guests.results import Cell, Visit, every_cell, store, stored, table, write_page
from guests.sites import KINDS, write_site

#: What CI visits: package, site, line of Django. The longest comes first.
DIAGONAL: tuple[Cell, ...] = (
    ("all", "wagtail", "5.2"),
    ("audit", "postgresql", "5.2"),
    ("audit", "stock", "6.1"),
    ("rbac", "email", "6.1"),
    ("mfa", "allauth", "5.2"),
    ("sessions", "jwt", "5.2"),
    ("core", "phone", "6.1"),
)


def visit(wheels: Path, only: str, cell: Cell) -> Visit:
    """Make the environment and the site of one cell, and probe it."""
    package, name, line = cell
    began = time.monotonic()
    kind, addition = KINDS[name], ADDITIONS[package]
    try:
        python = python_of(addition, name, kind.requirements, line, wheels)
        with write_site(kind, addition, line, python) as site:
            results = tuple(run_probes(site, only))
    except Exception as problem:  # noqa: BLE001 - the cell is red, and the others are visited all the same
        results = (Result("site", str(problem)),)
    done = Visit(*cell, results, time.monotonic() - began)
    if not only:
        store(done)
    print(f"--- {' x '.join(cell)}: {done.summary}, {done.seconds:.0f} s", flush=True)
    for result in done.red:
        print(f"\nRED {' x '.join(cell)}: {result.name}\n{_indented(result.problem)}\n", flush=True)
    return done


def main(arguments: list[str]) -> int:
    """Visit the chosen cells, print the table and the problems."""
    options = _options(arguments)
    if options.planted:
        return 1 if plant(build_wheels(), options.probe) else 0
    cells = _cells(options)
    if options.resume:
        green = {cell for cell, one in stored(cells).items() if not one.red}
        cells = [cell for cell in cells if cell not in green]
    wheels = build_wheels()
    with ThreadPoolExecutor(options.jobs) as pool:
        visits = list(pool.map(partial(visit, wheels, options.probe), cells))
    print(f"\n{table({one.cell: one for one in visits})}")
    if options.write:
        write_page(stored(every_cell()))
    return 1 if any(one.red for one in visits) else 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev guests", description="Visit other sites with the packages.")
    parser.add_argument(
        "--all", action="store_true", help="every set of packages in every site, on both lines of Django"
    )
    parser.add_argument("--packages", nargs="+", choices=ADDITIONS, default=[])
    parser.add_argument("--sites", nargs="+", choices=KINDS, default=[])
    parser.add_argument("--django", nargs="+", choices=PYTHONS, default=[])
    parser.add_argument("--probe", default="", help="only probes whose names contain this")
    parser.add_argument("--planted", action="store_true", help="plant a defect for each probe, which must fail")
    parser.add_argument("--jobs", type=int, default=2, help="cells at the same time")
    parser.add_argument("--resume", action="store_true", help="leave out cells that were green before")
    parser.add_argument(
        "--write", action="store_true", help="write the table of all stored results into docs/guests.md"
    )
    return parser.parse_args(arguments)


def _cells(options: argparse.Namespace) -> list[Cell]:
    if not (options.all or options.packages or options.sites or options.django):
        return list(DIAGONAL)
    return [
        (package, site, line)
        for package, site, line in every_cell()
        if package in (options.packages or ADDITIONS)
        and site in (options.sites or KINDS)
        and line in (options.django or PYTHONS)
    ]


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-12:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
