"""Every block of the README of a package is run by a test of that package."""

import ast
import re
from pathlib import Path

import pytest

from auth_core.testing.readme import blocks

ROOT = Path(__file__).parents[2]
READMES = sorted(ROOT.glob("packages/*/README.md"))

#: What `FreshSite.follow` adds to a site.
FOLLOWED = {"python settings", "python urls"}


def kinds_of(readme: Path) -> set[str]:
    return set(re.findall(r"^```(.+)$", readme.read_text(), re.MULTILINE))


def kinds_run(package: Path) -> set[str]:
    """Return the kinds of blocks that the tests of a package name."""
    tests = "".join(path.read_text() for path in package.rglob("tests/test_readme.py"))
    followed = FOLLOWED if ".follow(README" in tests else set()
    return followed | set(re.findall(r'"((?:python|sh|html)[ a-z]*)"', tests))


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_every_block_is_run(readme: Path) -> None:
    assert kinds_of(readme) - kinds_run(readme.parent) == set()


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_every_block_of_python_can_be_pasted(readme: Path) -> None:
    for kind in kinds_of(readme):
        if kind.startswith("python"):
            for block in blocks(readme, kind):
                ast.parse(block)


def test_a_block_of_another_kind_and_one_with_an_omission_are_found(tmp_path: Path) -> None:
    readme = tmp_path / "README.md"
    readme.write_text("```python never\nAUTH_CORE = {'SIGNUP': 'closed', ...}\n```\n")

    with pytest.raises(AssertionError):
        test_every_block_is_run(readme)
    with pytest.raises(SyntaxError):
        test_every_block_of_python_can_be_pasted(readme)
