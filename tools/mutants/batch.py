"""A pytest plugin: run the tests once, then once for each mutation inside a function, each time in a child.

The first run records which tests call which functions of the module. A mutation runs only the tests that call its
function, the fastest first, until one fails.
"""

import os
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from types import FrameType
from typing import Any

import pytest

from mutants import database
from mutants.children import KILLED, SURVIVED, UNDECIDED, verdict_of
from mutants.code_swap import CannotSwap, Compiled, changed_functions, compiled, swap
from mutants.job import Answer, Job, Verdict

#: Processor seconds of a child beyond three times those of its tests.
_MARGIN = 10


class TestsFailed(Exception):
    """A test fails without any mutation, so it proves nothing."""


class _Recorder:
    """Notes which functions of a file are called, in all threads."""

    def __init__(self) -> None:
        self._names: set[str] = set()

    def start(self, path: str) -> None:
        """Note the calls of functions of the file *path* from now on."""
        names = self._names = set()

        def note(frame: FrameType, kind: str, _argument: Any) -> None:
            if kind == "call" and frame.f_code.co_filename == path:
                names.add(_outermost(frame.f_code.co_qualname))

        threading.setprofile(note)
        sys.setprofile(note)

    def stop(self) -> set[str]:
        """Return the names of the called functions."""
        sys.setprofile(None)
        threading.setprofile(None)
        return self._names


class Batch:
    """The tests of one module, and what they call."""

    def __init__(self, job: Job, session: pytest.Session) -> None:
        self._job = job
        self._session = session
        self._failed: list[str] = []
        self._seconds: dict[str, float] = {}
        self._callers: dict[str, set[str]] = defaultdict(set)
        self._called_at_import = _recorder.stop()
        #: A child that was ended may have left rows. New processes then decide about the other mutations.
        self._is_spoilt = False
        self._original: Compiled = compiled(Path(job.path).read_text(encoding="utf-8"), job.path)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a failure."""
        if report.failed:
            self._failed.append(report.nodeid)

    def run(self) -> Answer:
        """Return the verdict of each mutation, and what the tests need.

        Raises:
            TestsFailed: a test fails without any mutation, in its first or in its second run.
        """
        for item in self._session.items:
            began = time.process_time()
            _recorder.start(self._job.path)
            self._run_items([item])
            for name in _recorder.stop():
                self._callers[name].add(item.nodeid)
            self._seconds[item.nodeid] = time.process_time() - began
        if self._failed:
            raise TestsFailed(f"Fails without a mutation: {', '.join(self._failed)}")
        if self._in_child(lambda: self._status_of(self._session.items), self._session.items) is not Verdict.SURVIVED:
            raise TestsFailed("The tests fail when they run for the second time in one process.")
        verdicts = [self._verdict_of(source) for source in self._job.mutated]
        return Answer(verdicts, self._seconds, sorted(set().union(*self._callers.values())))

    def _verdict_of(self, source: str) -> Verdict:
        if self._is_spoilt:
            return Verdict.UNDECIDED
        try:
            changed = changed_functions(self._original, compiled(source, self._job.path))
        except CannotSwap:
            return Verdict.UNDECIDED
        callers = set().union(*(self._callers[_outermost(name)] for name, _index in changed))
        items = [item for item in self._session.items if item.nodeid in callers]
        items.sort(key=lambda item: self._seconds[item.nodeid])

        def run() -> int:
            try:
                swap(self._original, changed, self._job.path)
            except CannotSwap:
                return UNDECIDED
            return self._status_of(items)

        verdict = self._in_child(run, items)
        is_conclusive = self._called_at_import.isdisjoint(_outermost(name) for name, _index in changed)
        return verdict if is_conclusive or verdict is not Verdict.SURVIVED else Verdict.UNDECIDED

    def _in_child(self, run: Callable[[], int], items: Sequence[pytest.Item]) -> Verdict:
        database.close()
        seconds = _MARGIN + 3 * sum(self._seconds[item.nodeid] for item in items)
        verdict = verdict_of(run, processor_seconds=seconds)
        self._is_spoilt = self._is_spoilt or (verdict is Verdict.TIMED_OUT and database.is_on_a_server())
        return verdict

    def _status_of(self, items: Sequence[pytest.Item]) -> int:
        self._run_items(items)
        return KILLED if self._failed else SURVIVED

    def _run_items(self, items: Sequence[pytest.Item]) -> None:
        """Run *items* until one fails. What the whole session has set up stays."""
        for item in items:
            # The next item decides what is torn down: with the session, all but the fixtures of the session.
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=self._session)
            if self._failed:
                return


def _outermost(name: str) -> str:
    """Return the name of the function or method that contains the function *name*."""
    return name.partition(".<locals>")[0]


#: It begins before Django is set up, because a change of what ran at import needs a new import.
_recorder = _Recorder()
_recorder.start(Job.load(Path(os.environ["MUTANTS_JOB"])).path)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool:
    """Run the tests and the mutations instead of the tests alone."""
    job = Job.load(Path(os.environ["MUTANTS_JOB"]))
    batch = Batch(job, session)
    session.config.pluginmanager.register(batch)
    try:
        with database.migrated_once(job.database_copy):
            batch.run().save(job.answer_path)
    except TestsFailed as problem:
        raise pytest.UsageError(str(problem)) from problem
    return True
