"""The answer to: may this person do that?"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class Reason(StrEnum):
    """Why, in one word; `auth_rbac.explanations.explanations` tells it whole."""

    SUPERUSER = "superuser"
    ROLE = "role"
    OBJECT = "object"
    ALONE = "alone"
    DENIED = "denied"
    NOTHING = "nothing"
    INACTIVE = "inactive"
    ANONYMOUS = "anonymous"


#: What each reason means to people.
SENTENCES = {
    Reason.SUPERUSER: _("An active superuser may do everything; Django asks no backend."),
    Reason.ROLE: _("A role lets."),
    Reason.OBJECT: _("A permission for this one object lets."),
    Reason.ALONE: _("A permission of Django's own, of the person or of a group, lets."),
    Reason.DENIED: _("A role denies it, and a denial wins."),
    Reason.NOTHING: _("Nothing lets."),
    Reason.INACTIVE: _("The account is disabled."),
    Reason.ANONYMOUS: _("Nobody is signed in."),
}

#: Those that say yes.
_YES = frozenset({Reason.SUPERUSER, Reason.ROLE, Reason.OBJECT, Reason.ALONE})


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether somebody may, why, and until when this is known.

    Args:
        allowed: Yes or no.
        reason: Why.
        until: The earliest beginning or end among the assignments it rests on: the answer is asked
            again then; ``None``: only a change can change it.
    """

    allowed: bool
    reason: Reason
    until: datetime | None = None

    def __bool__(self) -> bool:
        return self.allowed

    @classmethod
    def of(cls, reason: Reason, until: datetime | None = None) -> "Decision":
        """Return the decision that *reason* stands for."""
        return cls(reason in _YES, reason, until)

    @property
    def is_denied(self) -> bool:
        """Whether somebody said no, and not merely nobody yes: no other backend is asked then."""
        return self.reason is Reason.DENIED

    def to_json(self) -> dict[str, Any]:
        """Return the form on the wire."""
        return {"allowed": self.allowed, "reason": self.reason.value, "until": self.until}


SUPERUSER = Decision.of(Reason.SUPERUSER)
INACTIVE = Decision.of(Reason.INACTIVE)
ANONYMOUS = Decision.of(Reason.ANONYMOUS)
