"""How an application authenticates at an endpoint.

Source: RFC 6749 section 2.3, OAuth 2.1 section 2.4, RFC 7523.
"""

import base64
import binascii
from dataclasses import dataclass, field
from typing import NoReturn
from urllib.parse import unquote_plus

from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.urls import get_script_prefix, reverse
from django.utils import timezone
from oauth2_provider.models import get_application_model

from auth_core import limits
from auth_core.errors import TooManyAttempts
from auth_core.events import Event, EventOutcome, record
from auth_core.oauth.clients.registry import RegisteredApplication, find_application, remembered_application
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import InvalidClient, InvalidRequest, TooManyRequests
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.hashers import ALGORITHM, ClientSecretHasher
from auth_core.oauth.models.application_policy import AuthMethod
from auth_core.oauth.proofs.assertions import (
    ASSERTION_TYPE,
    AssertionRules,
    is_valid,
    one_time,
    read_assertion,
    unverified_subject,
)
from auth_core.oauth.proofs.client_keys import ClientKeys
from auth_core.oauth.proofs.one_time import OneTime
from auth_core.oauth_resource.tokens.compact import CompactToken
from auth_core.request.client import Client

_BASIC = "basic"

#: The longest header that is decoded, in characters. Ids have at most 255 and secrets 48.
_LONGEST = 4096

_HASHER = ClientSecretHasher()


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a request says about its client.

    Args:
        client_id: The id.
        secret: The secret. Empty for a public client.
        method: How they were sent.
        scheme: The scheme of the header. Empty without one.
        assertion: What the client signed in place of a secret. Nobody has checked it yet.
        has_proof: Whether something comes with them that works once: an assertion or a DPoP proof. Such a request is never
            answered from memory, because what it spends must not be spent for an answer that is withdrawn.
    """

    client_id: str
    secret: str = field(default="", repr=False)
    method: AuthMethod
    scheme: str = ""
    assertion: CompactToken | None = field(default=None, repr=False)
    has_proof: bool = False


def read_credentials(
    header: str, client_id: str, secret: str, *, assertion: str = "", assertion_type: str = ""
) -> Credentials:
    """Return the credentials of a request.

    Args:
        header: The ``Authorization`` header.
        client_id: The parameter of that name.
        secret: The parameter ``client_secret``.
        assertion: The parameter ``client_assertion``.
        assertion_type: The parameter ``client_assertion_type``.

    Raises:
        InvalidRequest: it authenticates in two ways.
        InvalidClient: it does not authenticate, or in an unknown way.
    """
    if assertion or assertion_type:
        if header or secret:
            raise InvalidRequest("Send the credentials of the client once.")
        return _asserted(client_id, assertion, assertion_type)
    if not header:
        if not client_id:
            raise InvalidClient
        method = AuthMethod.POST if secret else AuthMethod.NONE
        return Credentials(client_id=client_id, secret=secret, method=method)
    if secret:
        raise InvalidRequest("Send the credentials of the client once.")
    credentials = _basic(header)
    if client_id and client_id != credentials.client_id:
        raise InvalidRequest("The header and the body name two clients.")
    return credentials


def _asserted(client_id: str, assertion: str, assertion_type: str) -> Credentials:
    """Return the credentials of an assertion. The client is the one of the parameter, or else the one that it names.

    Raises:
        InvalidClient: it is no assertion, or of an unknown type.
    """
    token = read_assertion(assertion) if assertion_type == ASSERTION_TYPE else None
    named = "" if token is None else client_id or unverified_subject(token)
    if token is None or not named:
        raise InvalidClient(scheme="")
    return Credentials(client_id=named, method=AuthMethod.PRIVATE_KEY, assertion=token, has_proof=True)


def authenticate_client(credentials: Credentials, client: Client) -> RegisteredApplication:
    """Return the active application that *credentials* prove.

    The caller spends the assertion, see `assertion_of`.

    A wrong secret is charged to the network, never to the application: its id is public, and strangers could lock it out.

    Raises:
        InvalidClient: they are wrong, or the application is unknown, disabled or authenticates in another way.
        TooManyRequests: they are wrong, and so were too many before from this network.
        Unavailable: the keys of the application cannot be fetched now.
    """
    application = find_application(credentials.client_id)
    if application is not None and application.is_active and _is_proved(application, credentials):
        return application
    raise _failure(application, credentials, client)


def remembered_client(credentials: Credentials) -> RegisteredApplication | None:
    """Return the application that *credentials* prove as this process remembers it, or ``None``. No statement.

    A refusal is never made from memory. The caller checks the version, see `registry.remembered_application`.
    """
    if credentials.has_proof:
        return None
    application = remembered_application(credentials.client_id)
    if application is None or not application.is_active or application.must_prove_key:
        return None
    return application if _is_proved(application, credentials) else None


def assertion_of(credentials: Credentials) -> OneTime | None:
    """Return the assertion of *credentials*, which `authenticate_client` accepted, to be spent. ``None`` without one."""
    return None if credentials.assertion is None else one_time(credentials.assertion)


def refuse_replayed(application: RegisteredApplication, credentials: Credentials, client: Client) -> NoReturn:
    """Refuse an assertion that was used before, as wrong credentials are.

    Raises:
        InvalidClient, TooManyRequests: always.
    """
    raise _failure(application, credentials, client, reason="replayed")


def _audiences(application: RegisteredApplication) -> tuple[str, ...]:
    """Return whom an assertion of *application* may be for. Under `high` the issuer alone, which no other service has."""
    issuer = oauth.issuer
    if application.is_high:
        return (issuer,)
    return (issuer, f"{issuer}/{reverse('oauth:token').removeprefix(get_script_prefix())}")


def _is_proved(application: RegisteredApplication, credentials: Credentials) -> bool:
    if credentials.method.value not in application.methods:
        return False
    if credentials.assertion is not None:
        return _is_signed(application, credentials.assertion)
    return application.is_public or _has_secret(application, credentials.secret)


def _is_signed(application: RegisteredApplication, assertion: CompactToken) -> bool:
    rules = AssertionRules(
        client_id=application.client_id, audiences=_audiences(application), algorithms=application.assertion_algorithms
    )
    return is_valid(assertion, rules, ClientKeys(application.jwks, application.jwks_uri))


def _has_secret(application: RegisteredApplication, secret: str) -> bool:
    if application.client_secret and _matches(secret, application.client_secret):
        _renew(application, secret)
        return True
    until = application.previous_secret_until
    is_valid = bool(application.previous_secret) and until is not None and until > timezone.now()
    return is_valid and _matches(secret, application.previous_secret)


def _matches(secret: str, encoded: str) -> bool:
    """Compare a secret with its hash. Applications that were registered before this app have hashes of passwords."""
    if encoded.startswith(f"{ALGORITHM}$"):
        return _HASHER.verify(secret, encoded)
    return check_password(secret, encoded)


def _renew(application: RegisteredApplication, secret: str) -> None:
    """Replace a hash of a password, or one under a former key. Another process may have replaced it first."""
    former = application.client_secret
    if former.startswith(f"{ALGORITHM}$") and not _HASHER.must_update(former):
        return
    rows = get_application_model()._base_manager.filter(pk=application.pk, client_secret=former)
    rows.update(client_secret=_HASHER.encode(secret, _HASHER.salt()))


def _failure(
    application: RegisteredApplication | None, credentials: Credentials, client: Client, *, reason: str = "credentials"
) -> Exception:
    """Charge and record a failure, and return the answer."""
    try:
        limits.charge("client", client=client)
    except TooManyAttempts as refusal:
        return TooManyRequests(max(1, int(refusal.retry_after.total_seconds())))
    with transaction.atomic(durable=True):
        record(
            Event(
                name=OAuthEvent.CLIENT_FAILED,
                application=None if application is None else application.id,
                outcome=EventOutcome.FAILURE,
                reason="unknown" if application is None else "disabled" if not application.is_active else reason,
                client=client,
                data={"method": credentials.method.value},
            )
        )
    return InvalidClient(scheme=credentials.scheme)


def _basic(header: str) -> Credentials:
    """Return the credentials in a Basic header. Both parts are encoded as in a form (RFC 6749 section 2.3.1).

    Raises:
        InvalidClient: it has another scheme, or is malformed.
    """
    scheme, _space, encoded = header.partition(" ")
    if scheme.lower() != _BASIC or len(encoded) > _LONGEST:
        raise InvalidClient(scheme=scheme if scheme.lower() == _BASIC else "")
    try:
        text = base64.b64decode(encoded.strip(), validate=True).decode()
        client_id, colon, secret = text.partition(":")
        client_id, secret = (unquote_plus(part, errors="strict") for part in (client_id, secret))
    except (binascii.Error, UnicodeDecodeError) as problem:
        raise InvalidClient from problem
    if not colon or not client_id or not secret:
        raise InvalidClient
    return Credentials(client_id=client_id, secret=secret, method=AuthMethod.BASIC, scheme="Basic")
