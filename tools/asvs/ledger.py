"""A plugin for pytest: write down which rows of ASVS were proved by tests that ran and passed.

``-p asvs.ledger`` with ``ASVS_LEDGER`` naming a folder; each run adds a file of its own.
"""

import json
import os
from collections import defaultdict
from pathlib import Path
from uuid import uuid4

import pytest

_PHASES = {"setup", "call", "teardown"}


class Ledger:
    """Collects the outcome of every phase of each marked test."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._rows: dict[str, list[str]] = {}
        self._passed: defaultdict[str, set[str]] = defaultdict(set)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Remember which rows each selected test is marked with."""
        for item in session.items:
            rows = [mark.args[0] for mark in item.iter_markers("asvs")]
            if rows:
                self._rows[item.nodeid] = rows

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Remember a phase that passed."""
        if report.passed and report.nodeid in self._rows:
            self._passed[report.nodeid].add(report.when or "")

    def proved(self, folder: Path) -> dict[str, list[str]]:
        """Return the rows, each with the tests that passed as ``path::function``, from the root."""
        found: defaultdict[str, set[str]] = defaultdict(set)
        for nodeid, rows in self._rows.items():
            if self._passed[nodeid] >= _PHASES:
                path, _separator, name = nodeid.partition("::")
                place = os.path.relpath(folder / path, self._root)
                for row in rows:
                    found[row].add(f"{place}::{name.partition('[')[0]}")
        return {row: sorted(tests) for row, tests in sorted(found.items())}


def pytest_configure(config: pytest.Config) -> None:
    """Begin a ledger where one is asked for."""
    if os.environ.get("ASVS_LEDGER"):
        config.pluginmanager.register(Ledger(Path(__file__).resolve().parents[2]), "asvs-ledger")


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Write the ledger of this run."""
    ledger = session.config.pluginmanager.get_plugin("asvs-ledger")
    if ledger is not None:
        path = Path(os.environ["ASVS_LEDGER"]) / f"{uuid4()}.json"
        path.write_text(json.dumps(ledger.proved(session.config.rootpath)), encoding="utf-8")
