"""Findings of a verification: which entries were tampered with, and how."""

from dataclasses import dataclass, field
from enum import StrEnum
from uuid import UUID


class Tampering(StrEnum):
    """The kind of tampering."""

    CHANGED = "changed"
    REMOVED = "removed"
    INSERTED = "inserted"
    REORDERED = "reordered"
    TRUNCATED = "truncated"
    WITHHELD = "withheld"


@dataclass(frozen=True, slots=True)
class Finding:
    """One difference from what was sealed.

    Args:
        what: The kind of tampering.
        why: How it was detected.
        entry: The entry, if the finding is about one.
        first: Number of the first entry of the range, if it has a number.
        last: Number of the last entry of the range.
    """

    what: Tampering
    why: str
    entry: UUID | None = None
    first: int | None = None
    last: int | None = None

    def __str__(self) -> str:
        target = f"entry {self.entry}" if self.entry else "the trail" if self.first is None else "entries"
        numbers = "" if self.first is None else f" number {self.first}"
        numbers += f" to {self.last}" if self.last is not None and self.last != self.first else ""
        return f"{self.what.value}: {target}{numbers}: {self.why}"


@dataclass(slots=True)
class Verification:
    """The result of a verification.

    Args:
        sealed: Number of entries compared with their seals.
        waiting: Number of genuine entries that are not sealed yet. A deleted one cannot be detected.
        erased: Number of these entries whose personal values were erased. Their keys are missing, which is no
            difference by itself.
        findings: The differences.
    """

    sealed: int = 0
    waiting: int = 0
    erased: int = 0
    findings: list[Finding] = field(default_factory=list)

    def add_finding(self, what: Tampering, why: str, **details: int | UUID | None) -> None:
        """Add a finding. *details* are fields of `Finding`."""
        self.findings.append(Finding(what, why, **details))  # type: ignore[arg-type]  # three fields of two types
