"""Reading a body: JSON objects of a bounded size, and nothing else."""

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from rest_framework.parsers import BaseParser

from auth_core.conf import core
from auth_core.errors import MalformedBody, PayloadTooLarge


class JsonBodyParser(BaseParser):
    """Parses ``application/json``, strictly."""

    media_type = "application/json"

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> dict[str, Any]:
        """Return the object that *stream* holds.

        DRF's own parser reads whatever comes (CVE-2026-73228): here nothing beyond
        the limit is ever in memory.

        Raises:
            PayloadTooLarge: the body is longer than ``MAX_BODY_BYTES``.
            MalformedBody: it is not one JSON object in UTF-8, or names a key twice.
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
        if not isinstance(parsed, dict):
            raise MalformedBody
        return parsed


def _without_duplicates(pairs: list[tuple[str, Any]]) -> Mapping[str, Any]:
    """Refuse a key that comes twice: two readers could each believe another one (ASVS 15.3.7)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A key comes twice.")
    return found


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON.")
