"""Password change: it requires the current password and ends all other sessions."""

from typing import Any, cast

from django.contrib.auth import get_user_model
from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import password_changed
from django.db import transaction
from django.utils.translation import gettext as _

from auth_core import limits
from auth_core.assurance.evidence import SessionFacts, check_context
from auth_core.errors import Conflict, FieldError, InvalidCredentials, InvalidRequest
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.models import PendingLogin
from auth_core.passwords import hashing, policy
from auth_core.people.lookup import identity_of, person_changed
from auth_core.request.client import Client
from auth_core.users import AccountLike, UserLike


def change_password(
    *, user: UserLike, current_password: str, new_password: str, session: SessionFacts | None, client: Client
) -> Any:
    """Change the password of *user*. Return the updated user. *session* continues, all others end.

    Raises:
        InvalidRequest: a password is too long, or the new one is not allowed or equals the current one.
        TooManyAttempts: the limit for guesses of the current password is reached.
        InvalidCredentials: the current password is wrong.
        Conflict: the password was changed elsewhere at the same time.
        Unavailable: too many passwords are being hashed. Nothing was changed.
        InsufficientUserAuthentication: *session* is used elsewhere than where it was proved. No password is checked.
    """
    check_context(session)
    policy.check_shape(current_password, field="current_password")
    policy.check_shape(new_password, field="new_password")
    # A user restored from a session snapshot has no password.
    person = get_user_model()._default_manager.get(pk=user.pk)
    _check_current(person, current_password, client)
    policy.validate_new(new_password, user=person, field="new_password")
    if policy.normalise(new_password) == policy.normalise(current_password):
        raise InvalidRequest(
            FieldError("new_password", "unchanged", _("The new password must differ from the current one."))
        )
    return _save_new_password(person, new_password, session, client)


def replace_hash(person: AccountLike, replaced: str) -> bool:
    """Write the new hash of *person* if the stored hash is still *replaced*. Of two concurrent calls one wins.

    Pending logins end with the password that they began with. A thief of the old password could otherwise keep one open
    until the sessions are ended.
    """
    rows = get_user_model()._default_manager.filter(pk=person.pk, password=replaced)
    person_changed(person.pk)
    is_written = rows.update(password=person.password) == 1
    if is_written:
        PendingLogin.objects.end_all_of(person)
    return is_written


def _check_current(person: AccountLike, password: str, client: Client) -> None:
    guess = limits.charge("password", person=str(identity_of(person).pk), client=client)
    with hashing.hash_slot_for(guess):
        is_right = hashing.verify(person, password)
    if not is_right:
        with transaction.atomic(durable=True):
            event = Event(
                name=AuthEvent.PASSWORD_CHANGE_FAILED,
                subject=person,
                outcome=EventOutcome.FAILURE,
                reason="password",
                client=client,
            )
            record(event)
        raise InvalidCredentials
    guess.refund()


def _save_new_password(person: AccountLike, password: str, session: SessionFacts | None, client: Client) -> Any:
    replaced, person.password = person.password, make_password(password)
    with transaction.atomic(durable=True):
        if not replace_hash(person, replaced):
            raise Conflict
        record(
            Event(
                name=AuthEvent.PASSWORD_CHANGED,
                subject=person,
                session=session.id if session else None,
                client=client,
            )
        )
    password_changed(password, cast("Any", person))
    return person
