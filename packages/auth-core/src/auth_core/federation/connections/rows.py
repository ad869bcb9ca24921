"""The rows of connections: found, added and removed only here."""

from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from auth_core.authority import check_over
from auth_core.events import Event, record
from auth_core.federation.errors import ConnectionTaken, LastWayIn
from auth_core.federation.events import FederationEvent
from auth_core.federation.models import Connection
from auth_core.federation.providers.base import Provider
from auth_core.federation.providers.configuration import is_usable
from auth_core.federation.providers.identity import ProviderIdentity
from auth_core.models import PendingLogin
from auth_core.people.lookup import can_sign_in_without
from auth_core.request.client import Client
from auth_core.users import AccountLike, UserLike


def find_connection(provider: Provider, identity: ProviderIdentity) -> Connection | None:
    """Return the connection of an account at a provider, with its person. Compared exactly, so case counts."""
    rows = Connection.objects.select_related("user", "user__auth_identity")
    return rows.filter(provider=provider.slug, issuer=identity.issuer, subject=identity.subject).first()


def connections_of(user: UserLike) -> list[Connection]:
    """Return the connections of *user*, the oldest first."""
    return list(Connection.objects.filter(user=user.pk).order_by("pk"))


def ways_of(user: UserLike) -> list[UUID]:
    """Return the connections that sign *user* in."""
    return [row.pk for row in connections_of(user) if row.disabled_at is None and is_usable(row.provider)]


def export_of(user: UserLike) -> list[dict[str, str]]:
    """Return the connections of *user* for their export."""
    return [
        {"provider": row.provider, "issuer": row.issuer, "subject": row.subject, "label": row.label,
         "connected_at": row.created_at.isoformat()}
        for row in connections_of(user)
    ]  # fmt: skip


def add_connection(*, user: AccountLike, provider: Provider, identity: ProviderIdentity, client: Client) -> Connection:
    """Connect an account at a provider to *user*, inside a transaction, and tell the person by mail.

    Raises:
        ConnectionTaken: it is connected to another account.
    """
    try:
        with transaction.atomic():
            row = Connection.objects.create(
                user_id=user.pk,
                provider=provider.slug,
                issuer=identity.issuer,
                subject=identity.subject,
                label=identity.label,
            )
    except IntegrityError:
        existing = find_connection(provider, identity)
        if existing is None or existing.user_id != user.pk:
            raise ConnectionTaken from None
        return existing
    record(_event(FederationEvent.CONNECTION_ADDED, row, user=user, client=client))
    return row


def note_use(connection: Connection, identity: ProviderIdentity) -> None:
    """Keep when the connection was used, and what the provider calls the account now."""
    Connection.objects.filter(pk=connection.pk).update(used_at=timezone.now(), label=identity.label)


def disconnect(*, user: AccountLike, connection_id: UUID, client: Client) -> bool:
    """Remove a connection for its owner, once. Return whether this call removed it.

    Raises:
        LastWayIn: they could not sign in any more.
    """
    with transaction.atomic(durable=True):
        row = Connection.objects.filter(pk=connection_id, user=user.pk).first()
        if row is None:
            return False
        if not can_sign_in_without(user, row.pk):
            raise LastWayIn
        return remove_connection(connection=row, client=client)


def remove_connection(*, connection: Connection, client: Client | None = None, actor: UserLike | None = None) -> bool:
    """Remove a connection, once. Unfinished logins that it proved end. Return whether this call removed it.

    Args:
        actor: The administrator who removes it, or ``None`` if the owner does.

    Raises:
        PermissionRefused: the person has more permissions than *actor*.
    """
    user = connection.user
    check_over(actor, user)
    with transaction.atomic():
        deleted, _rows = Connection.objects.filter(pk=connection.pk).delete()
        if deleted:
            record(_event(FederationEvent.CONNECTION_REMOVED, connection, user=user, client=client, actor=actor))
            PendingLogin.objects.end_all_of(user, proved_with=str(connection.pk))
    return bool(deleted)


def set_enabled(*, connection: Connection, is_enabled: bool, actor: UserLike) -> bool:
    """Let a connection sign in or not, for an administrator. Return whether that changed it.

    Raises:
        PermissionRefused: the person has more permissions than *actor*.
    """
    check_over(actor, connection.user)
    moment = None if is_enabled else timezone.now()
    with transaction.atomic():
        rows = Connection.objects.filter(pk=connection.pk, disabled_at__isnull=not is_enabled)
        if not rows.update(disabled_at=moment):
            return False
        name = FederationEvent.CONNECTION_ENABLED if is_enabled else FederationEvent.CONNECTION_DISABLED
        record(_event(name, connection, user=connection.user, actor=actor))
        PendingLogin.objects.end_all_of(connection.user, proved_with=str(connection.pk))
    return True


def _event(
    name: FederationEvent,
    row: Connection,
    *,
    user: UserLike,
    client: Client | None = None,
    actor: UserLike | None = None,
) -> Event:
    target = ("connection", str(row.pk))
    return Event(name=name, subject=user, actor=actor, target=target, client=client, data={"provider": row.provider})
