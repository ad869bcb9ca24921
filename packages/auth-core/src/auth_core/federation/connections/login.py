"""Whom an account at a provider signs in, and whether it may find or create an account by its address."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from auth_core.assurance.methods import Evidence, Method
from auth_core.backends import backend_knowing
from auth_core.contracts import LoginOutcome, Purpose, Transport
from auth_core.errors import InvalidCredentials, InvalidRequest, SignupClosed
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.federation.connections.rows import add_connection, find_connection, note_use
from auth_core.federation.errors import ConnectFirst, ConnectionTaken
from auth_core.federation.events import FederationEvent
from auth_core.federation.models import Connection
from auth_core.federation.providers.base import Provider
from auth_core.federation.providers.identity import ProviderIdentity
from auth_core.flows.account_creation import AddressTaken, open_account
from auth_core.flows.signup import check_open_to
from auth_core.login.journey import open_login
from auth_core.models import EmailAddress
from auth_core.people.address_rows import counts
from auth_core.people.addresses import Address, InvalidAddress, parse
from auth_core.request.client import Client


def sign_in(
    *, provider: Provider, identity: ProviderIdentity, client: Client, browser_secret: str, continue_to: str
) -> LoginOutcome:
    """Sign in the person of an account at a provider, as far as a provider goes. Second factors and risk apply as always.

    Raises:
        ConnectFirst: no account is connected, and none may be found or created by the address.
        InvalidCredentials: the connection is disabled, or the person is not admitted.
        LoginDenied, MoreProofRequired, TooManyAttempts: see `open_login`.
    """
    connection = find_connection(provider, identity) or _connect_by_address(provider, identity, client)
    user: Any = connection.user
    if connection.disabled_at is not None:
        record_refusal(provider, "connection", client, user=user)
        raise InvalidCredentials
    user.backend = backend_knowing(user)
    is_two_factors = provider.proved_two_factors(identity)
    outcome = open_login(
        user=user,
        evidence=Evidence.now(Method.PROVIDER, credential=str(connection.pk), user_verified=is_two_factors),
        purpose=Purpose.LOGIN,
        transport=Transport.COOKIE,
        client=client,
        provider=provider.slug,
        browser_secret=browser_secret,
        continue_to=continue_to,
    )
    note_use(connection, identity)
    return outcome


def record_refusal(provider: Provider, reason: str, client: Client, *, user: Any = None) -> None:
    """Record that a sign-in at a provider was refused, and commit it.

    Args:
        reason: Closed word.
        user: The person, if they are known.
    """
    with transaction.atomic(durable=True):
        record(
            Event(
                name=FederationEvent.LOGIN_REFUSED,
                subject=user,
                outcome=EventOutcome.FAILURE,
                reason=reason,
                client=client,
                data={"provider": provider.slug},
            )
        )


def _connect_by_address(provider: Provider, identity: ProviderIdentity, client: Client) -> Connection:
    """Return a new connection for an account that no one has connected, by its address.

    Raises:
        ConnectFirst: the address proves nothing, or belongs to a person who must connect by themselves.
    """
    try:
        address = _proved_address(provider, identity)
        owner = _verified_owner(address)
        with transaction.atomic(durable=True):
            user = _created(provider, identity, address, client) if owner is None else owner
            return add_connection(user=user, provider=provider, identity=identity, client=client)
    except (_NotConnectable, ConnectionTaken) as problem:
        # Of two callbacks of one account at once, the other one has connected it.
        connection = find_connection(provider, identity)
        if connection is not None:
            return connection
        record_refusal(provider, getattr(problem, "reason", "taken"), client)
        raise ConnectFirst from None


class _NotConnectable(Exception):
    """The address finds and creates no account. The reason is for the trail."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def _proved_address(provider: Provider, identity: ProviderIdentity) -> Address:
    """Return the address, if the provider is trusted to have verified it and it is written as we write it.

    It is compared as it was proved, ASCII case aside. An address that becomes an address of ours only by IDNA or by
    normalisation is another one: the provider may have proved it to another person.
    """
    if not provider.vouches_for(identity):
        raise _NotConnectable("address_not_proved")
    try:
        address = parse(identity.email)
    except InvalidAddress:
        raise _NotConnectable("address_invalid") from None
    if not identity.email.isascii() or identity.email.lower() != address.key:
        raise _NotConnectable("address_ambiguous")
    return address


def _verified_owner(address: Address) -> Any:
    """Return the person who has verified *address* here. ``None``: there is none. Unverified addresses are never linked.

    Staff connect by themselves: their rights are worth more than the word of a provider about an address.
    """
    rows = EmailAddress.objects.filter(key=address.key, verified_at__isnull=False).select_related("user")
    owners: list[Any] = [row.user for row in rows if counts(row, row.user)]
    if not owners:
        return None
    if owners[0].is_staff or owners[0].is_superuser:
        raise _NotConnectable("staff")
    return owners[0]


def _created(provider: Provider, identity: ProviderIdentity, address: Address, client: Client) -> Any:
    """Return a new account with the address, which the provider has verified. It has no password."""
    if not provider.options.sign_up:
        raise _NotConnectable("sign_up_closed")
    try:
        check_open_to(address)
    except (SignupClosed, InvalidRequest):
        raise _NotConnectable("sign_up_closed") from None
    try:
        user = open_account(address=address, password_hash=make_password(None), verified=True, client=client)
    except AddressTaken:
        raise _NotConnectable("address_taken") from None
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=user, reason="provider", client=client))
    _keep_name(user, identity.name)
    return user


def _keep_name(user: Any, name: str) -> None:
    """Give a new account the name that the provider states, if the user model has a column for it."""
    if name and hasattr(user, "display_name"):
        user.display_name = name[: user._meta.get_field("display_name").max_length]
        user.save(update_fields=["display_name"])
