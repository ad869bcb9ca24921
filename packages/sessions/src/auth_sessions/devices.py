"""Devices: the browsers and apps in which somebody has completed a login.

A browser is recognised by a secret that it keeps in a long-lived cookie. We sign it, so
that a forged, truncated or foreign one costs no query, and store its digest alone. One
browser may serve several people, and is known to each of them only once they have
completed a login in it: a cookie that was taken from somebody else's browser is known to
nobody but them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
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
from auth_core.text import Pattern
from auth_sessions import lifecycle, notices
from auth_sessions.conf import sessions
from auth_sessions.events import SessionEvent
from auth_sessions.models import Device, Session
from auth_sessions.user_agents import Description, describe

#: Tells scanners of leaked secrets whose secret this is.
PREFIX = "ead"

_SALT = "auth_sessions.devices"

#: The secret and its signature; whatever looks otherwise is not even compared.
_COOKIE = Pattern(r"(ead_[A-Za-z0-9_-]{43}):[A-Za-z0-9_-]{43}", at_most=91)

#: How many places are told of one device.
_PLACES = 10

#: In which time mails about new devices are counted.
_AN_HOUR = timedelta(hours=1)

#: Rows that one statement deletes.
_BATCH = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """The device of a login that is being granted.

    Args:
        device: Its row.
        is_known: A login of this person was completed in this browser before.
        is_new: It was added by this login.
        has_company: The person has other devices; not asked of a device that is not new.
        is_one_of_many: So many were added within the hour that one more mail tells nothing (`NEW_DEVICE_MAILS`).
        credential: What the browser is to keep; empty for a caller without cookies.
    """

    device: Device
    is_known: bool
    is_new: bool
    has_company: bool
    is_one_of_many: bool = False
    credential: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a session was opened.

    Args:
        country: ISO 3166-1 alpha-2; empty when it is not known.
        network: What is counted together: an IPv4 address, or an IPv6 /64.
    """

    country: str
    network: str


def mark_of(client: Client) -> str:
    """Return the digest of the secret by which the browser behind *client* is recognised; empty without a good cookie.

    An app that is only described has none: anybody can say the same.
    """
    secret = _secret_of(client)
    return digest(secret) if secret else ""


def known_to(client: Client, people: "QuerySet[Any]") -> "QuerySet[Device] | None":
    """Return a query for the rows of the browser behind *client*, one for each of *people* that it is known to.

    Known is who has completed a login in it; a device that is forgotten or blocked is known to nobody. It asks no
    database here; ``None``: there is no cookie that we signed.
    """
    mark = mark_of(client)
    return Device.objects.filter(user__in=people, digest=mark, has_cookie=True, blocked_at=None) if mark else None


def recognise(*, user: Any, client: Client, transport: str) -> Recognised:
    """Note that *user* completes a login with *client*, inside the transaction that grants it.

    One query, and one more for a device that is new.

    Args:
        transport: A browser that keeps a cookie session can keep a device's secret, too; a caller with a
            token that brings none is described by its user agent.

    Raises:
        LoginDenied: the device is blocked.
    """
    secret = _secret_of(client)
    if not secret and transport != Transport.TOKEN:
        secret = new_secret(PREFIX)
    new = _described(user, secret, describe(client.user_agent))
    device = Device.objects.see(new)
    if device is None:
        raise LoginDenied
    is_new = device.pk == new.pk
    latest = _added_latest(user, before=new) if is_new else []
    return Recognised(
        device=device,
        is_known=bool(secret) and not is_new,
        is_new=is_new,
        has_company=not is_new or bool(latest),
        is_one_of_many=sum(at > new.first_seen_at - _AN_HOUR for at in latest) >= sessions.NEW_DEVICE_MAILS,
        # Signed anew at every login: the cookie lives on, and under the newest key.
        credential=Signer(salt=_SALT).sign(secret) if secret else "",
    )


def announce(recognised: Recognised, *, session: Session, client: Client) -> None:
    """Record the device that a login has added, and tell its person; in the transaction that grants it.

    The first device of an account is no news: whoever made the account is at it.
    """
    device = recognised.device
    if not recognised.is_new:
        return
    _record(SessionEvent.DEVICE_ADDED, device, session=session.pk, client=client, data={"kind": device.kind})
    if recognised.has_company and not recognised.is_one_of_many:
        notices.tell_of_new_device(user=device.user, device=device, session=session, client=client)


def own_device(*, user: Any, device_id: UUID | None) -> Device | None:
    """Return a device of *user*; somebody else's is not found."""
    return Device.objects.of(user).filter(pk=device_id).first() if device_id else None


def device_id_of(session_id: UUID) -> UUID | None:
    """Return the device in which a session was opened."""
    return Session.objects.filter(pk=session_id).values_list("device_id", flat=True).first()


def devices_of(opened: Iterable[Session]) -> dict[UUID, Device]:
    """Return the devices in which sessions were opened, by their ids; one query. A forgotten one is not among them."""
    return Device.objects.in_bulk({session.device_id for session in opened if session.device_id is not None})


def places_of(seen: Iterable[Device]) -> dict[UUID, list[Place]]:
    """Return where the sessions of devices were opened, by the devices' ids, the latest places first; one query.

    Only sessions that are still kept are known (`KEEP_DEAD`), and of each device at most ten places.
    """
    rows = (
        Session.objects.filter(device_id__in=[device.pk for device in seen])
        .values_list("device_id", "country", "network")
        .annotate(last_at=Max("created_at"))
        .order_by("-last_at")
    )
    places: dict[UUID, list[Place]] = {}
    for device_id, country, network, _last_at in rows:
        of_device = places.setdefault(device_id, [])
        if len(of_device) < _PLACES:
            of_device.append(Place(country=country, network=network))
    return places


def rename_device(*, device: Device, name: str) -> bool:
    """Call a device something else; say whether it is still there."""
    with transaction.atomic():
        renamed = Device.objects.filter(pk=device.pk).update(name=name)
        if renamed:
            _record(SessionEvent.DEVICE_RENAMED, device)
    device.name = name
    return bool(renamed)


def forget_device(*, device: Device, actor: Any = None) -> bool:
    """Forget a device and end its sessions; the next login in it is one in a new device.

    Say whether this caller was the one who did.

    Raises:
        PermissionRefused: its person holds more than *actor*.
    """
    check_over(actor, device.user)
    with transaction.atomic():
        # The row goes first: a login that is being granted in it waits here, or has its session ended below.
        forgotten, _by_model = Device.objects.filter(pk=device.pk).delete()
        if forgotten:
            _record(SessionEvent.DEVICE_FORGOTTEN, device, actor=actor)
            end_sessions_of_device(user=device.user, device_id=device.pk, reason="device_forgotten", actor=actor)
    return bool(forgotten)


def block_device(*, device: Device, actor: Any = None, reason: str = "") -> bool:
    """Let nobody sign in with a device any more, and end its sessions; say whether this caller was the one who did.

    Args:
        actor: Who blocked it, when that is somebody else.
        reason: Closed word for the trail, such as ``administrator``.

    Raises:
        PermissionRefused: its person holds more than *actor*.
    """
    check_over(actor, device.user)
    with transaction.atomic():
        # The row goes first: see `forget_device`.
        blocked = Device.objects.filter(pk=device.pk, blocked_at=None).update(blocked_at=timezone.now())
        if blocked:
            _record(SessionEvent.DEVICE_BLOCKED, device, actor=actor, reason=reason)
            end_sessions_of_device(user=device.user, device_id=device.pk, reason="device_blocked", actor=actor)
    return bool(blocked)


def unblock_device(*, device: Device, actor: Any = None) -> bool:
    """Let people sign in with a device again; say whether this caller was the one who did. Raises as `block_device`."""
    check_over(actor, device.user)
    with transaction.atomic():
        unblocked = Device.objects.filter(pk=device.pk, blocked_at__isnull=False).update(blocked_at=None)
        if unblocked:
            _record(SessionEvent.DEVICE_UNBLOCKED, device, actor=actor)
    return bool(unblocked)


def end_sessions_of_device(*, user: Any, device_id: UUID, reason: str, actor: Any = None) -> int:
    """End the sessions that *user* has opened in a device; return how many this caller ended."""
    in_it = Session.objects.of(user).unended().filter(device_id=device_id).only("pk", "token_digest")
    return lifecycle.end_these(sessions_to_end=list(in_it), user=user, reason=reason, actor=actor)


def delete_unseen() -> int:
    """Delete devices whose cookies have expired, in batches; those that are blocked stay."""
    long_ago = timezone.now() - sessions.DEVICE_LIFETIME
    unseen = Device.objects.filter(last_seen_at__lt=long_ago, blocked_at=None)
    deleted = 0
    while keys := list(unseen.values_list("pk", flat=True)[:_BATCH]):
        deleted += unseen.filter(pk__in=keys).delete()[0]
    return deleted


def export_of(user: Any) -> list[dict[str, Any]]:
    """Return what belongs to *user* and is not secret."""
    columns = ("id", "name", "kind", "os", "browser", "first_seen_at", "last_seen_at", "blocked_at")
    rows = Device.objects.of(user).order_by("-last_seen_at").values(*columns)
    return [{**row, "id": str(row["id"])} for row in rows]


def _secret_of(client: Client) -> str:
    """Return the secret of a browser, if we signed it; keys before the present one count (`SECRET_KEY_FALLBACKS`)."""
    if not _COOKIE.fullmatch(client.device_credential):
        return ""
    try:
        return Signer(salt=_SALT).unsign(client.device_credential)
    except BadSignature:
        return ""


def _added_latest(user: Any, *, before: Device) -> list[datetime]:
    """Return when the other devices of *user* were added, the latest first, as many as tell whether it is a flood."""
    others = Device.objects.of(user).exclude(pk=before.pk).order_by("-first_seen_at")
    return list(others.values_list("first_seen_at", flat=True)[: max(sessions.NEW_DEVICE_MAILS, 1)])


def _described(user: Any, secret: str, said: Description) -> Device:
    """Return the row of a device in which somebody signs in for the first time."""
    moment = timezone.now()
    return Device(
        user=user,
        digest=digest(secret or said.text),
        has_cookie=bool(secret),
        kind=said.kind,
        os=said.os,
        browser=said.browser,
        first_seen_at=moment,
        last_seen_at=moment,
    )


def _record(name: SessionEvent, device: Device, **more: Any) -> None:
    record(Event(name=name, subject=device.user, target=("device", str(device.pk)), **more))
