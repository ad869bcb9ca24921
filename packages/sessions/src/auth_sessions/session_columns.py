"""What every opening of a session has in common, whoever opens it."""

from typing import Any

from auth_core.events import AuthEvent, Event, record
from auth_core.request.client import Client
from auth_core.request.context import current
from auth_sessions import geo
from auth_sessions.models import Session

#: Tells scanners of leaked secrets whose credential this is.
PREFIX = "eas"


def client_columns(client: Client | None = None) -> dict[str, Any]:
    """Return the columns that tell where a session was opened; the current request's when *client* is left out."""
    client = client or current().client or Client()
    place = _place_of(client.ip)
    position = place.position
    return {
        "ip": client.ip or None,
        "network": client.network,
        "user_agent": client.user_agent,
        "country": place.country,
        "latitude": position and position.latitude,
        "longitude": position and position.longitude,
    }


def _place_of(ip: str) -> geo.Place:
    """Return where it was opened; a table that cannot be read keeps nobody out, the assessment has judged it."""
    try:
        return geo.place_of(ip)
    except geo.GeoLost:
        return geo.NOWHERE


def record_opened(session: Session, *, reason: str, client: Client | None = None) -> None:
    """Record that *session* is open, in the transaction that opens it.

    Args:
        reason: ``login``, ``step_up``, or ``site`` for a login that was not ours.
    """
    record(
        Event(
            name=AuthEvent.SESSION_OPENED,
            subject=session.user,
            session=session.pk,
            client=client,
            reason=reason,
            data={"transport": session.transport, "acr": session.facts.acr},
        )
    )
