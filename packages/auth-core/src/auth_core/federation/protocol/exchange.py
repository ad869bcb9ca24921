"""The authorization request and the exchange of the code, by Authlib's client over `Transport`.

Source: OAuth 2.1 section 4.1, RFC 7636, RFC 9207.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any
from urllib.parse import quote_plus

from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.auth import encode_client_secret_basic
from authlib.oauth2.client import OAuth2Client

from auth_core.federation.errors import AnswerRefused
from auth_core.federation.protocol.attempts import Attempt
from auth_core.federation.protocol.transport import ProviderFailed, Transport

#: The errors that say that the code is wrong (RFC 6749 section 5.2, and GitHub's own word). Others are about this site.
_REFUSED_CODES = frozenset({"invalid_grant", "bad_verification_code"})

#: Longest access token and code, in characters.
_LONGEST_TOKEN = 8192


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """What this site is at a provider.

    Args:
        provider: Name of the provider.
        client_id: Our id.
        client_secret: Our secret.
        auth_method: How we authenticate at the token endpoint.
        redirect_uri: Where the provider sends people back to.
        scopes: What we ask for.
    """

    provider: str
    client_id: str
    client_secret: str = field(repr=False)
    auth_method: str
    redirect_uri: str
    scopes: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """What a provider gave for a code. Nothing of it is kept.

    Args:
        access_token: For its own endpoints.
        id_token: As it was sent.
    """

    access_token: str = field(repr=False)
    id_token: Any = field(repr=False)


def authorization_address(registration: Registration, endpoint: str, attempt: Attempt, extra: Mapping[str, str]) -> str:
    """Return the address that a person is sent to."""
    address, _state = _client(registration).create_authorization_url(
        endpoint, state=attempt.state, code_verifier=attempt.verifier, **extra
    )
    return str(address)


def exchange(registration: Registration, endpoint: str, *, code: str, attempt: Attempt) -> Tokens:
    """Exchange a code for tokens. The provider compares the verifier with the challenge of the request.

    Raises:
        AnswerRefused: the provider refuses the code, or gives no access token.
        ProviderFailed: it does not answer.
    """
    if len(code) > _LONGEST_TOKEN:
        raise AnswerRefused("code")
    try:
        members = _client(registration).fetch_token(
            endpoint, grant_type="authorization_code", code=code, code_verifier=attempt.verifier
        )
    except AuthlibBaseError as problem:
        if isinstance(problem.error, str) and problem.error in _REFUSED_CODES:
            raise AnswerRefused("code") from None
        raise ProviderFailed("it refuses to exchange a code. Check the client id and the secret") from None
    except (ValueError, TypeError, OverflowError):
        raise ProviderFailed("its answer to a code cannot be read") from None
    access_token = members.get("access_token")
    if not isinstance(access_token, str) or not access_token or len(access_token) > _LONGEST_TOKEN:
        raise AnswerRefused("access_token")
    if not access_token.isascii() or not access_token.isprintable():
        raise AnswerRefused("access_token")
    return Tokens(access_token=access_token, id_token=members.get("id_token"))


def _client(registration: Registration) -> OAuth2Client:
    client = OAuth2Client(
        Transport(registration.provider),
        client_id=registration.client_id,
        client_secret=registration.client_secret,
        token_endpoint_auth_method=registration.auth_method,
        scope=" ".join(registration.scopes),
        redirect_uri=registration.redirect_uri,
        code_challenge_method="S256",
    )
    client.register_client_auth_method(("client_secret_basic", _form_encoded_basic))
    return client


def _form_encoded_basic(client: Any, method: str, uri: str, headers: Any, body: Any) -> Any:
    """Send id and secret in the header, form-encoded before (RFC 6749 section 2.3.1), which Authlib leaves out."""
    encoded = SimpleNamespace(client_id=quote_plus(client.client_id), client_secret=quote_plus(client.client_secret))
    return encode_client_secret_basic(encoded, method, uri, headers, body)
