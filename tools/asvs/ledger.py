"""A pytest plugin that records the ASVS rows proved by tests that ran and passed.

Use ``-p asvs.ledger`` and set ``ASVS_LEDGER`` to a folder. Each run adds a file.
"""

import json
import os
from collections import defaultdict
from pathlib import Path
from uuid import uuid4

import pytest

_PHASES = {"setup", "call", "teardown"}


class Ledger:
    """The outcome of every phase of each marked test."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rows: dict[str, list[str]] = {}
        self._passed: defaultdict[str, set[str]] = defaultdict(set)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Store the rows of each selected test."""
        for item in session.items:
            rows = [mark.args[0] for mark in item.iter_markers("asvs")]
            if rows:
                self._rows[item.nodeid] = rows

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Store a passed phase."""
        if report.passed and report.nodeid in self._rows:
            self._passed[report.nodeid].add(report.when or "")

    def proved(self, folder: Path) -> dict[str, list[str]]:
        """Return the rows, each with its passed tests as ``path::function`` from the root."""
        tests_by_row: defaultdict[str, set[str]] = defaultdict(set)
        for nodeid, rows in self._rows.items():
            if self._passed[nodeid] >= _PHASES:
                path, _separator, name = nodeid.partition("::")
                relative_path = os.path.relpath(folder / path, self._root)
                for row in rows:
                    tests_by_row[row].add(f"{relative_path}::{name.partition('[')[0]}")
        return {row: sorted(tests) for row, tests in sorted(tests_by_row.items())}


def pytest_configure(config: pytest.Config) -> None:
    """Start a ledger if ``ASVS_LEDGER`` is set."""
    if os.environ.get("ASVS_LEDGER"):
        config.pluginmanager.register(Ledger(Path(__file__).resolve().parents[2]), "asvs-ledger")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the ledger of this run."""
    ledger = session.config.pluginmanager.get_plugin("asvs-ledger")
    if ledger is not None:
        path = Path(os.environ["ASVS_LEDGER"]) / f"{uuid4()}.json"
        path.write_text(json.dumps(ledger.proved(session.config.rootpath)), encoding="utf-8")
