"""The lines of our formatter are those of the library's formatter."""

import logging
import sys
from typing import Any
from uuid import UUID

import pytest
from pythonjsonlogger.orjson import OrjsonFormatter

from enterprise_auth.core.log_lines import JsonFormatter
from enterprise_auth.core.logging import logging_config

_LINE = logging_config(level="INFO", style="json")["formatters"]["line"]
_OPTIONS = {"fmt": _LINE["format"], "rename_fields": _LINE["rename_fields"]}


def error() -> Any:
    try:
        raise ValueError("broken")
    except ValueError:
        return sys.exc_info()


@pytest.mark.parametrize(
    "fields",
    [
        {"msg": "GET %s %s", "args": ("api/v1/me/", 200), "route": "api/v1/me/", "status": 200, "duration_ms": 1.25},
        {"msg": "é\u2028", "session": UUID(int=7), "nothing": None, "nested": {"a": [1, "b"]}, "_private": 1},
        {"msg": "failed", "exc_info": error()},
        {"msg": "failed", "exc_text": "Traceback of a redacted error"},
        {"msg": "stack", "stack_info": "Stack"},
        {"msg": {"a": 1}},
        {"msg": "late", "created": 1_700_000_000.9996, "msecs": 999.6},
    ],
)
def test_a_line_is_that_of_the_library(fields: dict[str, Any]) -> None:
    record = {"name": "auth_core.request", "levelname": "INFO", "created": 1_700_000_000.25, "msecs": 250.0, **fields}
    ours, theirs = JsonFormatter(**_OPTIONS), OrjsonFormatter(**_OPTIONS)

    for _time in range(2):
        assert ours.format(logging.makeLogRecord(record)) == theirs.format(logging.makeLogRecord(record))
