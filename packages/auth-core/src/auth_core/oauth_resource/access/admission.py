"""The admission of a request: its token, what the view needs of it, and its person."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from asgiref.sync import sync_to_async
from django.http import HttpRequest
from django.utils.module_loading import import_string

from auth_core.oauth_resource.access.needs import Needs
from auth_core.oauth_resource.access.sender import schemes, sender_of
from auth_core.oauth_resource.access.verification import verify
from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.errors import DPOP, MissingToken, TokenRefusal
from auth_core.oauth_resource.keys.key_cache import WouldWait
from auth_core.oauth_resource.metadata.document import metadata_url
from auth_core.oauth_resource.registries import token_store
from auth_core.oauth_resource.tokens.access_token import TokenPrincipal, VerifiedToken
from auth_core.oauth_resource.tokens.claims import refused
from auth_core.oauth_resource.tokens.header import presented_token
from auth_core.request.client import client_of


def admit(request: HttpRequest, needs: Needs, *, may_wait: bool = True) -> tuple[Any, VerifiedToken]:
    """Return the person and the token of *request*, if the token has what is needed.

    Raises:
        TokenRefusal: there is no token, it is not valid, or it lacks something. Its challenge names the metadata.
        Unavailable: tokens cannot be verified now.
        WouldWait: the answer needs the database or another service, and this thread may not wait.
    """
    with challenged():
        presented = presented_token(request)
        if presented is None:
            raise MissingToken(needs.scope, schemes=(DPOP,) if needs.dpop else schemes())
        if not may_wait and uses_database():
            raise WouldWait
        sender = sender_of(request, *presented)
        with challenged_with(sender.scheme):
            token = verify(
                presented[1], thumbprint=sender.thumbprint, network=client_of(request).network, may_wait=may_wait
            )
            needs.check(token)
            person = person_of(token)
        sender.spend_proof()
        return person, token


async def admit_async(request: HttpRequest, needs: Needs) -> tuple[Any, VerifiedToken]:
    """Do as `admit`. The event loop waits neither for the database nor for another service: a thread does.

    Raises:
        TokenRefusal, Unavailable: as in `admit`.
    """
    try:
        return admit(request, needs, may_wait=False)
    except WouldWait:
        return await sync_to_async(admit, thread_sensitive=uses_database())(request, needs)


@contextmanager
def challenged() -> Iterator[None]:
    """Add the address of the metadata to the challenge of a refusal (RFC 9728 section 5.1)."""
    try:
        yield
    except TokenRefusal as refusal:
        refusal.metadata = metadata_url()
        raise


@contextmanager
def challenged_with(scheme: str) -> Iterator[None]:
    """Answer a refusal with the challenge of DPoP if the token was sent so. One of Bearer may be of DPoP all the same."""
    try:
        yield
    except TokenRefusal as refusal:
        if scheme == DPOP:
            refusal.scheme = scheme
        raise


def person_of(token: VerifiedToken) -> Any:
    """Return the user of *token*: of the provider in this site, of the setting `PERSON`, or a principal without a row.

    Raises:
        InvalidToken: the person is unknown in this site, or disabled.
    """
    if token.user is not None:
        return token.user
    # An application is no person, even if its client id is the subject of one (RFC 9700 section 4.15).
    if not resource.PERSON or token.is_of_application:
        return TokenPrincipal(token)
    resolve: Callable[[VerifiedToken], Any] = import_string(resource.PERSON)
    user = resolve(token)
    if user is None or not getattr(user, "is_active", True):
        raise refused("its person is unknown or disabled in this site")
    return user


def uses_database() -> bool:
    """Return whether a request with a token may ask the database."""
    return bool(resource.PERSON) or token_store() is not None
