"""The models that any site needs, with any user model."""

from auth_core.models.guess_budget import GuessBudget
from auth_core.models.identity import EmailAddress, Identity
from auth_core.models.links import BootstrapLink, EmailVerification, Invitation, ResetLink
from auth_core.models.outbox_message import OutboxMessage
from auth_core.models.pending_login import PendingLogin
from auth_core.models.pending_signup import PendingSignup

__all__ = [
    "BootstrapLink",
    "EmailAddress",
    "EmailVerification",
    "GuessBudget",
    "Identity",
    "Invitation",
    "OutboxMessage",
    "PendingLogin",
    "PendingSignup",
    "ResetLink",
]
