"""Reading a body: JSON objects of a bounded size, and nothing else."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, NoReturn

from django.utils.translation import gettext as _
from rest_framework.parsers import BaseParser

from auth_core.conf import core
from auth_core.errors import FieldError, InvalidRequest, MalformedBody, PayloadTooLarge

#: Most levels of nesting. Python's own limit is in the hundreds, and other code recurses through what was parsed.
MAX_DEPTH = 32


class JsonBodyParser(BaseParser):
    """Parses ``application/json``, strictly."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """Return the object that *stream* holds.

        DRF's own parser reads whatever comes (CVE-2026-73228): here nothing beyond
        the limit is ever in memory.

        Raises:
            PayloadTooLarge: the body is longer than ``MAX_BODY_BYTES``.
            InvalidRequest: a text in it has half a surrogate pair (RFC 8259 section 8.2).
            MalformedBody: it is not one JSON object in UTF-8, is nested too deep, or names a key twice.
        """
        limit = core.MAX_BODY_BYTES
        body = stream.read(limit + 1)
        if len(body) > limit:
            raise PayloadTooLarge
        try:
            parsed = json.loads(
                body.decode("utf-8"), object_pairs_hook=_without_duplicates, parse_constant=_refuse_constant
            )
        except (ValueError, RecursionError) as error:
            raise MalformedBody from error
        if not isinstance(parsed, dict) or _is_deeper_than(MAX_DEPTH, parsed):
            raise MalformedBody
        if not _is_text(parsed):
            raise InvalidRequest(FieldError("", "invalid", _("This is not text.")))
        return parsed


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    """Refuse a key that comes twice: two readers could each believe another one (ASVS 15.3.7)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A key comes twice.")
    return found


def _is_deeper_than(depth: int, parsed: object) -> bool:
    """Say whether *parsed* is nested deeper, level by level: recursion is what deep nesting breaks."""
    level = [parsed]
    for _level in range(depth):
        level = [nested for value in level for nested in _members(value) if isinstance(nested, dict | list)]
        if not level:
            return False
    return True


def _is_text(parsed: object) -> bool:
    """Say whether every text in *parsed* can be written: half a surrogate pair cannot, in an answer or a database."""
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
    raise ValueError(f"{name} is not JSON.")
