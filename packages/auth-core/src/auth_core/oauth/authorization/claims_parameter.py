"""The parameter ``claims`` (OpenID Connect Core section 5.5).

A client writes it, and it is stored and read at every token. What is kept is rebuilt from what is understood.
"""

import json
from collections.abc import Mapping
from typing import Any

from auth_core.oauth.errors import InvalidRequest
from auth_core.text import Pattern

_MEMBERS = ("userinfo", "id_token")
_NAME = Pattern(r"[A-Za-z0-9_.:/#-]+", at_most=128)

#: Most claims in one member, and most values of one claim.
_MOST = 64


def parse_claims(text: str) -> dict[str, Any]:
    """Return the parameter with the claims and members that are understood.

    Raises:
        InvalidRequest: it is no JSON object of this shape.
    """
    if not text:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise InvalidRequest("The parameter claims is not JSON.") from problem
    if not isinstance(value, dict):
        raise InvalidRequest("The parameter claims is not an object.")
    return {member: _claims_of(value[member]) for member in _MEMBERS if value.get(member) is not None}


def essential_values(claims: Mapping[str, Any], name: str) -> tuple[str, ...] | None:
    """Return the values that an essential claim of the ID token must have. ``None`` if it is not essential."""
    wanted = claims.get("id_token", {}).get(name)
    if wanted is None or not wanted.get("essential"):
        return None
    return tuple(wanted.get("values", ()))


def _claims_of(member: object) -> dict[str, Any]:
    if not isinstance(member, dict) or len(member) > _MOST:
        raise InvalidRequest("A member of the parameter claims is not an object of a usual size.")
    return {name: _request_of(wanted) for name, wanted in member.items() if _NAME.fullmatch(name)}


def _request_of(wanted: object) -> dict[str, Any] | None:
    """Return what one claim is asked for with. ``None`` asks for it voluntarily."""
    if wanted is None:
        return None
    if not isinstance(wanted, dict):
        raise InvalidRequest("A claim in the parameter claims is neither null nor an object.")
    values = wanted.get("values", [])
    candidates = [wanted.get("value"), *(values if isinstance(values, list) else ())][:_MOST]
    texts = [text for text in candidates if isinstance(text, str) and _NAME.fullmatch(text)]
    return {"essential": wanted.get("essential") is True, **({"values": texts} if texts else {})}
