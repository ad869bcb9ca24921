"""The modules of the conformance plans, and those that are expected to fail."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Plan:
    """One plan of the OpenID Foundation's suite.

    Args:
        name: The profile that it certifies.
        plan: The name of the plan in the suite.
        file: The file with the tests of its modules.
        modules: The names of its modules in the suite.
        modes: The response modes with which each module runs. Those of the plan Form-post are the modules of Basic OP.
    """

    name: str
    plan: str
    file: str
    modules: tuple[str, ...]
    modes: tuple[str, ...] = ()


def test_of(module: str) -> str:
    """Return the name of the test of *module*."""
    return f"test_{module.replace('-', '_')}"


test_of.__test__ = False  # type: ignore[attr-defined]  # pytest takes it for a test where it is imported


def _plan(row: dict[str, object]) -> Plan:
    lists = {name: tuple(value) for name, value in row.items() if isinstance(value, list)}
    return Plan(**{**row, **lists})  # type: ignore[arg-type]  # the file has the fields of the class


PLANS = [_plan(row) for row in tomllib.loads((FOLDER / "plans.toml").read_text(encoding="utf-8")).values()]

#: The reason of each module that is expected to fail.
EXPECTED_FAILURES: dict[str, str] = tomllib.loads((FOLDER / "expected_failures.toml").read_text(encoding="utf-8"))

#: The module of each test.
MODULES = {test_of(module): module for plan in PLANS for module in plan.modules}
