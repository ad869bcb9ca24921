"""Events: each change records one, next to the change and in its transaction.

`record` sends `event_recorded` with ``send``, never ``send_robust``. A receiver that
cannot store the event, such as the audit trail, therefore rolls the change back.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta
from enum import Enum, StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction
from django.dispatch import Signal

from auth_core.registries import Registry
from auth_core.request.attribution import attributed
from auth_core.request.client import Client
from auth_core.request.context import current_session


class Severity(StrEnum):
    """How important an event is to an operator."""

    INFO = "info"
    NOTICE = "notice"
    WARNING = "warning"
    ALERT = "alert"


class Retention(Enum):
    """How long an entry of this class is kept."""

    SECURITY = timedelta(days=400)
    ACCOUNTABILITY = timedelta(days=3650)


class EventName(StrEnum):
    """The names of the events of one package. Subclass it once per package, in ``events.py``.

    A member is ``value, sentence, severity, retention, fields, personal``. *fields* are the
    keys that ``data`` may have. *personal* are further keys, for values that identify a person.
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
        """Create a member with its attributes."""
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
    """The outcome of an event."""

    SUCCESS = "success"
    FAILURE = "failure"
    DENIED = "denied"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An occurrence: ids and closed values, never a secret and never free text from outside.

    Args:
        name: A member of a registered `EventName`.
        subject: The user that it happened to. ``None`` if the person is unknown.
        actor: The user who did it, if different from the subject.
        on_behalf_of: The user in whose session the actor did it, if different from the subject.
        session: Public id of the session. Defaults to the session of the current request. See `auth_core.request.attribution`.
        application: Public id of the application that *session* was opened for, or that a login is for.
        outcome: The outcome.
        reason: Closed word for the reason.
        target: The object that it was done to, as ``(kind, public id)``.
        client: The origin of the request. Defaults to the client of the current request.
        data: Further closed values, with the keys that the name declares.
        changes: Changed fields of the target, each as ``{"before": …, "after": …}``. Never a secret field.
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
    """Raised when an event has a name or a key that no catalogue declares."""


#: The registered names, each with its member.
catalogue: Registry[EventName] = Registry("Event")

#: Sent inside the transaction of the change, with ``event``: an `Event`. A receiver that raises an error rolls the
#: change back.
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
    """Send an event to all receivers, with what is known of the current session. See `auth_core.request.attribution`.

    The trail stores it in the open transaction.

    Raises:
        UnregisteredEvent: the name or a key of ``data`` is not in the catalogue.
    """
    if catalogue.get(event.name) is not event.name:
        raise UnregisteredEvent(f"{event.name!r} is not registered.")
    if unknown := set(event.data) - event.name.fields:
        raise UnregisteredEvent(f"{event.name.value} does not declare: {', '.join(sorted(unknown))}.")
    event_recorded.send(sender=type(event.name), event=attributed(event, current_session()))


@dataclass(slots=True)
class _Together:
    """What receivers store at the end of the open transaction, by the function that stores it."""

    savepoints: int
    waiting: dict[Callable[[Sequence[Any]], None], list[Any]] = field(default_factory=dict)


#: The transaction of `recorded_together` that is open in this context.
_together: ContextVar[_Together | None] = ContextVar("auth_core_recorded_together", default=None)


@contextmanager
def recorded_together(*, last: Callable[[], object] | None = None) -> Iterator[None]:
    """Open a durable transaction at whose end receivers store all its events at once (`store_together`).

    What a receiver cannot store rolls the transaction back, as usual.

    Args:
        last: Called after that, just before the commit. For a statement that locks rows for which many others wait.
    """
    with transaction.atomic(durable=True):
        together = _Together(len(transaction.get_connection().savepoint_ids))
        token = _together.set(together)
        try:
            yield
        finally:
            _together.reset(token)
        for store, items in together.waiting.items():
            store(items)
        if last is not None:
            last()


def store_together(item: object, store: Callable[[Sequence[Any]], None]) -> None:
    """Call *store* with *item* and others at the end of `recorded_together`, or at once with *item* alone.

    At once also inside a savepoint: its rollback must undo the item, too.
    """
    together = _together.get()
    if together is None or len(transaction.get_connection().savepoint_ids) != together.savepoints:
        store([item])
    else:
        together.waiting.setdefault(store, []).append(item)


#: Whether the code that causes a signal of Django records its own event.
_records_itself: ContextVar[bool] = ContextVar("auth_core_records_itself", default=False)


@contextmanager
def recorded_by_caller() -> Iterator[None]:
    """Say that the code inside the block records what it does. Receivers of Django's own signals then record nothing."""
    token = _records_itself.set(True)
    try:
        yield
    finally:
        _records_itself.reset(token)


def is_recorded_by_caller() -> bool:
    """Return whether the code that causes a signal of Django records its own event."""
    return _records_itself.get()


@register_events
class AuthEvent(EventName):
    """The events that auth_core records, and those that other packages act on."""

    LOGIN_STARTED = "auth.login.started", "A login has started: the first factor was correct."
    LOGIN_CHALLENGED = (
        "auth.login.challenged",
        "A further factor was requested.",
        Severity.INFO,
        Retention.SECURITY,
        ("kind",),
    )
    LOGIN_FAILED = (
        "auth.login.failed",
        "A login failed: a wrong answer, or an account that may not sign in.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("purpose",),
    )
    LOGIN_DENIED = (
        "auth.login.denied",
        "A policy denied a login.",
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
        "An account was created.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("superuser",),
    )
    ACCOUNT_DISABLED = (
        "auth.account.disabled",
        "An account was disabled, and its sessions end.",
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
    ACCOUNT_UNLOCKED = "auth.account.unlocked", "An account was unlocked.", Severity.NOTICE, Retention.ACCOUNTABILITY
    PASSWORD_CHANGED = "auth.password.changed", "A password was changed, and other sessions end.", Severity.NOTICE
    PASSWORD_CHANGE_FAILED = (
        "auth.password.refused",
        "A password was not changed: the current password was wrong.",
        Severity.NOTICE,
    )
    PASSWORD_RESET_REQUESTED = (
        "auth.password.reset_requested",
        "A password reset link was requested.",
        Severity.NOTICE,
    )
    PASSWORD_RESET = "auth.password.reset", "A password was reset by link, and all sessions end.", Severity.NOTICE
    EMAIL_VERIFIED = "auth.email.verified", "An email address was verified."
    SIGNUP_REQUESTED = "auth.signup.requested", "A sign-up was requested. The subject, if any, already has the address."
    CONFIRMATION_RESENT = "auth.confirmation.resent", "The confirmation email was requested again."
    CONFIRMATION_FAILED = (
        "auth.confirmation.failed",
        "A code or password for the confirmation of an address was wrong.",
        Severity.NOTICE,
    )
    INVITATION_SENT = "auth.invitation.sent", "A person was invited.", Severity.NOTICE, Retention.ACCOUNTABILITY
    INVITATION_ACCEPTED = (
        "auth.invitation.accepted",
        "An invited person created their account.",
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
        "A link for creating the first administrator was issued.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
    )
    BOOTSTRAP_COMPLETED = (
        "auth.bootstrap.completed",
        "The first administrator was created.",
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
        "A signed-in person was denied access.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("route", "method"),
    )
    THREAT_DETECTED = (
        "auth.threat.detected",
        "A possible attack was detected.",
        Severity.ALERT,
        Retention.SECURITY,
        ("route", "method"),
    )
    CONTROL_DEGRADED = (
        "auth.control.degraded",
        "A security control works only in part, in one process.",
        Severity.WARNING,
        Retention.SECURITY,
        ("control", "part", "process"),
    )
    CONTROL_RESTORED = (
        "auth.control.restored",
        "A security control works in full again, in one process.",
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
