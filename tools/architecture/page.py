"""The parts of ``docs/architecture.md`` that are checked: the picture, and the files of each journey."""

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

BEGIN, END = "<!-- picture: written by ./dev fix -->", "<!-- end of the picture -->"

_JOURNEY = re.compile(r"(?m)^### (?P<title>.+)$")
_FILE = re.compile(r"(?m)^\d+\. `(?P<path>[^`]+\.py)`")


def with_picture(page: str, picture: str) -> str:
    """Return *page* with *picture* between its two marks.

    Raises:
        ValueError: the page has not both marks.
    """
    head, _, rest = page.partition(BEGIN)
    _, mark, tail = rest.partition(END)
    if not mark:
        raise ValueError(f"The page needs the lines {BEGIN!r} and {END!r}.")
    return f"{head}{BEGIN}\n\n```mermaid\n{picture}```\n\n{END}{tail}"


def journeys(page: str) -> Mapping[str, list[str]]:
    """Return the files that a reader opens for each journey, in order, under the journey's title."""
    _, *parts = _JOURNEY.split(page)
    files = {title: _FILE.findall(text) for title, text in zip(parts[::2], parts[1::2], strict=True)}
    return {title: paths for title, paths in files.items() if paths}


def missing_files(page: str, root: Path) -> Iterator[str]:
    """Yield each file that a journey names and that is not there."""
    for title, paths in journeys(page).items():
        yield from (f"{title}: {path} is not there." for path in paths if not _find(root, path))


def _find(root: Path, path: str) -> bool:
    return any((folder / path).is_file() for folder in (root, root / "project", *root.glob("packages/*/src")))
