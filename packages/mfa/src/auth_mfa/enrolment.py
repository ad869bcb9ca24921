"""What the enrolments of all kinds share: the limit of factors, the confirmation and the record of a wrong proof."""

from typing import Any

from django.db import transaction

from auth_core.assurance.methods import Method
from auth_core.errors import Conflict, FieldError, InvalidRequest, NotFound
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.people.lookup import person_changed
from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_mfa.conf import mfa
from auth_mfa.events import MfaEvent
from auth_mfa.mailbox import check_address_proven
from auth_mfa.models import Factor, FactorHistory
from auth_mfa.policy import is_offered


def make_room(*, user: UserLike, model: type[Factor]) -> None:
    """Check that *user* may have one more factor of a kind, and delete unconfirmed ones.

    Called inside a transaction. It locks the user's row, because two concurrent calls
    could otherwise exceed the limit.

    Raises:
        AddressUnproven: the user has to verify their address first.
        Conflict: the user has the maximum number of factors.
    """
    check_address_proven(user)
    FactorHistory.objects.lock(user)
    if model.objects.of(user).count() >= mfa.MAX_FACTORS:
        raise Conflict
    model.objects.filter(user_id=user.pk, confirmed=False).delete()


def refuse_unoffered(method: Method) -> None:
    """Refuse a kind that this site does not offer.

    Raises:
        InvalidRequest: the site does not offer *method*.
    """
    if not is_offered(method):
        raise InvalidRequest(FieldError("", "not_offered", "This kind of second factor is not available."))


def record_begin(factor: Factor, user: UserLike) -> None:
    """Record the start of an enrolment."""
    record(Event(name=MfaEvent.ENROLMENT_STARTED, subject=user, target=("factor", str(factor.pk))))


def let_count(*, factor: Factor, user: UserLike, client: Client, **columns: Any) -> None:
    """Confirm a begun factor, once, inside the caller's transaction.

    It locks the user's history before the factor's row. This is the order everywhere: a
    concurrent `make_room` holds the first lock and waits for the row.

    Args:
        columns: Columns of the factor that the proof sets. Never `last_used_at`, which only logins set.

    Raises:
        NotFound: the factor was confirmed or deleted meanwhile, or is too old.
    """
    FactorHistory.objects.lock(user)
    begun = type(factor).objects.begun_by(user).filter(pk=factor.pk)
    if not begun.update(confirmed=True, **columns):
        raise NotFound
    note_added(factor=factor, user=user, client=client)


def note_added(*, factor: Factor, user: UserLike, client: Client) -> None:
    """Record a confirmed factor in the events and the user's history, and announce the change of the user.

    Raises:
        AddressUnproven: no address of the user is verified. The caller's transaction undoes the factor.
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


def record_failure(*, factor: Factor, user: UserLike, client: Client) -> None:
    """Record and commit a wrong proof of an enrolment."""
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
