"""A forgotten password: a link that sets another one, and does nothing else.

It signs nobody in. It opens no account that is disabled or that somebody locked; it lifts
the lock of whoever said that a login was not theirs, and opens none that has a second factor without it: the login asks for that afterwards as ever (ASVS 6.4.3).
"""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import password_changed
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from auth_core import limits
from auth_core.authority import check_over
from auth_core.conf import core
from auth_core.crypto.secrets import code_digest, same
from auth_core.errors import LinkInvalid
from auth_core.events import AuthEvent, Event, record
from auth_core.flows.account_creation import parsed_address
from auth_core.flows.password_change import replace_hash
from auth_core.messages.links import link_to
from auth_core.messages.notify import EMAIL, NOWHERE, notify
from auth_core.models import EmailAddress, ResetLink
from auth_core.passwords import policy
from auth_core.people import lookup
from auth_core.people.admission import NotAdmitted, Reason, admit
from auth_core.people.locking import is_lifted_by_reset, lift_by_reset
from auth_core.request.client import Client


def request_reset(*, email: str, client: Client, actor: Any = None) -> None:
    """Mail a link that resets the password to whoever signs in with *email*; the answer is always the same.

    Args:
        actor: Who asks, when that is an administrator.

    Raises:
        InvalidRequest: the address is not one.
        TooManyAttempts: too many mails went to this address, or were asked for by this network.
        PermissionRefused: the person holds more than *actor*.
    """
    address = parsed_address(email)
    limits.charge("mail", identifier=address.key, client=client)
    person, stored = lookup.find_by_key(address.key)
    user = _admitted(person)
    if user is not None:
        check_over(actor, user)
    with transaction.atomic(durable=True):
        # A link for nobody is made and posted as well: the same statements, and no mail.
        link = ResetLink.objects.open(user=user, state_digest=_state_of(user, address.key))
        notify(
            template="password_forgot",
            address=stored or address.mailbox,
            user=user,
            client=client,
            secret={"link": link_to("reset", link.token)},
            lifetime=core.RESET_LIFETIME,
            channel=EMAIL if user is not None and stored else NOWHERE,
        )
        record(Event(name=AuthEvent.PASSWORD_RESET_REQUESTED, subject=user, actor=actor, client=client))


def reset_password(*, token: str, password: str, client: Client) -> None:
    """Set *password* for the person to whom *token* was mailed; all their sessions end, nobody is signed in.

    Raises:
        LinkInvalid: the link is wrong, used, expired, or the account has changed since it was asked for.
        InvalidRequest: the password is not allowed; the link stays good.
        Unavailable: too many passwords are hashed at this moment; the link stays good.
    """
    policy.check_shape(password)
    link: ResetLink = ResetLink.objects.find(token)
    user = _admitted(link.user)
    if user is None:
        raise LinkInvalid
    policy.validate_new(password, user=user)
    replaced, user.password = user.password, make_password(password)
    with transaction.atomic(durable=True):
        # What was spent stays spent, whatever is found out about the account then.
        key = _key_of(link, user, replaced) if link.spend() else None
        done = key is not None and replace_hash(user, replaced)
        if done:
            # Other links die with the password that they were asked for; to spend them here would have two
            # resets of one person wait for each other's rows. Whoever followed the link reads the mails of the address.
            EmailAddress.objects.filter(user=user, key=key, verified_at=None).update(verified_at=timezone.now())
            record(Event(name=AuthEvent.PASSWORD_RESET, subject=user, client=client))
            if is_lifted_by_reset(user):
                lift_by_reset(user=user)
    if not done:
        raise LinkInvalid
    password_changed(password, user)


def kill_reset_links(user: Any) -> None:
    """Let no link that was mailed to *user* reset anything any more."""
    ResetLink.objects.filter(user=user).spend()


def _admitted(user: Any) -> Any:
    """Return *user* if they may be here, or may come back by a reset, else ``None``: nobody is told which."""
    try:
        admit(user)
    except NotAdmitted as refused:
        return user if refused.reason is Reason.LOCKED and is_lifted_by_reset(user) else None
    return user


def _key_of(link: ResetLink, user: Any, password_hash: str) -> str | None:
    """Return the address for which the link was asked, if the account has it and the password still (attack A111)."""
    keys = EmailAddress.objects.filter(Q(verified_at__isnull=False) | Q(is_primary=True), user=user)
    found = (key for key in keys.values_list("key", flat=True) if same(link.state_digest, _digest(password_hash, key)))
    return next(found, None)


def _state_of(user: Any, key: str) -> str:
    return _digest("" if user is None else user.password, key)


def _digest(password_hash: str, key: str) -> str:
    return code_digest(f"{password_hash}\n{key}", context="recovery")
