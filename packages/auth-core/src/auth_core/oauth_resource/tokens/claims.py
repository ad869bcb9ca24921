"""The checks of claims, after the signature or the introspection.

Source: RFC 9068 section 4, RFC 8707, RFC 7519 section 4.1, RFC 7800.
"""

import logging
import math
from collections.abc import Collection, Mapping
from typing import Any, TypeGuard

from django.utils import timezone

from auth_core.crypto.secrets import same
from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.errors import BEARER, DPOP, InvalidToken
from auth_core.oauth_resource.tokens.members import text_in

logger = logging.getLogger("auth_core.oauth_resource")


def refused(reason: str, *, scheme: str = BEARER) -> InvalidToken:
    """Return the refusal of a token. The caller is not given the reason: it is a line of the log at the level DEBUG.

    Args:
        reason: A clause of ours, without any text of the token.
        scheme: The scheme under which the token was sent.
    """
    logger.debug("An access token is refused: %s.", reason)
    return InvalidToken(scheme=scheme)


def canonical_resource(uri: str) -> str:
    """Return the URI of a resource as it is compared: ``https://h`` and ``https://h/`` are one."""
    return uri.rstrip("/")


def check_audience(claims: Mapping[str, Any], accepted: Collection[str]) -> None:
    """Check that a token is for one of the resources *accepted*.

    Raises:
        InvalidToken: it is for others.
    """
    aud = claims.get("aud")
    values = [aud] if isinstance(aud, str) else aud
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise refused("it has no audience")
    if not {canonical_resource(value) for value in values} & {canonical_resource(uri) for uri in accepted if uri}:
        raise refused("it is for another resource")


def check_times(claims: Mapping[str, Any], *, is_expiry_required: bool = True) -> None:
    """Check that a token is valid now, give or take `LEEWAY`.

    Raises:
        InvalidToken: it is not.
    """
    now, leeway = timezone.now().timestamp(), resource.LEEWAY.total_seconds()
    exp = claims.get("exp")
    if (exp is not None or is_expiry_required) and not (_is_time(exp) and exp + leeway > now):
        raise refused("it has expired")
    for name in ("nbf", "iat"):
        moment = claims.get(name)
        if moment is not None and not (_is_time(moment) and moment - leeway <= now):
            raise refused(f"{name} is in the future")


def check_subject(claims: Mapping[str, Any]) -> None:
    """Check that a token says whom it is about.

    Raises:
        InvalidToken: it does not.
    """
    if not isinstance(claims.get("sub"), str) or not claims["sub"]:
        raise refused("it has no subject")


def check_binding(thumbprint: str, *sources: Mapping[str, Any]) -> None:
    """Check that a token may be used by its sender. One that is bound to a key needs a proof of that key, and no other has one.

    Args:
        thumbprint: Of the key of the proof. Empty: the token was sent as Bearer, without a proof.
        sources: What says how the token is bound: its claims, and what introspection says. Each counts.

    Raises:
        InvalidToken: it may not (RFC 9449 section 7.2). A binding to a certificate needs a proof that nobody here reads.
    """
    bindings = [source["cnf"] for source in sources if source.get("cnf") is not None]
    if not thumbprint:
        if bindings:
            raise refused("it is bound to a key, and was sent without a proof", scheme=DPOP)
    elif not bindings or not all(_is_to_key(binding, thumbprint) for binding in bindings):
        raise refused("it is not bound to the key of the proof", scheme=DPOP)


def scopes_in(claims: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return the scopes in the claim *name*, which is a text or a list."""
    value = claims.get(name, "")
    if isinstance(value, str):
        return tuple(value.split())
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _is_time(value: Any) -> TypeGuard[float]:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _is_to_key(binding: object, thumbprint: str) -> bool:
    return isinstance(binding, dict) and len(binding) == 1 and same(text_in(binding, "jkt"), thumbprint)
