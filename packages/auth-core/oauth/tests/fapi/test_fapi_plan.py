"""The list of modules and the tests agree, and an expected failure that passes is one."""

import ast
from pathlib import Path

from fapi_plan import BY_TEST, EXPECTED_FAILURES, FOLDER, MODULES, is_red


def functions() -> dict[str, str]:
    """Return the tests of modules, each with its docstring."""
    found: dict[str, str] = {}
    for path in sorted(FOLDER.glob("test_fapi_*.py")):
        for node in ast.walk(ast.parse(Path(path).read_text(encoding="utf-8"))):
            if isinstance(node, ast.FunctionDef) and node.name in BY_TEST:
                found[node.name] = ast.get_docstring(node) or ""
    return found


def test_every_module_has_a_test_that_names_it() -> None:
    found = functions()

    assert len(MODULES) == len(BY_TEST) == 57
    assert set(found) == set(BY_TEST)
    for name, text in found.items():
        assert text.startswith(f"{BY_TEST[name]}: "), name


def test_the_expected_failures_are_modules_with_a_reason() -> None:
    assert set(EXPECTED_FAILURES) <= set(MODULES)
    assert all(EXPECTED_FAILURES.values())


def test_an_expected_failure_that_passes_fails_the_run() -> None:
    expected = {"happy-flow": "a reason"}

    assert is_red("happy-flow", has_failed=False, expected=expected)
    assert not is_red("happy-flow", has_failed=True, expected=expected)
    assert is_red("refresh-token", has_failed=True, expected=expected)
    assert not is_red("refresh-token", has_failed=False, expected=expected)
