"""Pushed authorization requests: a client sends its request itself, and the person brings only its name.

Source: RFC 9126. One name completes one authorization. Until then the person may come with it again, because browsers reload.
"""

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from django.utils.crypto import salted_hmac

from auth_core.crypto.secrets import new_secret
from auth_core.oauth.authorization.details import read_details
from auth_core.oauth.authorization.errors import RequestGone
from auth_core.oauth.authorization.parameters import text_of
from auth_core.oauth.authorization.stored_requests import PREFIX, find_request, new_row
from auth_core.oauth.clients.redirect_uris import is_registered
from auth_core.oauth.clients.registry import RegisteredApplication
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import InvalidDPoPProof, InvalidRequest, InvalidRequestUri
from auth_core.oauth.models import AuthorizationRequest
from auth_core.oauth.models.authorization_request import Kind

#: What the name of a pushed request begins with (RFC 9126 section 2.2).
URN = "urn:ietf:params:oauth:request_uri:"


def read_pushed(
    parameters: Mapping[str, Any], application: RegisteredApplication, *, thumbprint: str
) -> tuple[AuthorizationRequest, str]:
    """Return the request that *application* pushes, checked and not saved, and its name.

    Args:
        parameters: What it sent. They are all that counts: those in the address that the person brings are ignored.
        thumbprint: Of the key that it proved. The code is then bound to this key. Empty: none.

    Raises:
        InvalidRequest: it names another request, an address that is not its own, or something is missing.
        InvalidDPoPProof: it names another key than the one that it proves.
        OAuthError: as `read_details`.
    """
    if text_of(parameters, "request_uri"):
        raise InvalidRequest("A pushed request has no request_uri.")
    if not is_registered(text_of(parameters, "redirect_uri"), application.redirect_uris):
        raise InvalidRequest("The redirect address is not one of the client.")
    named = text_of(parameters, "dpop_jkt")
    if named and thumbprint and named != thumbprint:
        raise InvalidDPoPProof("The parameter dpop_jkt and the proof name two keys.")
    name = f"{URN}{new_secret(PREFIX)}"
    row = new_row(
        _handle_of(name),
        kind=Kind.AUTHORIZE,
        application_pk=application.pk,
        parameters=parameters,
        # It can be visited until its name expires, and answered for as long as any other from then on.
        lifetime=oauth.PUSHED_REQUEST_LIFETIME + oauth.REQUEST_LIFETIME,
        is_pushed=True,
        dpop_jkt=named or thumbprint,
    )
    read_details(row, application)
    return row, name


def find_pushed(name: str, application: RegisteredApplication) -> tuple[AuthorizationRequest, str]:
    """Return the request that *application* pushed under *name*, and the handle that continues it.

    Raises:
        InvalidRequestUri: there is none, it is of another application, has expired or was answered.
    """
    handle = _handle_of(name)
    try:
        row = find_request(handle, kind=Kind.AUTHORIZE)
    except RequestGone as problem:
        raise InvalidRequestUri from problem
    is_over = row.created_at + oauth.PUSHED_REQUEST_LIFETIME <= timezone.now()
    if is_over or not row.is_pushed or row.application_id != application.pk:  # type: ignore[attr-defined]  # Django adds it
        raise InvalidRequestUri
    return row, handle


def _handle_of(name: str) -> str:
    """Return the handle for a name. Only this site can make it, so no one continues a request whose name has expired."""
    mac = salted_hmac("auth_oauth.pushed_request", name, algorithm="sha256").digest()
    return f"{PREFIX}_{urlsafe_b64encode(mac).rstrip(b'=').decode()}"
