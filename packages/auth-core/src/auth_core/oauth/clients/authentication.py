"""How an application authenticates at an endpoint.

Source: RFC 6749 section 2.3, OAuth 2.1 section 2.4.
"""

import base64
import binascii
from dataclasses import dataclass, field
from urllib.parse import unquote_plus

from django.contrib.auth.hashers import check_password
from django.db import transaction
from django.utils import timezone
from oauth2_provider.models import get_application_model

from auth_core import limits
from auth_core.errors import TooManyAttempts
from auth_core.events import Event, EventOutcome, record
from auth_core.oauth.clients.registry import RegisteredApplication, find_application, remembered_application
from auth_core.oauth.errors import InvalidClient, InvalidRequest, TooManyRequests
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.hashers import ALGORITHM, ClientSecretHasher
from auth_core.oauth.models.application_policy import AuthMethod
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
    """

    client_id: str
    secret: str = field(repr=False)
    method: AuthMethod
    scheme: str = ""


def read_credentials(header: str, client_id: str, secret: str) -> Credentials:
    """Return the credentials of a request.

    Args:
        header: The ``Authorization`` header.
        client_id: The parameter of that name.
        secret: The parameter ``client_secret``.

    Raises:
        InvalidRequest: it authenticates in two ways.
        InvalidClient: it does not authenticate, or in an unknown way.
    """
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


def authenticate_client(credentials: Credentials, client: Client) -> RegisteredApplication:
    """Return the active application that *credentials* prove.

    A wrong secret is charged to the network, never to the application: its id is public, and strangers could lock it out.

    Raises:
        InvalidClient: they are wrong, or the application is unknown, disabled or authenticates in another way.
        TooManyRequests: they are wrong, and so were too many before from this network.
    """
    application = find_application(credentials.client_id)
    if application is not None and application.is_active and _is_proved(application, credentials):
        return application
    raise _failure(application, credentials, client)


def remembered_client(credentials: Credentials) -> RegisteredApplication | None:
    """Return the application that *credentials* prove as this process remembers it, or ``None``. No statement.

    A refusal is never made from memory. The caller checks the version, see `registry.remembered_application`.
    """
    application = remembered_application(credentials.client_id)
    if application is None or not application.is_active or not _is_proved(application, credentials):
        return None
    return application


def _is_proved(application: RegisteredApplication, credentials: Credentials) -> bool:
    if credentials.method.value not in application.methods:
        return False
    return application.is_public or _has_secret(application, credentials.secret)


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


def _failure(application: RegisteredApplication | None, credentials: Credentials, client: Client) -> Exception:
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
                reason="unknown" if application is None else "disabled" if not application.is_active else "credentials",
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
