"""Counts the words of docstrings and comments that make prose hard to read.

The limits are those of ``docs/architecture.md``: write as the documentation of Django does.
"""

import ast
import io
import re
import tokenize
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

#: Words that stand for a noun which should be named.
ODD_WORDS = re.compile(r"\b(?:whoever|nobody|somebody|whatever|anew|told|whom|lately)\b", re.IGNORECASE)

#: Most odd words in 10,000 words, and most semicolons in 1,000 words.
MOST_ODD_WORDS = 10
MOST_SEMICOLONS = 3

#: Comments for tools.
_DIRECTIVES = ("# noqa", "# type:", "# fmt:", "# pragma:", "# shellcheck")


@dataclass(frozen=True)
class Figures:
    """What was counted in some texts."""

    words: int = 0
    odd_words: int = 0
    semicolons: int = 0

    def __add__(self, other: "Figures") -> "Figures":
        return Figures(
            self.words + other.words, self.odd_words + other.odd_words, self.semicolons + other.semicolons
        )  # fmt: skip

    @property
    def odd_words_in_10000(self) -> float:
        """Odd words in 10,000 words."""
        return 10_000 * self.odd_words / max(1, self.words)

    @property
    def semicolons_in_1000(self) -> float:
        """Semicolons in 1,000 words."""
        return 1_000 * self.semicolons / max(1, self.words)

    @property
    def is_plain(self) -> bool:
        """Whether both figures are within their limits."""
        return self.odd_words_in_10000 <= MOST_ODD_WORDS and self.semicolons_in_1000 <= MOST_SEMICOLONS


def figures_of(source: str) -> Figures:
    """Count the words, odd words and semicolons in the docstrings and comments of one Python file."""
    counted: Counter[str] = Counter()
    for text in prose_of(source):
        counted["words"] += len(text.split())
        counted["odd_words"] += len(ODD_WORDS.findall(text))
        counted["semicolons"] += text.count(";")
    return Figures(**counted)


def prose_of(source: str) -> Iterator[str]:
    """Yield each docstring and each comment of a Python file, without comments for tools."""
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, documented) and (docstring := ast.get_docstring(node)):
            yield docstring
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and not token.string.startswith(_DIRECTIVES):
            yield token.string.lstrip("#: ")
