"""Figures of the layout, of the prose and of the types, to compare before and after a change."""

import ast
import subprocess
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from architecture.page import journeys
from house_lint.prose import Figures, figures_of


def table(root: Path) -> str:
    """Return the figures of the tree at *root* as lines of text."""
    sources = {path: (root / path).read_text(encoding="utf-8") for path in _files(root)}
    return "\n".join([*_modules(sources), *_journeys(root), *_prose(sources), *_types(sources)])


def _files(root: Path) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "*.py"], cwd=root, capture_output=True, text=True, check=True)
    return [Path(name) for name in listed.stdout.splitlines() if (root / name).exists()]


def _modules(sources: dict[Path, str]) -> Iterator[str]:
    roots = [path.parent.name for path in sources if path.match("packages/*/src/*/*.py") and path.stem != "__init__"]
    counted = Counter(name for name in roots if name.startswith("auth_"))
    for package, number in sorted(counted.items()):
        yield f"modules in the root of {package}: {number}"


def _journeys(root: Path) -> Iterator[str]:
    page = root / "docs/architecture.md"
    if page.exists():
        for title, paths in journeys(page.read_text(encoding="utf-8")).items():
            yield f"files to open for {title[0].lower()}{title[1:]}: {len(paths)}"


def _prose(sources: dict[Path, str]) -> Iterator[str]:
    total = sum((figures_of(text) for path, text in sources.items() if "migrations" not in path.parts), Figures())
    yield f"words in docstrings and comments: {total.words}"
    yield f"odd words in 10,000: {total.odd_words_in_10000:.1f}"
    yield f"semicolons in 1,000 words: {total.semicolons_in_1000:.1f}"


def _types(sources: dict[Path, str]) -> Iterator[str]:
    annotations = [
        argument.annotation
        for path, text in sources.items()
        if "src" in path.parts or path.parts[:2] == ("project", "enterprise_auth")
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        for argument in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if argument.arg not in ("self", "cls")
    ]
    untyped = sum(isinstance(annotation, ast.Name) and annotation.id == "Any" for annotation in annotations)
    yield f"parameters that are Any: {untyped} of {len(annotations)}"
