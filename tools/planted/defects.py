"""The planted defects: the change of each, and the test that must fail."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

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
        test: ``folder::file::test`` of pytest; the folder is a member of the workspace.
        database: ``sqlite`` or ``postgresql``.
        options: Further options for pytest, such as ``-m races``.
    """

    name: str
    what: str
    file: str
    before: str
    after: str
    test: str
    database: str = "sqlite"
    options: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """Return the member of the workspace whose test must fail."""
        return self.test.partition("::")[0]

    @property
    def node(self) -> str:
        """Return the pytest node id of the test, relative to `folder`."""
        return self.test.partition("::")[2]

    def planted_in(self, text: str) -> str:
        """Return *text* with the defect.

        Raises:
            ValueError: *text* does not contain the text to replace exactly once.
        """
        count = text.count(self.before)
        if count != 1:
            raise ValueError(f"{self.name}: the text to replace occurs {count} times in {self.file}.")
        return text.replace(self.before, self.after)


def load(folder: Path = FOLDER) -> list[Defect]:
    """Return all defects, by file and in order.

    Raises:
        ValueError: two defects have the same name.
    """
    defects = [
        Defect(**{**row, "options": tuple(row.get("options", ()))})
        for path in sorted(folder.glob("*.toml"))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["defect"]
    ]
    names = [defect.name for defect in defects]
    if duplicates := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Two planted defects have the same name: {', '.join(duplicates)}.")
    return defects
