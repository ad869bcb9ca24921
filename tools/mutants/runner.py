"""Run the tests of one module for each of its mutations, in a process of their own."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from mutants.job import Answer, Job, Verdict
from mutants.ledger import Change, Entry
from mutants.modules import ROOT, Module
from mutants.mutation import Mutation

#: Compiled tests and packages, which each of many processes imports.
_BYTECODE = ROOT / "var/mutants/bytecode"


class NoVerdict(Exception):
    """The tests fail without any mutation, or their process did not end well."""


@dataclass(frozen=True)
class Outcome:
    """The verdicts about some mutations of one module.

    Args:
        verdicts: Each mutation with its verdict, by line.
        seconds: How long it took.
    """

    verdicts: tuple[tuple[Mutation, Verdict], ...]
    seconds: float

    @property
    def killed(self) -> int:
        """Return how many mutations made a test fail."""
        return sum(verdict is Verdict.KILLED for _mutation, verdict in self.verdicts)

    def of(self, *wanted: Verdict) -> list[Mutation]:
        """Return the mutations with one of these verdicts."""
        return [mutation for mutation, verdict in self.verdicts if verdict in wanted]

    def entry(self, digest: str) -> Entry:
        """Return the entry of the ledger for a run of all chosen mutations."""
        return Entry(
            digest=digest,
            mutations=len(self.verdicts),
            killed=self.killed,
            survived=tuple(Change(*mutation.key) for mutation in self.of(Verdict.SURVIVED, Verdict.UNDECIDED)),
            timed_out=tuple(Change(*mutation.key) for mutation in self.of(Verdict.TIMED_OUT)),
        )


def run_module(module: Module, mutations: Sequence[Mutation], servers: tuple[str, str] = ("", "")) -> Outcome:
    """Return the verdict about each of *mutations*.

    Args:
        module: Where they are, and which tests must kill them.
        mutations: What to run.
        servers: The URLs of PostgreSQL and Redis. Empty for SQLite and no Redis.

    Raises:
        NoVerdict: the tests fail without any mutation.
    """
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="mutants-") as folder:
        path = Path(folder, "job.json")
        sources = [mutation.source for mutation in mutations]
        job = Job(str(module.path), module.import_name, module.test_paths, sources, folder)
        job.save(path)
        done = subprocess.run(
            [sys.executable, "-m", "mutants.process", str(path)], cwd=module.folder, env=_environment(module, servers),
            check=False, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        if done.returncode != 0:
            raise NoVerdict(f"{module.name}: no verdict.\n{done.stdout[-4000:]}")
        verdicts = Answer.load(job.answer_path).verdicts
    return Outcome(tuple(zip(mutations, verdicts, strict=True)), time.monotonic() - began)


def _environment(module: Module, servers: tuple[str, str]) -> dict[str, str]:
    database, redis = servers
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    paths = [str(ROOT / "tools"), str(module.folder / "src"), environment.get("PYTHONPATH", "")]
    return {
        **environment, "PYTHONPATH": os.pathsep.join(filter(None, paths)), "PYTHONPYCACHEPREFIX": str(_BYTECODE),
        "TEST_DATABASE_URL": database, "TEST_REDIS_URL": redis,
    }  # fmt: skip
