"""``python -m guests [--all] [--packages …] [--sites …] [--django …] [--probe …]``: print the table, and what is red.

Without ``--all`` it visits a diagonal of the matrix, on which every set of packages, every site and every line of Django
occurs. The status is 1 if a probe is red.
"""

import argparse
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from guests.environments import PYTHONS, python_of
from guests.packages import ADDITIONS, build_wheels
from guests.probes import Result, run_probes
from guests.sites import KINDS, write_site

#: What CI visits: package, site, line of Django.
DIAGONAL = (
    ("core", "phone", "6.1"),
    ("mfa", "allauth", "5.2"),
    ("rbac", "email", "6.1"),
    ("sessions", "jwt", "5.2"),
    ("audit", "stock", "6.1"),
    ("all", "wagtail", "5.2"),
)


@dataclass(frozen=True)
class Visit:
    """One cell of the table, and what its probes found."""

    package: str
    site: str
    line: str
    results: tuple[Result, ...]
    seconds: float

    @property
    def red(self) -> list[Result]:
        """The failed probes."""
        return [one for one in self.results if one.problem]


def visit(wheels: Path, only: str, cell: tuple[str, str, str]) -> Visit:
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
    print(
        f"--- {' x '.join(cell)}: {len(results) - len(done.red)} green, {len(done.red)} red, {done.seconds:.0f} s",
        flush=True,
    )
    for result in done.red:
        print(f"\nRED {' x '.join(cell)}: {result.name}\n{_indented(result.problem)}\n", flush=True)
    return done


def main(arguments: list[str]) -> int:
    """Visit the chosen cells, print the table and the problems."""
    options = _options(arguments)
    wheels = build_wheels()
    with ThreadPoolExecutor(options.jobs) as pool:
        visits = list(pool.map(partial(visit, wheels, options.probe), _cells(options)))
    print(f"\n{_table(visits)}")
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
    parser.add_argument("--jobs", type=int, default=2, help="cells at the same time")
    return parser.parse_args(arguments)


def _cells(options: argparse.Namespace) -> list[tuple[str, str, str]]:
    if not (options.all or options.packages or options.sites or options.django):
        return list(DIAGONAL)
    return [
        (package, site, line)
        for site in options.sites or KINDS
        for package in options.packages or ADDITIONS
        for line in options.django or PYTHONS
    ]


def _table(visits: list[Visit]) -> str:
    """Return a table of the cells: green probes of all probes."""
    columns = sorted({(one.site, one.line) for one in visits})
    head = ["| package |", *(f" {site} {line} |" for site, line in columns)]
    rows = ["".join(head), "| --- |" + " --- |" * len(columns)]
    by_cell = {(one.package, one.site, one.line): one for one in visits}
    for package in ADDITIONS:
        cells = [by_cell.get((package, *column)) for column in columns]
        if any(cells):
            rows.append(f"| {package} |" + "".join(f" {_summary(one)} |" for one in cells))
    return "\n".join(rows)


def _summary(one: Visit | None) -> str:
    if one is None:
        return ""
    green = len(one.results) - len(one.red)
    return f"{green} green" if not one.red else f"{green} green, {len(one.red)} RED"


def _indented(text: str) -> str:
    return "\n".join(f"    {line}" for line in text.splitlines()[-12:])


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
