"""Planted defects still apply: the replaced text occurs once, and the test exists."""

import tomllib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from planted import __main__ as planting
from planted.defects import Defect, load

ROOT = Path(__file__).resolve().parents[2]
DEFECTS = load()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_applies(defect: Defect) -> None:
    text = (ROOT / defect.file).read_text(encoding="utf-8")

    assert defect.planted_in(text) != text

    for node in defect.nodes:
        path, _colons, name = node.partition("::")
        tests = (ROOT / defect.folder / path).read_text(encoding="utf-8")
        # The name of the test, and the word that selects it, are in its file.
        assert name.partition("[")[0].rpartition("::")[2] in tests
        assert all(word in tests for word in defect.options if not word.startswith("-"))
    assert {test.partition("::")[0] for test in defect.tests} == {defect.folder}


def test_a_text_that_occurs_twice_is_refused() -> None:
    defect = Defect(name="x", what="x", file="x", before="a", after="b", tests=("x::y",))

    with pytest.raises(ValueError, match="occurs 2 times"):
        defect.planted_in("a a")


def test_two_defects_with_the_same_name_are_refused(tmp_path: Path) -> None:
    row = '[[defect]]\nname = "x"\nwhat = "x"\nfile = "x"\nbefore = "a"\nafter = "b"\ntest = "x::y"\n'
    (tmp_path / "a.toml").write_text(row + row)

    with pytest.raises(ValueError, match="same name: x"):
        load(tmp_path)


PLANS = tomllib.loads((ROOT / "packages/auth-core/oauth/tests/conformance/plans.toml").read_text(encoding="utf-8"))


def nodes_of(plan: dict[str, Any]) -> Iterator[set[str]]:
    """Yield the ways to name the test of each module of *plan*, with each response mode."""
    for module in plan["modules"]:
        test = f"packages/auth-core/oauth::tests/conformance/{plan['file']}::test_{module.replace('-', '_')}"
        yield from ({test, f"{test}[{mode}]"} for mode in plan.get("modes", [""]))


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
def test_each_module_of_a_conformance_plan_is_red_under_a_defect(plan: dict[str, Any]) -> None:
    caught = {test for defect in DEFECTS if defect.is_listed for test in defect.tests}

    assert [names for names in nodes_of(plan) if not names & caught] == []


def verdict_of(monkeypatch: pytest.MonkeyPatch, folder: Path, defect: Defect, printed: str) -> str:
    """Return what the runner says about *defect* if pytest fails and prints this."""
    (folder / defect.file).write_text("a")
    monkeypatch.setattr(planting, "_run", lambda *arguments: (1, printed))
    return planting._caught_by(defect, folder, None)


def test_a_list_is_caught_only_if_no_variant_of_its_tests_passes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    single = Defect(name="x", what="x", file="x", before="a", after="b", tests=("f::t.py::test_a",))
    listed = replace(single, tests=("f::t.py::test_a", "f::t.py::test_b"), is_listed=True)
    both, one = "FAILED t.py::test_a\nFAILED t.py::test_b\n", "FAILED t.py::test_a\nPASSED t.py::test_b\n"

    assert verdict_of(monkeypatch, tmp_path, listed, both) == "caught by f::t.py::test_a and 1 more"
    assert verdict_of(monkeypatch, tmp_path, listed, one) == "NOT caught by t.py::test_b"
    assert verdict_of(monkeypatch, tmp_path, single, one) == "caught by f::t.py::test_a"
    assert (tmp_path / "x").read_text() == "a", "the defect stayed in the copy"


def test_a_list_of_tests_is_read_as_one() -> None:
    (defect,) = [defect for defect in DEFECTS if defect.name == "conformance-no-issuer-in-answers"]
    (single,) = [defect for defect in DEFECTS if defect.name == "oauth-no-nonce"]

    assert defect.is_listed
    assert len(defect.nodes) == len(defect.tests) == 3
    assert defect.folder == "packages/auth-core/oauth"
    assert not single.is_listed
    assert single.nodes == ["tests/test_code.py::test_a_code_becomes_tokens"]
