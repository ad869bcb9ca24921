"""What the last runs found, and the survivors that are explained.

``ledger.json`` is written by ``./dev mutants``. ``explained.toml`` is written by people: a mutation that changes nothing
a caller can observe, and why.
"""

import json
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

from mutants.modules import Module

LEDGER = Path(__file__).with_name("ledger.json")
EXPLAINED = Path(__file__).with_name("explained.toml")

#: At most this part of all mutations may be explained.
MOST_EXPLAINED = 0.05


class Change(NamedTuple):
    """One mutation within its module, as `mutants.mutation.Mutation.key`."""

    where: str
    before: str
    after: str


@dataclass(frozen=True)
class Entry:
    """What the last run of one module found.

    Args:
        digest: `Module.digest` at the time of the run.
        mutations: How many were made.
        killed: How many made a test fail.
        survived: Those that made no test fail.
        timed_out: Those whose tests did not end. They count as survivors.
    """

    digest: str
    mutations: int
    killed: int
    survived: tuple[Change, ...] = ()
    timed_out: tuple[Change, ...] = ()

    @property
    def not_killed(self) -> tuple[Change, ...]:
        """Return the mutations that need a test or an explanation."""
        return self.survived + self.timed_out


@dataclass(frozen=True)
class Explanation:
    """Why no test can kill one mutation, or none should."""

    module: str
    where: str
    before: str
    after: str
    reason: str

    @property
    def change(self) -> Change:
        """Return the explained mutation."""
        return Change(self.where, self.before, self.after)


def load_ledger(path: Path = LEDGER) -> dict[str, Entry]:
    """Return the entries by the names of their modules."""
    if not path.exists():
        return {}
    rows = json.loads(path.read_text(encoding="utf-8"))
    return {
        name: Entry(**{
            **row,
            "survived": tuple(Change(**change) for change in row["survived"]),
            "timed_out": tuple(Change(**change) for change in row["timed_out"]),
        })
        for name, row in rows.items()
    }  # fmt: skip


def save_ledger(entries: Mapping[str, Entry], path: Path = LEDGER) -> None:
    """Write *entries*, sorted, so that a diff shows what changed."""
    rows = {
        name: {
            **asdict(entry),
            "survived": [change._asdict() for change in entry.survived],
            "timed_out": [change._asdict() for change in entry.timed_out],
        }
        for name, entry in entries.items()
    }
    path.write_text(json.dumps(rows, indent=2, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def load_explanations(path: Path = EXPLAINED) -> list[Explanation]:
    """Return the explanations in the order of the file."""
    if not path.exists():
        return []
    rows = tomllib.loads(path.read_text(encoding="utf-8")).get("explained", [])
    return [Explanation(**row) for row in rows]


def open_changes(name: str, entry: Entry, explanations: Sequence[Explanation]) -> list[Change]:
    """Return the mutations of the module *name* that no test kills and no explanation covers."""
    explained = {explanation.change for explanation in explanations if explanation.module == name}
    return [change for change in entry.not_killed if change not in explained]


def problems(modules: Sequence[Module], entries: Mapping[str, Entry], explanations: Sequence[Explanation]) -> list[str]:
    """Return where the list, the ledger and the explanations contradict each other or the source."""
    by_name = {module.name: module for module in modules}
    found = [f"{name} is in the ledger and not in the list." for name in entries if name not in by_name]
    for name, entry in entries.items():
        if entry.killed + len(entry.not_killed) != entry.mutations:
            found.append(f"{name}: the numbers of the ledger do not add up.")
        found += [
            f"{name}, {change.where}: {change.before!r} -> {change.after!r} needs a test or an explanation."
            for change in open_changes(name, entry, explanations)
        ]
    for explanation in explanations:
        found += _problems_of(explanation, by_name.get(explanation.module), entries.get(explanation.module))
    counts = Counter((explanation.module, explanation.change) for explanation in explanations)
    found += [f"{name}: {change.before!r} is explained twice." for (name, change), count in counts.items() if count > 1]
    total = sum(entry.mutations for entry in entries.values())
    if len(explanations) > total * MOST_EXPLAINED:
        found.append(f"{len(explanations)} of {total} mutations are explained, more than {MOST_EXPLAINED:.0%}.")
    return found


def _problems_of(explanation: Explanation, module: Module | None, entry: Entry | None) -> list[str]:
    subject = f"The explanation of {explanation.before!r} in {explanation.module}"
    if module is None or entry is None:
        return [f"{subject} names a module that has not been run."]
    lines = {line.strip() for line in module.source().splitlines()}
    if missing := [line for line in explanation.before.splitlines() if line and line not in lines]:
        return [f"{subject} names a line that no longer exists: {missing[0]}"]
    if explanation.change not in entry.not_killed:
        return [f"{subject} names a mutation that the last run did not make, or that a test killed."]
    return [] if explanation.reason.strip() else [f"{subject} has no reason."]
