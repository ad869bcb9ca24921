"""Refusals of a login: whether the person is admitted, and the record of a failed first proof."""

from uuid import UUID

from django.contrib.auth.signals import user_login_failed
from django.db import transaction

from auth_core.contracts import Purpose
from auth_core.errors import InvalidCredentials
from auth_core.events import AuthEvent, Event, EventOutcome, record, recorded_by_caller
from auth_core.people import lookup
from auth_core.people.admission import AdmissionRefusal, NotAdmitted, admit
from auth_core.request.client import Client
from auth_core.users import UserLike


def why_not_admitted(
    user: UserLike | None, *, application: UUID | None = None, actor: UUID | None = None, provider: str = ""
) -> str | None:
    """Return why *user* is not admitted. ``None`` if they are."""
    if user is None:
        return "password"
    try:
        admit(user, application=application, actor=actor, provider=provider)
    except NotAdmitted as refusal:
        return refusal.reason.value
    return None


def refuse_guess(identifier: str, reason: str, client: Client, *, application: UUID | None = None) -> None:
    """Record a failed first proof, commit it, and refuse. The same statements run for every user.

    Args:
        application: Public id of the application that the login is for.

    Raises:
        InvalidCredentials: always.
    """
    user = lookup.find_by_identifier(identifier)
    if reason != "password":
        with recorded_by_caller():
            user_login_failed.send(sender=__name__, credentials={"username": identifier}, request=None)
    with transaction.atomic(durable=True):
        record(
            Event(
                name=AuthEvent.LOGIN_FAILED,
                subject=user,
                application=application,
                outcome=EventOutcome.FAILURE,
                reason=AdmissionRefusal.UNKNOWN.value if user is None else reason,
                client=client,
                data={"purpose": Purpose.LOGIN.value},
            )
        )
    raise InvalidCredentials
