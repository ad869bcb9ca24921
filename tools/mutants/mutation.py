"""One mutation of a module: what it changes, and how it is named in the ledger."""

import difflib
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mutation:
    """One small change to the source of a module.

    Args:
        where: The function or class that contains it, such as ``Charge.refund``. ``<module>`` if there is none.
        before: The changed lines without indentation, joined by line breaks.
        after: The lines that replace them.
        source: The source of the whole module with the change.
        line: The number of the first changed line.
        is_blunt: Whether ``None`` stands in the place of a value, which most tests notice.
    """

    where: str
    before: str
    after: str
    source: str = field(repr=False, compare=False)
    line: int = field(default=0, compare=False)
    is_blunt: bool = field(default=False, compare=False)

    @property
    def key(self) -> tuple[str, str, str]:
        """Return what names this mutation within its module."""
        return self.where, self.before, self.after

    def text(self) -> str:
        """Return the change as a diff, for people."""
        lines = [f"line {self.line}, {self.where}"]
        lines += [f"- {line}" for line in self.before.splitlines()]
        lines += [f"+ {line}" for line in self.after.splitlines()]
        return "\n".join(f"      {line}" for line in lines)


def mutation_between(
    original: str, changed: str, *, where: str, first_line: int, source: str, is_blunt: bool = False
) -> Mutation:
    """Return the mutation that replaces *original*, a part of a module, by *changed*.

    Args:
        original: Lines of the module.
        changed: The same lines with the change.
        where: The function or class that contains the change.
        first_line: The number of the first line of *original*.
        source: The source of the whole module with the change.
        is_blunt: As in `Mutation`.
    """
    old, new = original.splitlines(), changed.splitlines()
    blocks = [
        block for block in difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes() if block[0] != "equal"
    ]
    old_from, old_to = blocks[0][1], blocks[-1][2]
    new_from, new_to = blocks[0][3], blocks[-1][4]
    return Mutation(
        where=where,
        before=_stripped(old[old_from:old_to]),
        after=_stripped(new[new_from:new_to]),
        source=source,
        line=first_line + old_from,
        is_blunt=is_blunt,
    )


def _stripped(lines: list[str]) -> str:
    return "\n".join(line.strip() for line in lines)
