"""The list of planted defects: what each one changes, and which test must fail for it."""

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
        before: Text that stands exactly once in the file.
        after: Text that takes its place.
        test: ``folder::file::test`` of pytest; the folder is a member of the workspace.
        database: ``sqlite`` or ``postgresql``.
        options: More options for pytest, such as ``-m races``.
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
        """Return the test as pytest in `folder` names it."""
        return self.test.partition("::")[2]

    def planted_in(self, text: str) -> str:
        """Return *text* with the defect.

        Raises:
            ValueError: the text to replace does not stand exactly once in *text*.
        """
        count = text.count(self.before)
        if count != 1:
            raise ValueError(f"{self.name}: the text to replace stands {count} times in {self.file}.")
        return text.replace(self.before, self.after)


def load(folder: Path = FOLDER) -> list[Defect]:
    """Return every defect, by file and in order.

    Raises:
        ValueError: two defects have the same name.
    """
    defects = [
        Defect(**{**row, "options": tuple(row.get("options", ()))})
        for path in sorted(folder.glob("*.toml"))
        for row in tomllib.loads(path.read_text(encoding="utf-8"))["defect"]
    ]
    names = [defect.name for defect in defects]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise ValueError(f"Two planted defects have one name: {', '.join(twice)}.")
    return defects
