"""What the enrolments of all kinds have in common: room, the moment a factor counts, and a wrong proof."""

from typing import Any

from django.db import transaction

from auth_core.assurance.methods import Method
from auth_core.errors import Conflict, FieldError, InvalidRequest, NotFound
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.people.lookup import person_changed
from auth_core.request.client import Client
from auth_mfa.conf import mfa
from auth_mfa.events import MfaEvent
from auth_mfa.mailbox import check_address_proven
from auth_mfa.models import Factor, FactorHistory
from auth_mfa.policy import is_offered


def make_room(*, user: Any, model: type[Factor]) -> None:
    """See that *user* may have one more of a kind, and throw away what was begun before; inside a transaction.

    Under the lock of the person: of two at once that see room for one, the second would
    be one too many.

    Raises:
        AddressUnproven: they have to prove their address first.
        Conflict: they have as many as they may.
    """
    check_address_proven(user)
    FactorHistory.objects.lock(user)
    if model.objects.of(user).count() >= mfa.MAX_FACTORS:
        raise Conflict
    model.objects.filter(user_id=user.pk, confirmed=False).delete()


def refuse_unoffered(method: Method) -> None:
    """Refuse a kind that this site does not have.

    Raises:
        InvalidRequest: it does not.
    """
    if not is_offered(method):
        raise InvalidRequest(FieldError("", "not_offered", "This service has no such second factors."))


def record_begin(factor: Factor, user: Any) -> None:
    """Record that an enrolment has begun."""
    record(Event(name=MfaEvent.ENROLMENT_STARTED, subject=user, target=("factor", str(factor.pk))))


def let_count(*, factor: Factor, user: Any, client: Client, **columns: Any) -> None:
    """Let a begun factor count from now on, once; inside the caller's transaction.

    Under the lock of the person, which comes before their rows wherever both are taken:
    whoever makes room for another one at the same moment holds it, and wants the row.

    Args:
        columns: What the proof leaves behind in the factor's row; never `last_used_at`, which is of logins.

    Raises:
        NotFound: it was confirmed or given up since, or is too old.
    """
    FactorHistory.objects.lock(user)
    begun = type(factor).objects.begun_by(user).filter(pk=factor.pk)
    if not begun.update(confirmed=True, **columns):
        raise NotFound
    note_added(factor=factor, user=user, client=client)


def note_added(*, factor: Factor, user: Any, client: Client) -> None:
    """Record a factor that counts now, remember that its person had one, and tell whoever keeps copies of them.

    Raises:
        AddressUnproven: no address of the person is proved; the caller's transaction undoes the factor.
    """
    check_address_proven(user)
    method = Method(factor.method)
    record(
        Event(
            name=AuthEvent.FACTOR_ADDED,
            subject=user,
            target=("factor", str(factor.pk)),
            client=client,
            data={"method": method.value},
        )
    )
    if method not in (Method.EMAIL_CODE, Method.RECOVERY_CODE):
        FactorHistory.objects.note_factor(user)
    person_changed(user.pk)


def record_failure(*, factor: Factor, user: Any, client: Client) -> None:
    """Record a wrong proof of an enrolment, committed."""
    with transaction.atomic(durable=True):
        record(
            Event(
                name=MfaEvent.FACTOR_FAILED,
                subject=user,
                target=("factor", str(factor.pk)),
                outcome=EventOutcome.FAILURE,
                reason="enrolment",
                client=client,
                data={"method": Method(factor.method).value},
            )
        )
