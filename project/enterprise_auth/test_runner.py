"""``manage.py test``: runs pytest, because that is what the tests are written for.

Django's own runner would find none of them, and succeed.
"""

import sys
from argparse import ArgumentParser
from typing import Any

import pytest

from enterprise_auth.env import ROOT


class PytestRunner:
    """What ``TEST_RUNNER`` asks for; a run that finds no test has failed.

    Args:
        verbosity: 0 to 3, as in Django.
        failfast: Whether to stop at the first failure.
        keepdb: Whether the database of the tests is kept.
    """

    def __init__(self, *, verbosity: int = 1, failfast: bool = False, keepdb: bool = False, **kwargs: Any) -> None:
        self.options = [*(["-x"] if failfast else []), *(["--reuse-db"] if keepdb else [])]
        self.options += ["-q"] if verbosity < 2 else ["-v"]  # noqa: PLR2004 - Django's own levels

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Declare what we understand besides Django's own options."""
        parser.add_argument("--keepdb", action="store_true", help="Keep the database of the tests.")

    def run_tests(self, test_labels: list[str], **kwargs: Any) -> int:
        """Run the tests in *test_labels*, or all of the project's; return how Django wants failures counted."""
        folder = ROOT / "project"
        labels = test_labels or [str(folder / "tests")]
        status = pytest.main(
            [*self.options, f"--rootdir={folder}", f"--config-file={folder / 'pyproject.toml'}", *labels]
        )
        if status == pytest.ExitCode.NO_TESTS_COLLECTED:
            sys.stderr.write("No test was found, which is a failure.\n")
        return int(status)
