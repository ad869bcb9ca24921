"""The answers about sessions and devices."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from auth_sessions.devices import SessionOrigin
from auth_sessions.models import Device, Session


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
