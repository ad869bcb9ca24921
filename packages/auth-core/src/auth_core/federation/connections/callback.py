"""The answer of a provider: which sign-in it belongs to, and whom it proves."""

import logging
from collections.abc import Mapping

from django.db import transaction
from django.http import HttpRequest
from django.urls import get_script_prefix, reverse

from auth_core.errors import LoginExpired, NotFound
from auth_core.events import Event, EventOutcome, record
from auth_core.federation.connections.login import record_refusal
from auth_core.federation.errors import AnswerRefused, ProviderDeclined, ProviderUnavailable
from auth_core.federation.events import FederationEvent
from auth_core.federation.protocol.attempts import Attempt, attempt_of
from auth_core.federation.protocol.transport import ProviderFailed
from auth_core.federation.providers.base import Provider
from auth_core.federation.providers.configuration import usable_provider
from auth_core.federation.providers.identity import ProviderIdentity
from auth_core.messages.links import public_url
from auth_core.request.client import Client

logger = logging.getLogger("auth_core.federation")

#: The parameters of an answer that are read, and the longest value of one. Apple adds `user`, which is signed by no one.
PARAMETERS = ("state", "code", "iss", "error")
LONGEST = 4096


def callback_address(slug: str) -> str:
    """Return where a provider sends people back to. It is registered there, so it never depends on the request."""
    path = reverse("federation:callback", kwargs={"slug": slug})
    return f"{public_url()}/{path.removeprefix(get_script_prefix())}"


def begin_at(provider: Provider, attempt: Attempt, client: Client) -> str:
    """Return the address at the provider that the person is sent to.

    Raises:
        ProviderUnavailable: the provider must be asked for its addresses, and does not answer.
    """
    try:
        return provider.begin(attempt, callback_address(provider.slug))
    except ProviderFailed as problem:
        raise _unavailable(provider, problem, client) from problem


def open_provider(slug: str) -> Provider:
    """Return the provider with this name, if it signs people in.

    Raises:
        NotFound: there is none, or it is disabled.
    """
    provider = usable_provider(slug)
    if provider is None:
        raise NotFound
    return provider


def read_answer(parameters: Mapping[str, str]) -> dict[str, str]:
    """Return the parameters that are read. One that is too long to be genuine is empty."""
    values = {name: parameters.get(name, "") for name in PARAMETERS}
    return {name: value if len(value) <= LONGEST else "" for name, value in values.items()}


def identify(
    request: HttpRequest, provider: Provider, answer: Mapping[str, str], client: Client
) -> tuple[Attempt, ProviderIdentity]:
    """Return the sign-in that an answer belongs to, and whom it proves. The state is spent first.

    Raises:
        LoginExpired: this browser has begun no such sign-in at this provider.
        ProviderDeclined: the person said no.
        AnswerRefused: the answer proves nothing.
        ProviderUnavailable: the provider does not answer.
    """
    try:
        attempt = attempt_of(request, provider=provider.slug, state=answer["state"])
        attempt.spend()
    except LoginExpired:
        record_refusal(provider, "state", client)
        raise
    try:
        return attempt, _proved(provider, answer, attempt)
    except ProviderFailed as problem:
        raise _unavailable(provider, problem, client) from problem
    except AnswerRefused as refusal:
        record_refusal(provider, refusal.reason, client)
        raise
    except ProviderDeclined:
        record_refusal(provider, "declined", client)
        raise


def _proved(provider: Provider, answer: Mapping[str, str], attempt: Attempt) -> ProviderIdentity:
    if answer["iss"] != provider.named_in_answer() and (answer["iss"] or provider.needs_issuer_in_answer()):
        raise AnswerRefused("issuer_of_answer")
    if answer["error"]:
        raise ProviderDeclined
    if not answer["code"]:
        raise AnswerRefused("code")
    tokens = provider.redeem(answer["code"], attempt, callback_address(provider.slug))
    return provider.identify(tokens, attempt)


def _unavailable(provider: Provider, problem: ProviderFailed, client: Client) -> ProviderUnavailable:
    """Record that a provider failed, and return the refusal."""
    with transaction.atomic(durable=True):
        record(
            Event(
                name=FederationEvent.PROVIDER_FAILED,
                outcome=EventOutcome.FAILURE,
                client=client,
                data={"provider": provider.slug},
            )
        )
    logger.warning("The provider %s cannot be used: %s.", provider.slug, problem)
    return ProviderUnavailable()
