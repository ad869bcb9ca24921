"""The answers about sessions and devices: their shapes, for the schema, and the functions that fill them."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from rest_framework import serializers

from auth_core.api.answers import Shape
from auth_sessions.devices import SessionOrigin
from auth_sessions.models import Device, Session


class PlaceShape(Shape):
    """Where a session was opened, by its network address."""

    country = serializers.CharField(allow_null=True, help_text="ISO 3166-1 alpha-2.")
    network = serializers.CharField(allow_null=True, help_text="An IPv4 address, or an IPv6 /64.")


class SessionDeviceShape(Shape):
    """The browser or app of a session."""

    id = serializers.UUIDField()
    name = serializers.CharField(allow_blank=True)
    kind = serializers.CharField(help_text="desktop, mobile, tablet, app, bot or other.")
    os = serializers.CharField(allow_blank=True)
    browser = serializers.CharField(allow_blank=True)


class SessionShape(Shape):
    """A session, as its owner sees it."""

    id = serializers.UUIDField()
    current = serializers.BooleanField()
    transport = serializers.CharField()
    acr = serializers.CharField()
    amr = serializers.ListField(child=serializers.CharField())
    auth_time = serializers.DateTimeField()
    created_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    idle_expires_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    application = serializers.UUIDField(allow_null=True, help_text="Public id of the application. Null: none.")
    actor = serializers.UUIDField(
        allow_null=True, help_text="Public id of the person who acts in it. Null: its user acts."
    )
    ip = serializers.IPAddressField(allow_null=True)
    user_agent = serializers.CharField(allow_blank=True)
    place = PlaceShape()
    device = SessionDeviceShape(allow_null=True)
    risk_score = serializers.IntegerField(allow_null=True, help_text="0 to 100. Null: not assessed.")


class RiskReasonShape(Shape):
    """One signal that added to the score."""

    signal = serializers.CharField()
    weight = serializers.IntegerField()
    evidence = serializers.CharField()


class RiskShape(Shape):
    """The risk assessment of the login that opened a session."""

    score = serializers.IntegerField(allow_null=True, help_text="0 to 100. Null: not assessed.")
    demand = serializers.CharField(allow_null=True, help_text="The current demand for this score.")
    reasons = RiskReasonShape(many=True)


class FoundSessionShape(SessionShape):
    """A session, as an administrator sees it."""

    subject = serializers.UUIDField(allow_null=True, help_text="Public id of the user.")
    device_known = serializers.BooleanField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)
    ended_reason = serializers.CharField(allow_blank=True)


class DeviceShape(SessionDeviceShape):
    """A device, as its owner sees it."""

    current = serializers.BooleanField(help_text="Whether this session was opened in it.")
    recognised = serializers.BooleanField(
        help_text="Whether a cookie identifies it. Otherwise it is only described and never known."
    )
    first_seen_at = serializers.DateTimeField()
    last_seen_at = serializers.DateTimeField()
    blocked_at = serializers.DateTimeField(allow_null=True)
    places = PlaceShape(many=True)


def session_answer(session: Session, *, current: UUID | None, device: Device | None) -> dict[str, Any]:
    """Return the ``Session`` shape.

    Args:
        current: Public id of the session of this request.
        device: The device in which it was opened, unless it was forgotten.
    """
    facts = session.facts
    return {
        "id": str(session.pk),
        "current": session.pk == current,
        "transport": session.transport,
        "acr": facts.acr,
        "amr": facts.amr,
        "auth_time": facts.authenticated_at,
        "created_at": session.created_at,
        "last_seen_at": session.last_seen_at,
        "idle_expires_at": facts.idle_expires_at,
        "expires_at": facts.expires_at,
        "application": facts.application,
        "actor": facts.actor,
        "ip": session.ip,
        "user_agent": session.user_agent,
        "place": origin_answer(SessionOrigin(country=session.country, network=session.network)),
        "device": None if device is None else described_answer(device),
        "risk_score": session.risk_score,
    }


def found_answer(session: Session, *, current: UUID | None, device: Device | None) -> dict[str, Any]:
    """Return the ``FoundSession`` shape. The user and their identity were read with the session."""
    identity = getattr(session.user, "auth_identity", None)
    return {
        **session_answer(session, current=current, device=device),
        "subject": None if identity is None else str(identity.subject_id),
        "device_known": session.device_known,
        "ended_at": session.ended_at,
        "ended_reason": session.ended_reason,
    }


def device_answer(device: Device, *, current: UUID | None, origins: Iterable[SessionOrigin]) -> dict[str, Any]:
    """Return the ``Device`` shape.

    Args:
        current: Id of the device of this request.
        origins: Where its sessions were opened.
    """
    return {
        **described_answer(device),
        "current": device.pk == current,
        "recognised": device.has_cookie,
        "first_seen_at": device.first_seen_at,
        "last_seen_at": device.last_seen_at,
        "blocked_at": device.blocked_at,
        "places": [origin_answer(origin) for origin in origins],
    }


def described_answer(device: Device) -> dict[str, Any]:
    """Return the ``SessionDevice`` shape."""
    return {
        "id": str(device.pk),
        "name": device.name,
        "kind": device.kind,
        "os": device.os,
        "browser": device.browser,
    }


def origin_answer(origin: SessionOrigin) -> dict[str, Any]:
    """Return the ``Place`` shape."""
    return {"country": origin.country or None, "network": origin.network or None}
