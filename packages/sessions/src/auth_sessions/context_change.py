"""Sessions whose context changed: a request comes from another country, browser or network (ASVS 8.2.4).

A stolen credential is used in another place. Users travel and change networks, too. So the session stays valid, but its
evidence no longer counts as fresh. A step-up binds the session to the context in which it was made.

What a client says about itself, such as the user agent, is no proof. A thief may copy it, but one who does not is
detected. Countries are as accurate as the GeoIP database of the site.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

from auth_core.request.client import Client
from auth_sessions import geo
from auth_sessions.conf import sessions
from auth_sessions.models import Session
from auth_sessions.user_agents import describe


def context_changes(session: Session, client: Client | None) -> tuple[str, ...]:
    """Return which parts of the context in `CONTEXT_CHANGES` differ between *client* and *session*.

    It makes no query and compares nothing while address and user agent are the same. An unknown value does not count as
    a difference. Work without a request has no context.
    """
    if client is None or session.user_id is None or _is_same_client(session, client):
        return ()
    return tuple(name for name in sessions.CONTEXT_CHANGES if _CHANGES[name](session, client))


def _is_same_client(session: Session, client: Client) -> bool:
    return session.ip == (client.ip or None) and session.user_agent == client.user_agent


def _has_other_country(session: Session, client: Client) -> bool:
    """Tell whether the country differs. If the GeoIP file cannot be read, a new address counts as a new country."""
    if not session.country or session.ip == client.ip:
        return False
    try:
        country = geo.location_of(client.ip).country
    except geo.GeoDatabaseUnreadable:
        return True
    return bool(country) and country != session.country


def _has_other_user_agent(session: Session, client: Client) -> bool:
    """Tell whether the browser or system family differs. A new version is no difference: browsers update themselves."""
    if not session.user_agent or session.user_agent == client.user_agent:
        return False
    return _family_of(session.user_agent) != _family_of(client.user_agent)


def _has_other_network(session: Session, client: Client) -> bool:
    return bool(session.network) and session.network != client.network


_CHANGES: Mapping[str, Callable[[Session, Client], bool]] = {
    "country": _has_other_country,
    "user_agent": _has_other_user_agent,
    "network": _has_other_network,
}

#: The names that `CONTEXT_CHANGES` may hold.
NAMES = frozenset(_CHANGES)


@lru_cache(maxsize=1024)
def _family_of(user_agent: str) -> tuple[str, str]:
    """Return system and browser family. Parsing a user agent is the most expensive part of a cached request."""
    described = describe(user_agent)
    return described.os, described.browser
