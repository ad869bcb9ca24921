"""The answer to a permission question: yes or no, and why."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from django.utils.translation import gettext_lazy as _


class DecisionReason(StrEnum):
    """Why the answer is yes or no, in one word. `auth_rbac.explanations` gives the details."""

    SUPERUSER = "superuser"
    ROLE = "role"
    OBJECT = "object"
    ALONE = "alone"
    DENIED = "denied"
    NOTHING = "nothing"
    INACTIVE = "inactive"
    ANONYMOUS = "anonymous"


#: Each reason as a sentence.
SENTENCES = {
    DecisionReason.SUPERUSER: _("Active superusers have every permission."),
    DecisionReason.ROLE: _("Allowed by a role."),
    DecisionReason.OBJECT: _("Allowed by a permission for this object."),
    DecisionReason.ALONE: _("Allowed by a permission assigned directly to the person or a group."),
    DecisionReason.DENIED: _("Denied by a role. A denial overrides every permission."),
    DecisionReason.NOTHING: _("No role or permission grants this."),
    DecisionReason.INACTIVE: _("The account is disabled."),
    DecisionReason.ANONYMOUS: _("Not signed in."),
}

#: The sentence of `DecisionReason.INACTIVE` for a service.
INACTIVE_SERVICE = _("The service is disabled or does not exist any more.")

#: The reasons that allow.
_ALLOWING = frozenset({DecisionReason.SUPERUSER, DecisionReason.ROLE, DecisionReason.OBJECT, DecisionReason.ALONE})


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a person or a service has a permission, why, and how long the answer is valid.

    Args:
        allowed: Yes or no.
        reason: Why.
        until: The earliest beginning or end among the assignments behind the answer. The answer expires then.
            ``None``: only a change can change the answer.
    """

    allowed: bool
    reason: DecisionReason
    until: datetime | None = None

    def __bool__(self) -> bool:
        return self.allowed

    @classmethod
    def of(cls, reason: DecisionReason, until: datetime | None = None) -> "Decision":
        """Return the decision that *reason* stands for."""
        return cls(reason in _ALLOWING, reason, until)

    @property
    def is_denied(self) -> bool:
        """Whether a role denies it. No other backend may allow it then."""
        return self.reason is DecisionReason.DENIED

    def to_json(self) -> dict[str, Any]:
        """Return the form on the wire."""
        return {"allowed": self.allowed, "reason": self.reason.value, "until": self.until}


SUPERUSER = Decision.of(DecisionReason.SUPERUSER)
INACTIVE = Decision.of(DecisionReason.INACTIVE)
ANONYMOUS = Decision.of(DecisionReason.ANONYMOUS)
