"""The parser of request bodies. It accepts only JSON objects of a bounded size."""

import json
from collections.abc import Iterable, Mapping
from typing import IO, Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from auth_core.conf import core
from auth_core.errors import FieldError, InvalidRequest, MalformedBody, PayloadTooLarge
from auth_core.request.json_objects import without_duplicates

#: The greatest depth of nesting. Python's own limit is in the hundreds, and other code recurses through the result.
MAX_DEPTH = 32


class JsonBodyParser(BaseParser):
    """A strict parser for ``application/json``."""

    media_type = "application/json"

    def parse(
        self, stream: IO[bytes], media_type: str | None = None, parser_context: Mapping[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return the JSON object in *stream*.

        DRF's own parser reads a body of any size (CVE-2026-73228). This one never
        reads more than one byte beyond the limit.

        Raises:
            PayloadTooLarge: the body is longer than ``MAX_BODY_BYTES``.
            InvalidRequest: a text contains an unpaired surrogate (RFC 8259 section 8.2).
            MalformedBody: the body is not one JSON object in UTF-8, is nested too deeply, or repeats a key.
        """
        limit = core.MAX_BODY_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise PayloadTooLarge
        try:
            parsed = json.loads(
                body.decode("utf-8"), object_pairs_hook=without_duplicates, parse_constant=_refuse_constant
            )
        except (ValueError, RecursionError) as error:
            raise MalformedBody from error
        if not isinstance(parsed, dict) or _is_deeper_than(MAX_DEPTH, parsed):
            raise MalformedBody
        if not _is_text(parsed):
            raise InvalidRequest(FieldError("", "invalid", _("This text has invalid characters.")))
        return parsed


def _is_deeper_than(depth: int, parsed: object) -> bool:
    """Return whether *parsed* is nested deeper than *depth*. It goes level by level, because recursion would overflow."""
    level = [parsed]
    for _level in range(depth):
        level = [nested for value in level for nested in _members(value) if isinstance(nested, dict | list)]
        if not level:
            return False
    return True


def _is_text(parsed: object) -> bool:
    """Return whether every text in *parsed* can be encoded. An unpaired surrogate fails in a response and in a database."""
    try:
        json.dumps(parsed, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _members(value: object) -> Iterable[object]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not valid JSON.")
