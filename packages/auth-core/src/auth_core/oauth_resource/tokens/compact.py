"""Signed tokens in the compact form: how they are read within bounds, and verified with one key. Does not use Django.

Source: RFC 7515, RFC 7519, RFC 8725.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from joserfc.errors import JoseError
from joserfc.jwk import Key
from joserfc.jws import CompactSignature, extract_compact, validate_compact

from auth_core.crypto.signature_algorithms import ALGORITHMS
from auth_core.oauth_resource.tokens.algorithms import Registry

#: The longest token that is read, in characters. Servers accept headers of about this length.
LONGEST = 8192

#: Members of a header that change what is signed or how it is read. Nothing here needs them.
_REFUSED = frozenset({"crit", "b64"})

_READER = Registry(strict_check_header=False)
_VERIFIERS = {name: Registry(algorithms=[name], strict_check_header=False) for name in ALGORITHMS}


@dataclass(frozen=True, slots=True)
class CompactToken:
    """A token as it was sent. Nothing in it is verified.

    Args:
        header: Its protected header.
        claims: Its claims.
        content: What joserfc needs to verify it.
    """

    header: Mapping[str, Any]
    claims: dict[str, Any]
    content: CompactSignature

    @property
    def algorithm(self) -> Any:
        """The algorithm that it names."""
        return self.header.get("alg")

    @property
    def type(self) -> str:
        """Its media type, in lower case and without ``application/`` (RFC 7515 section 4.1.9)."""
        return str(self.header.get("typ", "")).lower().removeprefix("application/")

    def is_signed(self, key: Key, algorithm: str) -> bool:
        """Return whether *key* signed it with *algorithm*, which the caller knows to belong to the key."""
        try:
            return validate_compact(self.content, key, registry=_VERIFIERS[algorithm])
        except (JoseError, ValueError, TypeError):
            return False


def read_compact(text: str) -> CompactToken | None:
    """Return the token *text*, unverified. ``None`` if it is no compact token of a reasonable length."""
    if len(text) > LONGEST or not text.isascii() or text.count(".") != 2:  # noqa: PLR2004 - header, payload, signature
        return None
    try:
        content = extract_compact(text.encode(), registry=_READER)
        claims = json.loads(content.payload)
    # Nested brackets in a few kilobytes are deeper than the interpreter recurses.
    except (JoseError, ValueError, TypeError, RecursionError):
        return None
    header = content.protected
    if not isinstance(header, dict) or not isinstance(claims, dict) or header.keys() & _REFUSED:
        return None
    return CompactToken(header, claims, content)
