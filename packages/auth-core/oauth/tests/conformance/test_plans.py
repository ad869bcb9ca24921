"""No module of a plan is without its test, and every expected failure is a module."""

import ast

import pytest
from plans import EXPECTED_FAILURES, FOLDER, MODULES, PLANS, Plan, test_of


def functions_of(plan: Plan) -> dict[str, ast.FunctionDef]:
    """Return the tests in the file of *plan*, by name."""
    tree = ast.parse((FOLDER / plan.file).read_text(encoding="utf-8"))
    nodes = [node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")]
    return {node.name: node for node in nodes}


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_each_module_has_its_test(plan: Plan) -> None:
    functions = functions_of(plan)

    assert set(functions) == {test_of(module) for module in plan.modules}
    assert len(plan.modules) == len(set(plan.modules))
    assert [name for name, node in functions.items() if not ast.get_docstring(node)] == []


def test_the_plans_have_as_many_modules_as_those_of_the_suite() -> None:
    counts = {plan.name: len(plan.modules) * max(1, len(plan.modes)) for plan in PLANS}

    assert counts == {
        "Basic OP": 2 * 38,
        "Config OP": 1,
        "RP-initiated logout OP": 11,
        "Back-channel logout OP": 2,
        "Front-channel logout OP": 2,
        "Dynamic OP": 18,
    }


def test_each_module_of_basic_runs_in_both_response_modes() -> None:
    (plan,) = [plan for plan in PLANS if plan.modes]

    for name, node in functions_of(plan).items():
        assert {argument.arg for argument in node.args.args} & {"rp", "stranger"}, f"{name} depends on no response mode"


def test_every_expected_failure_is_a_module_and_has_a_reason() -> None:
    assert set(EXPECTED_FAILURES) <= set(MODULES.values())
    assert all(EXPECTED_FAILURES.values())
