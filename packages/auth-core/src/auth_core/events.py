"""Events: what happened, said once, next to the change and in its transaction.

`record` sends `event_recorded` with ``send``, never ``send_robust``: a receiver that
cannot keep the event (the trail) undoes the change it belongs to.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

from django.dispatch import Signal

from auth_core.registries import Registry
from auth_core.request.client import Client


class Severity(StrEnum):
    """How much an event concerns whoever watches."""

    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ALERT = "alert"


class Retention(Enum):
    """How long an entry of this class is kept."""

    ACTIVITY = timedelta(days=180)
    SECURITY = timedelta(days=400)
    ACCOUNTABILITY = timedelta(days=3650)


class EventName(StrEnum):
    """The names that one package records; subclass it once per package, in ``events.py``.

    A member is ``value, sentence, severity, retention, fields, personal``: *fields*
    are the keys that ``data`` may have, *personal* those of them that tell of a person.
    """

    sentence: str
    severity: Severity
    retention: Retention
    fields: frozenset[str]
    personal: frozenset[str]

    def __new__(
        cls,
        value: str,
        sentence: str,
        severity: Severity = Severity.INFO,
        retention: Retention = Retention.SECURITY,
        fields: tuple[str, ...] = (),
        personal: tuple[str, ...] = (),
    ) -> "EventName":
        """Make one member, with what is known about it."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.sentence = sentence
        member.severity = severity
        member.retention = retention
        member.fields = frozenset(fields) | frozenset(personal)
        member.personal = frozenset(personal)
        return member


#: <area>.<noun>.<past participle>
_PARTS = 3


class EventOutcome(StrEnum):
    """How it ended."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened: ids and closed values, never a secret, never free text from outside.

    Args:
        name: A member of a registered `EventName`.
        subject: The person it happened to; a user, or ``None`` while nobody knows who it is.
        actor: Who did it, when that is somebody else.
        on_behalf_of: For whom the actor did it, when that is a third.
        session: Public id of the session it happened in.
        application: Public id of the application it happened through.
        outcome: How it ended.
        reason: Closed word that says why.
        target: What it was done to, as ``(kind, public id)``.
        client: Where it came from; the current request's when left out.
        data: Further closed values, with the keys that the name declares.
        changes: Changed fields of the target, each as ``{"before": …, "after": …}``; never a secret one.
    """

    name: EventName
    subject: Any = None
    actor: Any = None
    on_behalf_of: Any = None
    session: UUID | None = None
    application: UUID | None = None
    outcome: EventOutcome = EventOutcome.SUCCESS
    reason: str = ""
    target: tuple[str, str] | None = None
    client: Client | None = None
    data: Mapping[str, Any] = field(default_factory=dict)
    changes: Mapping[str, Any] = field(default_factory=dict)


class UnregisteredEvent(Exception):
    """An event was recorded under a name, or with a key, that no catalogue declares."""


#: Names that may be recorded -> the member.
catalogue: Registry[EventName] = Registry("Event")

#: Sent inside the transaction of the change, with ``event``: an `Event`. A receiver
#: that raises undoes the change.
event_recorded = Signal()


def register_events(names: type[EventName]) -> type[EventName]:
    """Add every member of *names* to the catalogue.

    Raises:
        ValueError: a name is registered already, or is not ``area.noun.participle``.
    """
    for member in names:
        if len(member.value.split(".")) != _PARTS:
            raise ValueError(f"{member.value!r} is not <area>.<noun>.<past participle>.")
        catalogue.register(member.value, member)
    return names


def record(event: Event) -> None:
    """Tell everybody who listens; the trail keeps it in the transaction that is open.

    Raises:
        UnregisteredEvent: the name or a key of ``data`` is not in the catalogue.
    """
    if catalogue.get(event.name) is not event.name:
        raise UnregisteredEvent(f"{event.name!r} is in no catalogue.")
    if unknown := set(event.data) - event.name.fields:
        raise UnregisteredEvent(f"{event.name.value} declares no {', '.join(sorted(unknown))}.")
    event_recorded.send(sender=type(event.name), event=event)


@register_events
class AuthEvent(EventName):
    """What auth_core records, and what other packages act on."""

    LOGIN_STARTED = "auth.login.started", "A login has begun: the first proof was right."
    LOGIN_CHALLENGED = (
        "auth.login.challenged",
        "A further proof was asked for.",
        Severity.INFO,
        Retention.SECURITY,
        ("kind",),
    )
    LOGIN_FAILED = (
        "auth.login.failed",
        "A proof was wrong, or who gave it may not come in.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("purpose",),
    )
    LOGIN_DENIED = (
        "auth.login.denied",
        "Policy refused a login.",
        Severity.WARNING,
        Retention.SECURITY,
        ("purpose", "score"),
    )
    LOGIN_SUCCEEDED = (
        "auth.login.succeeded",
        "A login was granted.",
        Severity.INFO,
        Retention.SECURITY,
        ("purpose", "acr", "methods", "score"),
    )
    LOGOUT_COMPLETED = "auth.logout.completed", "A person signed out."
    ACCOUNT_CREATED = (
        "auth.account.created",
        "An account was made.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("superuser",),
    )
    ACCOUNT_DISABLED = (
        "auth.account.disabled",
        "An account was disabled; its sessions end.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    ACCOUNT_ENABLED = (
        "auth.account.enabled",
        "An account was enabled again.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    ACCOUNT_LOCKED = "auth.account.locked", "An account was locked.", Severity.NOTICE, Retention.ACCOUNTABILITY
    ACCOUNT_UNLOCKED = "auth.account.unlocked", "A lock was taken away.", Severity.NOTICE, Retention.ACCOUNTABILITY
    PASSWORD_CHANGED = "auth.password.changed", "A password was changed; other sessions end.", Severity.NOTICE
    PASSWORD_CHANGE_FAILED = (
        "auth.password.refused",
        "A password was not changed: the present one was wrong.",
        Severity.NOTICE,
    )
    PASSWORD_RESET_REQUESTED = (
        "auth.password.reset_requested",
        "Somebody asked for a link that resets a password.",
        Severity.NOTICE,
    )
    PASSWORD_RESET = "auth.password.reset", "A password was reset by link; all sessions end.", Severity.NOTICE
    EMAIL_VERIFIED = "auth.email.verified", "An address was proven."
    SIGNUP_REQUESTED = "auth.signup.requested", "Somebody wants an account; the subject has the address already."
    CONFIRMATION_RESENT = "auth.confirmation.resent", "Somebody asked again for the mail that proves an address."
    CONFIRMATION_FAILED = (
        "auth.confirmation.failed",
        "A code or password that should have proven an address was wrong.",
        Severity.NOTICE,
    )
    INVITATION_SENT = "auth.invitation.sent", "Somebody was invited.", Severity.NOTICE, Retention.ACCOUNTABILITY
    INVITATION_ACCEPTED = (
        "auth.invitation.accepted",
        "An invited person made their account.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    INVITATION_WITHDRAWN = (
        "auth.invitation.withdrawn",
        "An invitation was withdrawn.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    BOOTSTRAP_OPENED = (
        "auth.bootstrap.opened",
        "A link was made that makes the first administrator.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
    )
    BOOTSTRAP_COMPLETED = (
        "auth.bootstrap.completed",
        "The first administrator was made.",
        Severity.ALERT,
        Retention.ACCOUNTABILITY,
    )
    LIMIT_REFUSED = (
        "auth.limit.refused",
        "A budget was used up.",
        Severity.WARNING,
        Retention.SECURITY,
        ("use", "counted"),
    )
    ACCESS_DENIED = (
        "auth.access.denied",
        "Somebody who is signed in was refused what they may not do or see.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("route", "method"),
    )
    THREAT_DETECTED = (
        "auth.threat.detected",
        "Something looked like an attack.",
        Severity.ALERT,
        Retention.SECURITY,
        ("route", "method"),
    )
    CONTROL_DEGRADED = (
        "auth.control.degraded",
        "What protects this site works only in part, in one process.",
        Severity.WARNING,
        Retention.SECURITY,
        ("control", "part", "process"),
    )
    CONTROL_RESTORED = (
        "auth.control.restored",
        "What protects this site works in full again, in one process.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("control", "part", "process"),
    )
    SESSION_OPENED = (
        "session.session.opened",
        "A session was opened.",
        Severity.INFO,
        Retention.SECURITY,
        ("transport", "acr"),
    )
    SESSION_ENDED = "session.session.ended", "A session was ended.", Severity.INFO, Retention.SECURITY
    FACTOR_ADDED = (
        "mfa.factor.added",
        "A second factor was added.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("method",),
    )
    FACTOR_REMOVED = (
        "mfa.factor.removed",
        "A second factor was removed.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
        ("method",),
    )
