"""What a document says about its client.

Source: draft-ietf-oauth-client-id-metadata-document section 4, RFC 7591 section 2, RFC 9449 section 5.2.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from auth_core.oauth.clients.application_values import ApplicationSettings
from auth_core.oauth.clients.document_ids import host_of
from auth_core.oauth.clients.registry import AUTHORIZATION_CODE, REFRESH_TOKEN
from auth_core.oauth.documents.errors import DocumentRefused
from auth_core.oauth.models.application_policy import AuthMethod, SubjectType
from auth_core.request.json_objects import without_duplicates

#: How such a client may authenticate. No secret can be shared by a document that everyone reads.
_METHODS = frozenset({AuthMethod.NONE.value, AuthMethod.PRIVATE_KEY.value})
_SECRETS = frozenset({"client_secret", "client_secret_expires_at"})

#: How deep a document may be nested. A key set has four levels.
_DEEPEST = 16

_GRANTS = (AUTHORIZATION_CODE, REFRESH_TOKEN)

#: Addresses of pages. The logo is left out: anyone could show that of someone else beside their own name.
_PAGES = ("client_uri", "policy_uri", "tos_uri")

#: How what the client gets is signed, by the name of the setting.
_ALGORITHMS = {
    "id_token_algorithm": "id_token_signed_response_alg",
    "userinfo_signed_response_alg": "userinfo_signed_response_alg",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class DescribedClient:
    """A client as its document describes it.

    Args:
        name: What it calls itself.
        is_public: Whether it does not authenticate.
        settings: Everything else that is read, for each setting.
        digest: SHA-256 of all that the document says, in hex.
    """

    name: str
    is_public: bool
    settings: ApplicationSettings
    digest: str


def parse_document(body: bytes, *, client_id: str) -> DescribedClient:
    """Return what a document at the address *client_id* says. The rules of a registration are checked later.

    Raises:
        DocumentRefused: it is not JSON, is about another client, or has members that make no sense.
    """
    members = _members_in(body)
    if members.get("client_id") != client_id:
        raise DocumentRefused("It is about another client.")
    if _SECRETS & members.keys():
        raise DocumentRefused("It has a secret, which everyone can read there.")
    method = members.get("token_endpoint_auth_method", AuthMethod.NONE.value)
    if method not in _METHODS:
        raise DocumentRefused("A client with a document authenticates with private_key_jwt, or not at all.")
    if "code" not in _texts(members, "response_types", ["code"]):
        raise DocumentRefused("Its response types lack code.")
    grants = _texts(members, "grant_types", [AUTHORIZATION_CODE])
    if AUTHORIZATION_CODE not in grants:
        raise DocumentRefused("Its grant types lack authorization_code.")
    is_public = method == AuthMethod.NONE
    settings: ApplicationSettings = {
        "redirect_uris": _texts(members, "redirect_uris", []),
        "post_logout_redirect_uris": _texts(members, "post_logout_redirect_uris", []),
        "grants": [name for name in _GRANTS if name in grants],
        "auth_method": method,
        "jwks": "" if is_public else _keys(members),
        "jwks_uri": "" if is_public else _text(members, "jwks_uri"),
        "require_dpop": members.get("dpop_bound_access_tokens") is True,
        "subject_type": _text(members, "subject_type") or SubjectType.PUBLIC.value,
        "sector_identifier_uri": _text(members, "sector_identifier_uri"),
        **{name: _text(members, name) for name in _PAGES},  # type: ignore[typeddict-item]  # the names are keys
        **{name: _text(members, member) for name, member in _ALGORITHMS.items()},  # type: ignore[typeddict-item]  # as above
    }
    name = _text(members, "client_name") or host_of(client_id)
    return DescribedClient(name=name, is_public=is_public, settings=settings, digest=_digest(members))


def _members_in(body: bytes) -> Mapping[str, Any]:
    try:
        members = json.loads(body.decode(), object_pairs_hook=without_duplicates)
    except (ValueError, RecursionError) as problem:
        # A ValueError: no UTF-8, no JSON, a number that is too long, or a member that is repeated.
        raise DocumentRefused("It is not JSON.") from problem
    if not isinstance(members, dict):
        raise DocumentRefused("It is not a JSON object.")
    if _is_deep(members):
        raise DocumentRefused("It is nested too deeply.")
    return members


def _is_deep(value: object) -> bool:
    """Return whether *value* is nested deeper than any description needs. What writes JSON would not come to an end."""
    level = [value]
    for _depth in range(_DEEPEST):
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer if isinstance(outer, list) else ())
        ]
        if not level:
            return False
    return True


def _text(members: Mapping[str, Any], name: str) -> str:
    value = members.get(name, "")
    if not isinstance(value, str):
        raise DocumentRefused(f"{name} is not text.")
    return value


def _texts(members: Mapping[str, Any], name: str, default: list[str]) -> list[str]:
    values = members.get(name, default)
    # A space would be two members in the column of django-oauth-toolkit.
    if not isinstance(values, list) or not all(isinstance(text, str) and text and " " not in text for text in values):
        raise DocumentRefused(f"{name} is not a list of texts.")
    return values


def _keys(members: Mapping[str, Any]) -> str:
    keys = members.get("jwks")
    if keys is None:
        return ""
    if not isinstance(keys, dict):
        raise DocumentRefused("jwks is not an object.")
    return json.dumps(keys, separators=(",", ":"))


def _digest(members: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(members, sort_keys=True, separators=(",", ":")).encode()).hexdigest()
