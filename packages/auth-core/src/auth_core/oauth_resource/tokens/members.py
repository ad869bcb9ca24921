"""Members of JSON objects that others wrote: read as one type and within bounds. Does not use Django."""

from collections.abc import Mapping
from typing import Any

#: The longest text that is read, in characters.
LONGEST_VALUE = 256


def text_in(values: Mapping[str, Any], name: str) -> str:
    """Return a text of bounded length, or an empty one."""
    value = values.get(name)
    return value if isinstance(value, str) and len(value) <= LONGEST_VALUE and is_encodable(value) else ""


def is_encodable(text: str) -> bool:
    """Return whether *text* can be sent and hashed. JSON may have half of a surrogate pair, which is no character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def moment_in(claims: Mapping[str, Any], name: str) -> float | None:
    """Return a time, in Unix seconds. ``None`` if the claim is missing or is no number of a usual size."""
    value = claims.get(name)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value is not None and 0 <= value < 1 << 40 else None
