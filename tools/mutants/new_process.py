"""A pytest plugin of a process that imports a mutated module: run the tests that call it first."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from mutants import database
from mutants.job import Answer, Job


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--first``: how many tests run. A short run shows that a new process works without a mutation."""
    parser.addoption("--first", type=int, default=None)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Run the tests first that call the module, the fastest first."""
    answer = Answer.load(_job().answer_path)
    callers = set(answer.callers)
    items.sort(key=lambda item: (item.nodeid not in callers, answer.seconds.get(item.nodeid, 0)))
    items[:] = items[: config.getoption("first")]


@pytest.hookimpl(wrapper=True)
def pytest_runtestloop() -> Iterator[None]:
    """Begin with the copy of the migrated database."""
    with database.migrated_once(_job().database_copy):
        return (yield)


def _job() -> Job:
    return Job.load(Path(os.environ["MUTANTS_JOB"]))
