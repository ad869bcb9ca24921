"""A person's own view: the same entries, in plain words, and nothing of anybody else."""

from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from auth_audit.models import AuditEntry
from auth_core.events import EventOutcome, catalogue


def told(entry: AuditEntry, subject: UUID) -> dict[str, Any]:
    """Return what the person known as *subject* is told of *entry*.

    Where somebody else acted, their address and browser are theirs; where the person acted on
    somebody else, whom it happened to is not said.
    """
    is_own = entry.actor_id in (None, subject)
    return {
        "id": str(entry.pk),
        "name": entry.name,
        "what": _sentence(entry.name),
        "when": entry.recorded_at,
        "outcome": entry.outcome,
        "by": _by(entry, is_own=is_own),
        "session": entry.session_id if is_own else None,
        "ip": entry.ip if is_own else None,
        "user_agent": entry.user_agent if is_own else "",
    }


def _by(entry: AuditEntry, *, is_own: bool) -> str:
    """Say who it was, as far as that is known: whoever failed to prove that they are somebody may be anybody."""
    if not is_own:
        return "somebody_else"
    return "you" if entry.outcome == EventOutcome.SUCCESS else "unknown"


def _sentence(name: str) -> str:
    """Return the catalogue's sentence; an entry outlives the package that recorded it."""
    known = catalogue.get(name)
    return _(known.sentence) if known else name
