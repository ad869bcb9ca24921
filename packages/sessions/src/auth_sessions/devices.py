"""Devices: the browsers and apps in which users have completed a login.

A browser is recognised by a secret in a long-lived cookie. The cookie is signed, so that a forged, truncated or foreign
one costs no query. Only the digest of the secret is stored. Several users may share a browser. It is known to each of
them only after they have completed a login in it, so a stolen cookie makes the browser known to its owner alone.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast
from uuid import UUID

from django.core.signing import BadSignature, Signer
from django.db import transaction
from django.db.models import Max, QuerySet
from django.utils import timezone

from auth_core.authority import check_over
from auth_core.contracts import Transport
from auth_core.crypto.secrets import digest, new_secret
from auth_core.errors import LoginDenied
from auth_core.events import Event, record
from auth_core.request.client import Client
from auth_core.runtime.batches import delete_in_batches
from auth_core.text import Pattern
from auth_core.users import UserLike
from auth_sessions import lifecycle, notices
from auth_sessions.conf import sessions
from auth_sessions.events import SessionEvent
from auth_sessions.models import Device, Session
from auth_sessions.user_agents import Description, describe

#: Prefix that lets secret scanners identify a leaked secret.
PREFIX = "ead"

_SALT = "auth_sessions.devices"

#: The secret and its signature. Other values are not verified.
_COOKIE = Pattern(r"(ead_[A-Za-z0-9_-]{43}):[A-Za-z0-9_-]{43}", at_most=91)

#: Maximum number of origins shown per device.
_MAX_ORIGINS = 10

#: The period over which mails about new devices are counted.
_MAIL_PERIOD = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The device of a login that is being granted.

    Args:
        device: Its row.
        is_known: The user has completed a login in this browser before.
        is_new: This login added the device.
        has_company: The user has other devices. Only queried for a new device.
        is_one_of_many: The user has reached `NEW_DEVICE_MAILS` within the hour, so no mail is sent.
        credential: Value of the device cookie. Empty for a caller without cookies.
    """

    device: Device
    is_known: bool
    is_new: bool
    has_company: bool
    is_one_of_many: bool = False
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionOrigin:
    """The country and network in which a session was opened.

    Args:
        country: ISO 3166-1 alpha-2. Empty: unknown.
        network: An IPv4 address or an IPv6 /64.
    """

    country: str
    network: str


def mark_of(client: Client) -> str:
    """Return the digest of the device secret of *client*, or an empty string without a valid cookie.

    An app without cookies has none. Its description can be imitated.
    """
    secret = _secret_of(client)
    return digest(secret) if secret else ""


def known_to(client: Client, people: "QuerySet[Any]") -> "QuerySet[Device] | None":
    """Return a query for the rows of the browser behind *client*, one for each of *people* who know it.

    A browser is known to users who have completed a login in it, unless the device was forgotten or blocked. The query
    is not executed here. ``None``: there is no cookie with a valid signature.
    """
    mark = mark_of(client)
    return Device.objects.filter(user__in=people, digest=mark, has_cookie=True, blocked_at=None) if mark else None


def device_of(*, user: UserLike, client: Client, transport: str) -> tuple[Device, str]:
    """Return the unsaved row of the device that *user* signs in with, and its secret.

    Args:
        transport: A browser with a cookie session also gets a device cookie. A caller with a token and no device cookie
            is described by its user agent, and has no secret.
    """
    secret = _secret_of(client)
    if not secret and transport != Transport.TOKEN:
        secret = new_secret(PREFIX)
    return _new_device(user, secret, describe(client.user_agent)), secret


def recognise(*, user: UserLike, client: Client, transport: str) -> Recognised:
    """Add or update the device of a login of *user*. See `device_of` and `recognised`."""
    new, secret = device_of(user=user, client=client, transport=transport)
    stored = Device.objects.see(new)
    if stored is None:
        raise LoginDenied
    additions = _latest_additions(new.user, before=new) if stored.pk == new.pk else []
    return recognised(new, secret, stored=stored, additions=additions)


def recognised(new: Device, secret: str, *, stored: Device, additions: Sequence[datetime]) -> Recognised:
    """Return the device of a login, inside the transaction that grants it.

    Args:
        new: The row and its *secret* from `device_of`.
        stored: The row of the database, which was added or updated.
        additions: When other devices of the user were added, the latest first, `additions_to_count` at most, if the
            login added this one.
    """
    is_new = stored.pk == new.pk
    return Recognised(
        device=stored,
        is_known=bool(secret) and not is_new,
        is_new=is_new,
        has_company=not is_new or bool(additions),
        is_one_of_many=sum(at > new.first_seen_at - _MAIL_PERIOD for at in additions) >= sessions.NEW_DEVICE_MAILS,
        # Sign again at every login. This renews the cookie and uses the newest key.
        credential=Signer(salt=_SALT).sign(secret) if secret else "",
    )


def announce(recognised: Recognised, *, session: Session, client: Client) -> None:
    """Record the new device of a login and notify its user, in the transaction that grants the login.

    No mail is sent about the first device of an account.
    """
    device = recognised.device
    if not recognised.is_new:
        return
    _record(SessionEvent.DEVICE_ADDED, device, session=session.pk, client=client, data={"kind": device.kind})
    if recognised.has_company and not recognised.is_one_of_many:
        notices.tell_of_new_device(user=device.user, device=device, session=session, client=client)


def own_device(*, user: UserLike, device_id: UUID | None) -> Device | None:
    """Return a device of *user*, or ``None`` if there is none or another user owns it."""
    return Device.objects.of(user).filter(pk=device_id).first() if device_id else None


def device_id_of(session_id: UUID) -> UUID | None:
    """Return the id of the device in which a session was opened."""
    return Session.objects.filter(pk=session_id).values_list("device_id", flat=True).first()


def devices_of(opened: Iterable[Session]) -> dict[UUID, Device]:
    """Return the devices in which sessions were opened, by id, without forgotten ones. One query."""
    return Device.objects.in_bulk({session.device_id for session in opened if session.device_id is not None})


def origins_of(shown: Iterable[Device]) -> dict[UUID, list[SessionOrigin]]:
    """Return where the sessions of devices were opened, by device id, the latest origins first. One query.

    Only sessions that are still kept count (`KEEP_DEAD`), and at most ten origins per device are returned.
    """
    rows = (
        Session.objects.filter(device_id__in=[device.pk for device in shown])
        .values_list("device_id", "country", "network")
        .annotate(last_at=Max("created_at"))
        .order_by("-last_at")
    )
    origins: dict[UUID, list[SessionOrigin]] = {}
    for device_id, country, network, _last_at in rows:
        of_device = origins.setdefault(device_id, [])
        if len(of_device) < _MAX_ORIGINS:
            of_device.append(SessionOrigin(country=country, network=network))
    return origins


def rename_device(*, device: Device, name: str) -> bool:
    """Rename a device. Return whether it still exists."""
    with transaction.atomic():
        renamed = Device.objects.filter(pk=device.pk).update(name=name)
        if renamed:
            _record(SessionEvent.DEVICE_RENAMED, device)
    device.name = name
    return bool(renamed)


def forget_device(*, device: Device, actor: UserLike | None = None) -> bool:
    """Forget a device and end its sessions. The next login in it counts as one in a new device.

    Return whether this call deleted it.

    Raises:
        PermissionRefused: the owner holds more permissions than *actor*.
    """
    check_over(actor, device.user)
    with transaction.atomic():
        # Delete the row first. A login that is being granted in it waits here, or its session is ended below.
        forgotten, _by_model = Device.objects.filter(pk=device.pk).delete()
        if forgotten:
            _record(SessionEvent.DEVICE_FORGOTTEN, device, actor=actor)
            end_sessions_of_device(user=device.user, device_id=device.pk, reason="device_forgotten", actor=actor)
    return bool(forgotten)


def block_device(*, device: Device, actor: UserLike | None = None, reason: str = "") -> bool:
    """Block a device and end its sessions. Return whether this call blocked it.

    Args:
        actor: The user who blocks it, if it is not the owner.
        reason: A closed word for the audit trail, such as ``administrator``.

    Raises:
        PermissionRefused: the owner holds more permissions than *actor*.
    """
    check_over(actor, device.user)
    with transaction.atomic():
        # Update the row first. See `forget_device`.
        blocked = Device.objects.filter(pk=device.pk, blocked_at=None).update(blocked_at=timezone.now())
        if blocked:
            _record(SessionEvent.DEVICE_BLOCKED, device, actor=actor, reason=reason)
            end_sessions_of_device(user=device.user, device_id=device.pk, reason="device_blocked", actor=actor)
    return bool(blocked)


def unblock_device(*, device: Device, actor: UserLike | None = None) -> bool:
    """Unblock a device. Return whether this call unblocked it. Raises the same errors as `block_device`."""
    check_over(actor, device.user)
    with transaction.atomic():
        unblocked = Device.objects.filter(pk=device.pk, blocked_at__isnull=False).update(blocked_at=None)
        if unblocked:
            _record(SessionEvent.DEVICE_UNBLOCKED, device, actor=actor)
    return bool(unblocked)


def end_sessions_of_device(*, user: UserLike, device_id: UUID, reason: str, actor: UserLike | None = None) -> int:
    """End the sessions of *user* in a device. Return how many this call ended."""
    opened_in_it = Session.objects.of(user).unended().filter(device_id=device_id).only(*lifecycle.ENDED_BY)
    return lifecycle.end_these(sessions_to_end=list(opened_in_it), user=user, reason=reason, actor=actor)


def delete_unseen() -> int:
    """Delete devices whose cookies have expired. Blocked devices are kept."""
    long_ago = timezone.now() - sessions.DEVICE_LIFETIME
    return delete_in_batches(Device.objects.filter(last_seen_at__lt=long_ago, blocked_at=None))


def export_of(user: UserLike) -> list[dict[str, Any]]:
    """Return the devices of *user* for a data export, without secrets."""
    columns = ("id", "name", "kind", "os", "browser", "first_seen_at", "last_seen_at", "blocked_at")
    rows = Device.objects.of(user).order_by("-last_seen_at").values(*columns)
    return [{**row, "id": str(row["id"])} for row in rows]


def _secret_of(client: Client) -> str:
    """Return the secret in a cookie with a valid signature. Keys in `SECRET_KEY_FALLBACKS` are accepted."""
    if not _COOKIE.fullmatch(client.device_credential):
        return ""
    try:
        return Signer(salt=_SALT).unsign(client.device_credential)
    except BadSignature:
        return ""


def _latest_additions(user: UserLike, *, before: Device) -> list[datetime]:
    others = Device.objects.of(user).exclude(pk=before.pk).order_by("-first_seen_at")
    return list(others.values_list("first_seen_at", flat=True)[: additions_to_count()])


def additions_to_count() -> int:
    """Return how many of the latest additions of devices `NEW_DEVICE_MAILS` needs."""
    return max(sessions.NEW_DEVICE_MAILS, 1)


def _new_device(user: UserLike, secret: str, description: Description) -> Device:
    """Return the unsaved row of a device that *user* signs in with."""
    moment = timezone.now()
    return Device(
        user=cast("Any", user),
        digest=digest(secret or description.text),
        has_cookie=bool(secret),
        kind=description.kind,
        os=description.os,
        browser=description.browser,
        first_seen_at=moment,
        last_seen_at=moment,
    )


def _record(name: SessionEvent, device: Device, **values: Any) -> None:
    record(Event(name=name, subject=device.user, target=("device", str(device.pk)), **values))
