"""Regular expressions with a bound on the text they read. Does not depend on Django.

Python's regular expressions backtrack. An expression that is fast on a line can take
seconds on 100,000 characters. It holds the interpreter lock, so one request then stops the
whole process (ASVS 1.3.12). The house lint rule therefore forbids `re` elsewhere in the
packages.
"""

import re
from collections.abc import Callable

#: For annotations of the replacement functions of `Pattern.sub`.
Match = re.Match[str]


class Pattern:
    """A regular expression with the maximum length of its text.

    Args:
        regex: The expression, in the syntax of `re`.
        at_most: The maximum length, in characters.
    """

    def __init__(self, regex: str, *, at_most: int) -> None:
        self.at_most = at_most
        self._compiled = re.compile(regex)

    @property
    def regex(self) -> re.Pattern[str]:
        """Return the expression without its bound, for the test of its growth."""
        return self._compiled

    def fullmatch(self, text: str) -> re.Match[str] | None:
        """Return the match of the whole *text*. A text that is too long does not match."""
        return self._compiled.fullmatch(text) if len(text) <= self.at_most else None

    def findall(self, text: str) -> list[str]:
        """Return the matches in the first `at_most` characters of *text*."""
        return [match[0] for match in self._compiled.finditer(text[: self.at_most])]

    def sub(self, by: str | Callable[[re.Match[str]], str], text: str) -> str:
        """Return the first `at_most` characters of *text*, with each match replaced by *by*."""
        return self._compiled.sub(by, text[: self.at_most])
