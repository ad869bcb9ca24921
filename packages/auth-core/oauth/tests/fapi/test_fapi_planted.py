"""Every module is red under a defect. The test of each is called as pytest does, in a process with the defect."""

import inspect
from collections.abc import Callable
from typing import Any

import pytest
import test_fapi_flows
import test_fapi_proofs
import test_fapi_refusals
from defects import DEFECTS
from fapi_plan import MODULES, name_of_test

pytestmark = pytest.mark.django_db

_FILES = (test_fapi_flows, test_fapi_proofs, test_fapi_refusals)


def test_every_module_has_a_defect() -> None:
    assert set(DEFECTS) == set(MODULES)


@pytest.mark.parametrize("module", MODULES)
def test_a_module_is_red_under_its_defect(
    module: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    (act,) = [getattr(file, name_of_test(module)) for file in _FILES if hasattr(file, name_of_test(module))]
    arguments = _arguments_of(act, request)

    DEFECTS[module](monkeypatch)

    with pytest.raises((AssertionError, LookupError, ValueError)):
        act(**arguments)


def _arguments_of(act: Callable[..., Any], request: pytest.FixtureRequest) -> dict[str, Any]:
    """Return the fixtures of a test, and the last value of each parameter."""
    chosen = {mark.args[0]: mark.args[1][-1] for mark in getattr(act, "pytestmark", ()) if mark.name == "parametrize"}
    fixtures = [name for name in inspect.signature(act).parameters if name not in chosen]
    return {**chosen, **{name: request.getfixturevalue(name) for name in fixtures}}
