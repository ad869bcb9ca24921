"""Names the session, the application and the people of the current request in an event."""

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from auth_core.request.context import CurrentSession
from auth_core.users import UserLike

if TYPE_CHECKING:
    from auth_core.events import Event


def attributed(event: "Event", session: CurrentSession | None) -> "Event":
    """Return *event* with what the caller left out and *session* has: the session, the application, and who acted.

    What the caller stated stays. The session and the application belong together:

    =======================  ============  ====================================
    session in the event     session       application
    =======================  ============  ====================================
    none, or the current     the current   as stated, else that of the session
    another                  as stated     as stated
    =======================  ============  ====================================

    A session with an actor makes every event name both people, the actor and the person whose session it is. No one
    can hide behind the other. Code of a request knows only ``request.user``, the person of the session, so where it
    says that they acted, the actor did:

    =========================  =============  =======================  ===========================
    actor in the event         actor          subject                  on_behalf_of
    =========================  =============  =======================  ===========================
    none, or the person        the actor      the person               as stated
    none, or the person        the actor      another person, or none  as stated, else the person
    the actor of the session   as stated      as in the two rows above
    another                    as stated      any                      as stated
    =========================  =============  =======================  ===========================

    Args:
        session: The session of the current request. ``None``, as in a command or a task: nothing is filled in.
    """
    if session is None:
        return event
    filled: dict[str, Any] = {}
    if event.session in (None, session.id):
        filled = {"session": session.id, "application": event.application or session.application}
    people = (session.person, session.actor)
    if session.actor is not None and (event.actor is None or any(_is_same(event.actor, each) for each in people)):
        filled["actor"] = session.actor
        if event.on_behalf_of is None and not _is_same(event.subject, session.person):
            filled["on_behalf_of"] = session.person
    return replace(event, **filled)


def _is_same(person: UserLike | None, other: UserLike) -> bool:
    return person is not None and person.pk == other.pk
