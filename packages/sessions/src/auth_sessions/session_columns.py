"""The columns and the event that every new session has in common."""

from typing import Any

from auth_core.events import AuthEvent, Event, record
from auth_core.people.actors import actor_beside
from auth_core.request.client import Client
from auth_core.request.context import current
from auth_sessions import geo
from auth_sessions.models import Session

#: Prefix that lets secret scanners identify a leaked credential.
PREFIX = "eas"


def client_columns(client: Client | None = None) -> dict[str, Any]:
    """Return the columns for the origin of a session. Without *client*: that of the current request."""
    client = client or current().client or Client()
    location = _location_of(client.ip)
    position = location.position
    return {
        "ip": client.ip or None,
        "network": client.network,
        "user_agent": client.user_agent,
        "country": location.country,
        "latitude": position and position.latitude,
        "longitude": position and position.longitude,
    }


def _location_of(ip: str) -> geo.Location:
    """Return the location of an address.

    An unreadable GeoIP file does not stop the login. The risk assessment has already taken it into account.
    """
    try:
        return geo.location_of(ip)
    except geo.GeoDatabaseUnreadable:
        return geo.UNKNOWN


def record_opened(session: Session, *, reason: str, client: Client | None = None) -> None:
    """Record that *session* was opened, in the transaction that opens it.

    Args:
        reason: ``login``, ``step_up``, or ``site`` for a site's own login.
    """
    record(
        Event(
            name=AuthEvent.SESSION_OPENED,
            subject=session.user,
            actor=actor_beside(session.user, session.actor_id),
            session=session.pk,
            application=session.application_id,
            client=client,
            reason=reason,
            data={"transport": session.transport, "acr": session.facts.acr},
        )
    )
