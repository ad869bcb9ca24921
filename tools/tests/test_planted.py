"""Planted defects still apply: the replaced text occurs once, and the test exists."""

from pathlib import Path

import pytest

from planted.defects import Defect, load

ROOT = Path(__file__).resolve().parents[2]
DEFECTS = load()


@pytest.mark.parametrize("defect", DEFECTS, ids=lambda defect: defect.name)
def test_a_planted_defect_applies(defect: Defect) -> None:
    text = (ROOT / defect.file).read_text(encoding="utf-8")

    assert defect.planted_in(text) != text

    path, _colons, name = defect.node.partition("::")
    tests = (ROOT / defect.folder / path).read_text(encoding="utf-8")
    # The name of the test, and the word that selects it, are in its file.
    assert name.partition("[")[0].rpartition("::")[2] in tests
    assert all(word in tests for word in defect.options if not word.startswith("-"))


def test_a_text_that_occurs_twice_is_refused() -> None:
    defect = Defect(name="x", what="x", file="x", before="a", after="b", test="x::y")

    with pytest.raises(ValueError, match="occurs 2 times"):
        defect.planted_in("a a")


def test_two_defects_with_the_same_name_are_refused(tmp_path: Path) -> None:
    row = '[[defect]]\nname = "x"\nwhat = "x"\nfile = "x"\nbefore = "a"\nafter = "b"\ntest = "x::y"\n'
    (tmp_path / "a.toml").write_text(row + row)

    with pytest.raises(ValueError, match="same name: x"):
        load(tmp_path)
