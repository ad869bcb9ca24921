"""What the parent asks of a process that runs tests, and what it answers."""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from pathlib import Path
from typing import Self


class Verdict(StrEnum):
    """What the tests make of one mutation."""

    KILLED = "killed"
    SURVIVED = "survived"
    TIMED_OUT = "timed out"
    #: This process cannot tell. A process that imports the mutated module again decides.
    UNDECIDED = "undecided"


@dataclass(frozen=True)
class Job:
    """The mutations of one module, for one process.

    Args:
        path: The source of the module.
        import_name: The name under which it is imported.
        tests: Paths for pytest, from the folder of the package.
        mutated: The source of each mutation.
        folder: Where the verdicts and the copy of the database are kept.
    """

    path: str
    import_name: str
    tests: list[str]
    mutated: list[str]
    folder: str

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the job in the file *path*."""
        return cls(**json.loads(path.read_text(encoding="utf-8")))

    def save(self, path: Path) -> None:
        """Write the job to the file *path*."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")

    @property
    def database_copy(self) -> Path:
        """Return the file of the migrated SQLite database. It is missing on PostgreSQL."""
        return Path(self.folder, "migrated.sqlite3")

    @property
    def answer_path(self) -> Path:
        """Return the file of the `Answer`."""
        return Path(self.folder, "answer.json")


@dataclass(frozen=True)
class Answer:
    """The verdicts of one job.

    Args:
        verdicts: In the order of the mutations.
        seconds: Of each test by its pytest node id: the processor time without a mutation.
        callers: The tests that call a function of the module.
    """

    verdicts: list[Verdict]
    seconds: dict[str, float]
    callers: list[str]

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the answer in the file *path*."""
        values = json.loads(path.read_text(encoding="utf-8"))
        return cls(**{**values, "verdicts": [Verdict(text) for text in values["verdicts"]]})

    def save(self, path: Path) -> None:
        """Write the answer to the file *path*."""
        path.write_text(json.dumps(asdict(self)), encoding="utf-8")
