"""``manage.py test``: runs pytest, for which the tests are written.

Django's own runner would find no test and succeed.
"""

import sys
from argparse import ArgumentParser
from typing import Any

import pytest

from enterprise_auth.env import ROOT


class PytestRunner:
    """The class for ``TEST_RUNNER``. A run without tests fails.

    Args:
        verbosity: 0 to 3, as in Django.
        failfast: Whether to stop at the first failure.
        keepdb: Whether to keep the test database.
    """

    def __init__(self, *, verbosity: int = 1, failfast: bool = False, keepdb: bool = False, **kwargs: Any) -> None:
        self.options = [*(["-x"] if failfast else []), *(["--reuse-db"] if keepdb else [])]
        self.options += ["-q"] if verbosity < 2 else ["-v"]  # noqa: PLR2004 - Django's own levels

    @classmethod
    def add_arguments(cls, parser: ArgumentParser) -> None:
        """Add the options that Django does not add itself."""
        parser.add_argument("--keepdb", action="store_true", help="Keep the test database.")

    def run_tests(self, test_labels: list[str], **kwargs: Any) -> int:
        """Run the tests in *test_labels*, or all tests of the project. Return the exit status."""
        folder = ROOT / "project"
        labels = test_labels or [str(folder / "tests")]
        status = pytest.main(
            [*self.options, f"--rootdir={folder}", f"--config-file={folder / 'pyproject.toml'}", *labels]
        )
        if status == pytest.ExitCode.NO_TESTS_COLLECTED:
            sys.stderr.write("No tests were found.\n")
        return int(status)
