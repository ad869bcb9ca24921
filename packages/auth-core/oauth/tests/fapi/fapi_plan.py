"""The modules of the plan, and those that are expected to fail."""

import tomllib
from collections.abc import Mapping
from pathlib import Path

FOLDER = Path(__file__).parent

MODULES: tuple[str, ...] = tuple(tomllib.loads((FOLDER / "modules.toml").read_text(encoding="utf-8"))["modules"])

#: The reason of each module that is expected to fail.
EXPECTED_FAILURES: dict[str, str] = tomllib.loads((FOLDER / "expected_failures.toml").read_text(encoding="utf-8"))


def name_of_test(module: str) -> str:
    """Return the name of the test of *module*."""
    return f"test_{module.replace('-', '_').lower()}"


BY_TEST = {name_of_test(module): module for module in MODULES}


def module_of(test: str) -> str:
    """Return the module that a test is for, or an empty text. Parameters of the test do not count."""
    return BY_TEST.get(test.partition("[")[0], "")


def is_red(module: str, *, has_failed: bool, expected: Mapping[str, str] = EXPECTED_FAILURES) -> bool:
    """Return whether the result of the test of *module* fails the run: a failure, or the success of an expected one."""
    return has_failed != (module in expected)
