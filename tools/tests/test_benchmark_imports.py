"""Benchmarks import inside functions, because settings exist only then. No other test would notice a module that has moved."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [*(ROOT / "packages").glob("*/src"), ROOT / "project"]
BENCHMARKS = sorted((ROOT / "project/benchmarks").rglob("*.py"))


def missing(text: str) -> Iterator[str]:
    """Yield each name of ours that *text* imports, and that no module has."""
    for node in ast.walk(ast.parse(text)):
        module = node.module if isinstance(node, ast.ImportFrom) else None
        if module is None or not any((source / module.partition(".")[0]).is_dir() for source in SOURCES):
            continue
        places = [source / module.replace(".", "/") for source in SOURCES]
        files = [
            path for place in places for path in (place.with_suffix(".py"), place / "__init__.py") if path.exists()
        ]
        for name in (alias.name for alias in node.names if alias.name != "*"):
            is_module = any((place / f"{name}.py").exists() or (place / name).is_dir() for place in places)
            if not is_module and not any(re.search(rf"\b{name}\b", path.read_text()) for path in files):
                yield f"{module}.{name}"


@pytest.mark.parametrize("path", BENCHMARKS, ids=lambda path: str(path.relative_to(ROOT)))
def test_what_a_benchmark_imports_is_there(path: Path) -> None:
    assert list(missing(path.read_text())) == []


def test_a_module_that_has_moved_is_found() -> None:
    assert list(missing("def f():\n    from auth_core.oauth_resource.issuers import documents")) == [
        "auth_core.oauth_resource.issuers.documents"
    ]
