"""The audit entries of one person, as shown to that person."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from auth_audit.models import AuditEntry
from auth_audit.personal.readable_entry import ReadableEntry
from auth_core.events import EventOutcome, catalogue


def sentence_of(name: str) -> str:
    """Return the sentence in the catalogue, or the name if no installed package declares the event."""
    event_name = catalogue.get(name)
    return _(event_name.sentence) if event_name else name


def activity_item(
    readable: ReadableEntry, subject: UUID, sentence: Callable[[str], str] = sentence_of
) -> dict[str, Any]:
    """Return an entry as shown to the person with the public id *subject*.

    If another person acted, their session, address and browser are left out. The person affected by an action
    is never shown to the one who acted.

    Args:
        readable: The entry.
        subject: Who reads it.
        sentence: `sentence_of`, or a cache of it for a page, whose entries have few names.
    """
    entry = readable.entry
    is_own = entry.actor_id in (None, subject)
    return {
        "id": str(entry.pk),
        "name": entry.name,
        "what": sentence(entry.name),
        "when": entry.recorded_at,
        "outcome": entry.outcome,
        "by": _by(entry, is_own=is_own),
        "session": id_text(entry.session_id) if is_own else None,
        "ip": readable.ip if is_own else None,
        "user_agent": readable.user_agent if is_own else None,
    }


def id_text(identifier: UUID | None) -> str | None:
    """Return an id as JSON has it. DRF's encoder makes the same text, after it has tried every other type."""
    return None if identifier is None else str(identifier)


def _by(entry: AuditEntry, *, is_own: bool) -> str:
    """Return who acted. A failed attempt may be by anyone, so its actor is unknown."""
    if not is_own:
        return "somebody_else"
    return "you" if entry.outcome == EventOutcome.SUCCESS else "unknown"
