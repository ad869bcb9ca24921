"""What a verification finds: which entries, and what was done to them."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Tampering(StrEnum):
    """What was done."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it was sealed.

    Args:
        what: What was done.
        why: How it shows.
        entry: Which entry, where it is one.
        first: Number of the first entry of the range that it is about, where it has a number.
        last: Number of the last.
    """

    what: Tampering
    why: str
    entry: UUID | None = None
    first: int | None = None
    last: int | None = None

    def __str__(self) -> str:
        named = f"entry {self.entry}" if self.entry else "the trail" if self.first is None else "entries"
        numbers = "" if self.first is None else f" number {self.first}"
        numbers += f" to {self.last}" if self.last is not None and self.last != self.first else ""
        return f"{self.what.value}: {named}{numbers}: {self.why}"


@dataclass(slots=True)
class Verification:
    """What a verification looked at, and what it found.

    Args:
        sealed: Entries that were compared with what was sealed.
        waiting: Entries that are genuine and wait for the sealer; that one of them is missing, nothing shows.
        findings: What is not as it was.
    """

    sealed: int = 0
    waiting: int = 0
    findings: list[Finding] = field(default_factory=list)

    def found(self, what: Tampering, why: str, **details: int | UUID | None) -> None:
        """Note a finding; *details* as `Finding` has them."""
        self.findings.append(Finding(what, why, **details))  # type: ignore[arg-type]  # three names of two types
