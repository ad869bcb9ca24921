"""Finds comments that switch off a rule of ruff or mypy without a reason."""

import io
import re
import tokenize
from collections.abc import Iterator

#: The directive with its codes, such as ``# noqa: E501``. The reason follows.
_DIRECTIVE = re.compile(r"#\s*(?:noqa|type:\s*ignore)\b(?::\s*[A-Z]+\d+(?:,\s*[A-Z]+\d+)*|\[[^\]]*\])?", re.IGNORECASE)

MESSAGE = "A rule is switched off without a reason: write it behind, as in “# noqa: E501 - a table”."


def unexplained(source: str) -> Iterator[int]:
    """Yield the number of each line that switches off a rule and gives no reason.

    One reason is enough for all directives of a comment.
    """
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT and _DIRECTIVE.search(token.string):
            reason = _DIRECTIVE.sub("", token.string)
            if not any(letter.isalpha() for letter in reason):
                yield token.start[0]
