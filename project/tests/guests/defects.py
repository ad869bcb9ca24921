"""The defect for which each probe was seen red: planted in an installed package, its probes must fail.

A probe is seen red if it passes without the defect and fails with it. A test that was not run does not count.
"""

import time
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from guests.environments import python_of
from guests.packages import ADDITIONS, ROOT
from guests.probes import Result, chosen_results
from guests.sites import KINDS, Site, write_site

LIST = Path(__file__).with_name("planted.toml")

#: The line of Django of the sites in which defects are planted.
LINE = "5.2"


@dataclass(frozen=True)
class Defect:
    """One change to an installed package.

    Args:
        what: The defect in one sentence.
        cell: The package and the kind of site.
        file: The changed file, relative to the folder of installed packages.
        before: Text that occurs exactly once in the file. Empty: the file is new.
        after: Its replacement.
        probes: The names of the probes that must fail.
    """

    what: str
    cell: tuple[str, str]
    file: str
    before: str
    after: str
    probes: tuple[str, ...]

    def planted_in(self, text: str) -> str:
        """Return *text* with the defect.

        Raises:
            ValueError: *text* does not contain the text to replace exactly once.
        """
        if self.before and text.count(self.before) != 1:
            raise ValueError(f"{self.file} does not contain exactly once: {self.before}")
        return text.replace(self.before, self.after) if self.before else self.after

    @property
    def source(self) -> Path:
        """The file in this repository."""
        app = self.file.partition("/")[0]
        return next(ROOT.glob(f"packages/*/src/{app}")).parent / self.file


def defects() -> list[Defect]:
    """Return all defects. Those of one site follow each other."""
    rows = tomllib.loads(LIST.read_text(encoding="utf-8"))["defect"]
    return [Defect(**{**row, "cell": tuple(row["cell"]), "probes": tuple(row["probes"])}) for row in rows]


def plant(wheels: Path, only: str = "") -> int:
    """Plant every defect, or those with a probe whose name contains *only*. Return the number of missed probes."""
    chosen = [one for one in defects() if any(only in name for name in one.probes)]
    missed = 0
    for (package, kind), planted in groupby(chosen, key=lambda one: one.cell):
        addition = ADDITIONS[package]
        python = python_of(addition, f"{kind}-planted", KINDS[kind].requirements, LINE, wheels)
        with write_site(KINDS[kind], addition, f"{LINE}-planted", python) as site:
            missed += sum(_missed(one, site) for one in _grouped(list(planted)))
    print(f"{sum(len(one.probes) for one in chosen)} probes, {missed} not seen red")
    return missed


def _grouped(planted: Sequence[Defect]) -> Iterator[Defect]:
    """Yield the defects, and run their probes without a defect before the first."""
    yield Defect("none", planted[0].cell, "", "", "", tuple(name for one in planted for name in one.probes))
    yield from planted


def _missed(defect: Defect, site: Site) -> int:
    """Run the probes of *defect*. Return how many have another result than they must have."""
    began = time.monotonic()
    with _planted(defect, site):
        results = {one.name: one for one in chosen_results(site, defect.probes)}
    wrong = [name for name in defect.probes if not _is_as_expected(defect, results.get(name))]
    verdict = "as expected" if not wrong else f"NOT {'red' if defect.file else 'green'}: {', '.join(wrong)}"
    print(
        f"{'MISS' if wrong else 'ok  '} {' x '.join(defect.cell)}: {defect.what} {len(defect.probes)} probes {verdict}"
        f" ({time.monotonic() - began:.0f} s)",
        flush=True,
    )
    for name in wrong:
        print(f"     {name}: {results[name].problem if name in results else 'not run'}", flush=True)
    return len(wrong)


def _is_as_expected(defect: Defect, result: Result | None) -> bool:
    return result is not None and bool(result.problem) == bool(defect.file)


@contextmanager
def _planted(defect: Defect, site: Site) -> Iterator[None]:
    """Change the installed file. uv links it to its cache, so the changed text is a new file."""
    if not defect.file:
        yield
        return
    path = next(site.python.parent.parent.glob("lib/python*/site-packages")) / defect.file
    original = path.with_suffix(".original")
    text = path.read_text(encoding="utf-8") if defect.before else ""
    planted = defect.planted_in(text)
    if defect.before:
        path.rename(original)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(planted, encoding="utf-8")
    site.stop_servers()
    try:
        yield
    finally:
        site.stop_servers()
        path.unlink()
        if defect.before:
            original.rename(path)
