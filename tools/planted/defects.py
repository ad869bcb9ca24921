"""The planted defects: the change of each, and the test that must fail."""

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

#: One file per area; see CONTRIBUTING.md.
FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Defect:
    """One change to the source that a test must catch.

    Args:
        name: Unique, in lower case with hyphens.
        what: The defect in one sentence.
        file: Path of the changed file from the root of the repository.
        before: Text that occurs exactly once in the file.
        after: Its replacement.
        tests: Tests as ``folder::file::test`` of pytest; the folder is a member of the workspace, and the same for all. In the
            file ``test`` is one, some of whose variants must fail, or a list, whose tests must fail with all of their variants.
        database: ``sqlite`` or ``postgresql``.
        options: Further options for pytest, such as ``-m races``.
        is_listed: Whether ``test`` is a list.
    """

    name: str
    what: str
    file: str
    before: str
    after: str
    tests: tuple[str, ...]
    database: str = "sqlite"
    options: tuple[str, ...] = ()
    is_listed: bool = False

    @property
    def folder(self) -> str:
        """Return the member of the workspace whose tests must fail."""
        return self.tests[0].partition("::")[0]

    @property
    def nodes(self) -> list[str]:
        """Return the pytest node ids of the tests, relative to `folder`."""
        return [test.partition("::")[2] for test in self.tests]

    def planted_in(self, text: str) -> str:
        """Return *text* with the defect.

        Raises:
            ValueError: *text* does not contain the text to replace exactly once.
        """
        count = text.count(self.before)
        if count != 1:
            raise ValueError(f"{self.name}: the text to replace occurs {count} times in {self.file}.")
        return text.replace(self.before, self.after)


def _defect(row: dict[str, Any]) -> Defect:
    test = row.pop("test")
    is_listed = isinstance(test, list)
    tests = tuple(test) if is_listed else (test,)
    return Defect(**{**row, "tests": tests, "is_listed": is_listed, "options": tuple(row.get("options", ()))})


def load(folder: Path = FOLDER) -> list[Defect]:
    """Return all defects, by file and in order.

    Raises:
        ValueError: two defects have the same name.
    """
    defects = [
        _defect(row)
        for path in sorted(folder.glob("*.toml"))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["defect"]
    ]
    names = [defect.name for defect in defects]
    if duplicates := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Two planted defects have the same name: {', '.join(duplicates)}.")
    return defects
