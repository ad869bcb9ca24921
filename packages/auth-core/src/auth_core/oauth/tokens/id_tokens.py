"""ID tokens.

Source: OpenID Connect Core sections 2 and 3.1.3.6.
"""

import base64
import hashlib
from typing import Any

from django.utils import timezone

from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.conf import oauth
from auth_core.oauth.keys.subjects import session_shown_to
from auth_core.oauth.models import Authorization
from auth_core.oauth.tokens import signatures
from auth_core.oauth.tokens.person_claims import ID_TOKEN, claims_of_person
from auth_core.users import UserLike


def issue_id_token(
    application: RegisteredApplication,
    authorization: Authorization,
    user: UserLike,
    *,
    access_token: str,
    with_nonce: bool,
) -> str:
    """Return an ID token about the authentication that *authorization* names.

    Args:
        access_token: What ``at_hash`` binds it to.
        with_nonce: Whether it answers the request that had the nonce. An ID token of a refresh has none (section 12.2).
    """
    algorithm = application.signs_id_tokens_with
    moment = timezone.now()
    claims: dict[str, Any] = {
        **claims_of_person(user, authorization.scopes, authorization.claims, member=ID_TOKEN),
        "iss": oauth.issuer,
        "sub": authorization.subject,
        "aud": application.client_id,
        "iat": int(moment.timestamp()),
        "exp": int((moment + oauth.ID_TOKEN_LIFETIME).timestamp()),
        "at_hash": _left_half(access_token, algorithm),
    }
    if authorization.authenticated_at is not None:
        claims["auth_time"] = int(authorization.authenticated_at.timestamp())
    stated = {"acr": authorization.acr, "amr": authorization.amr}
    claims |= {name: value for name, value in stated.items() if value}
    if authorization.session_id is not None:
        claims["sid"] = session_shown_to(application, authorization.session_id)
    if with_nonce and authorization.nonce:
        claims["nonce"] = authorization.nonce
    return signatures.sign(claims, algorithm=algorithm, type_=signatures.ID)


def _left_half(text: str, algorithm: str) -> str:
    """Return the left half of the hash of *text*. Ed25519 signs with SHA-512, and clients hash with the same."""
    hashed = (hashlib.sha512 if algorithm == "EdDSA" else hashlib.sha256)(text.encode()).digest()
    return base64.urlsafe_b64encode(hashed[: len(hashed) // 2]).rstrip(b"=").decode()
