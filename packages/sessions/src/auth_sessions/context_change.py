"""Sessions that stray: used from another country, browser or network than where they were proved (ASVS 8.2.4).

A credential that was stolen is used somewhere else. People travel, too, and networks change
under them: so the session goes on, and only what asks for a proof asks for a new one. The step-up
gives the session the place where it was made, and it is at home there.

What the caller says of itself, such as the user agent, is no proof, and a thief may copy it; one who
forgot to is caught by it. Countries are as good as the table that the site gave.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache

from auth_core.request.client import Client
from auth_sessions import geo
from auth_sessions.conf import sessions
from auth_sessions.models import Session
from auth_sessions.user_agents import describe


def strayed(session: Session, client: Client | None) -> tuple[str, ...]:
    """Return what of *client* is another than where *session* was proved, of that which `STRAYS` names.

    Asks no database, and nothing at all while address and user agent are the same. What is not
    known, there or here, is not another; nor is anything of work without a request.
    """
    if client is None or session.user_id is None or _is_same(session, client):
        return ()
    return tuple(name for name in sessions.STRAYS if _CHANGES[name](session, client))


def _is_same(session: Session, client: Client) -> bool:
    return session.ip == (client.ip or None) and session.user_agent == client.user_agent


def _another_country(session: Session, client: Client) -> bool:
    """A table that cannot be read now keeps no secret of a thief: whoever has moved proves who they are."""
    if not session.country or session.ip == client.ip:
        return False
    try:
        country = geo.place_of(client.ip).country
    except geo.GeoLost:
        return True
    return bool(country) and country != session.country


def _another_user_agent(session: Session, client: Client) -> bool:
    """Another version is not another browser: they renew themselves while somebody is signed in."""
    if not session.user_agent or session.user_agent == client.user_agent:
        return False
    return _family_of(session.user_agent) != _family_of(client.user_agent)


def _another_network(session: Session, client: Client) -> bool:
    return bool(session.network) and session.network != client.network


_CHANGES: Mapping[str, Callable[[Session, Client], bool]] = {
    "country": _another_country,
    "user_agent": _another_user_agent,
    "network": _another_network,
}

#: What `STRAYS` may name.
NAMES = frozenset(_CHANGES)


@lru_cache(maxsize=1024)
def _family_of(user_agent: str) -> tuple[str, str]:
    """Return system and browser; reading a user agent takes longer than all else that a warm request does."""
    described = describe(user_agent)
    return described.os, described.browser
