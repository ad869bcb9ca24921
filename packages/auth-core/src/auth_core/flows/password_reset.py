"""Password reset: a link that sets a new password and does nothing else.

A reset never signs in. It does not unlock an account that is disabled or that an administrator locked. It lifts only
the lock of a person who reported a login as not theirs. A second factor is still required at the next login (ASVS
6.4.3).
"""

from collections.abc import Sequence
from typing import Any, cast

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import password_changed
from django.db import transaction

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
from auth_core.models import ResetLink
from auth_core.passwords import policy
from auth_core.people.address_rows import prove_address, rows_of
from auth_core.people.addresses import Address
from auth_core.people.admission import AdmissionRefusal, NotAdmitted, admit
from auth_core.people.identifiers import Match, addressees_of
from auth_core.people.locking import is_lifted_by_reset, lift_by_reset
from auth_core.people.user_columns import addresses_in
from auth_core.request.client import Client
from auth_core.users import AccountLike, UserLike


def request_reset(
    *, email: str, client: Client, actor: UserLike | None = None, only_for: UserLike | None = None
) -> None:
    """Mail a reset link to the stored address of each account with *email*. The response is always the same.

    A verified address has one account. An unverified one may stand in the columns of several accounts, as in Django.

    Args:
        actor: The administrator who requests the reset, if any.
        only_for: The one account that gets a link, if the administrator chose it.

    Raises:
        InvalidRequest: the address is invalid.
        TooManyAttempts: the mail limit of the address or of the network is reached.
        PermissionRefused: the person has more permissions than *actor*.
    """
    address = parsed_address(email)
    limits.charge("mail", identifier=address.key, client=client)
    matches = [
        match
        for match in addressees_of(address)
        if _admitted(match.user) is not None and (only_for is None or match.user.pk == only_for.pk)
    ]
    for match in matches:
        check_over(actor, match.user)
    with transaction.atomic(durable=True):
        # An unknown address gets a link and a message to NOWHERE as well: the same statements run, and no mail is sent.
        recipients: Sequence[Match | None] = matches or [None]
        for recipient in recipients:
            _mail_link(recipient, address, is_one_of_many=len(matches) > 1, client=client, actor=actor)


def reset_password(*, token: str, password: str, client: Client) -> None:
    """Set *password* for the owner of *token*. All their sessions end. The reset never signs in.

    Raises:
        LinkInvalid: the link is wrong, used or expired, or the account has changed since the request.
        InvalidRequest: the password is not allowed. The link stays valid.
        Unavailable: too many passwords are being hashed. The link stays valid.
    """
    policy.check_shape(password)
    link: ResetLink = ResetLink.objects.find(token)
    user = _admitted(link.user)
    if user is None:
        raise LinkInvalid
    policy.validate_new(password, user=user)
    replaced, user.password = user.password, make_password(password)
    with transaction.atomic(durable=True):
        # The link stays spent, even if the reset then fails.
        address = _address_of(link, user, replaced) if link.spend() else None
        done = address is not None and replace_hash(user, replaced)
        if address is not None and done:
            # Other links become invalid with the old password. Spending them here would make two resets of one person
            # wait for each other's rows. The person who followed the link reads the mail of the address, so the address
            # is verified, unless another account has verified it since.
            prove_address(user=user, address=address)
            record(Event(name=AuthEvent.PASSWORD_RESET, subject=user, client=client))
            if is_lifted_by_reset(user):
                lift_by_reset(user=user)
    if not done:
        raise LinkInvalid
    password_changed(password, user)


def kill_reset_links(user: UserLike) -> None:
    """Invalidate all reset links of *user*."""
    ResetLink.objects.filter(user=cast("Any", user)).spend()


def _admitted(user: UserLike | None) -> Any:
    """Return *user* if they are admitted, or locked in a way that a reset lifts. Else return ``None``."""
    try:
        admit(user)
    except NotAdmitted as refusal:
        return user if refusal.reason is AdmissionRefusal.LOCKED and is_lifted_by_reset(user) else None
    return user


def _mail_link(
    match: Match | None, address: Address, *, is_one_of_many: bool, client: Client, actor: UserLike | None
) -> None:
    """Open a link and post its mail. Without an account, both lead nowhere. One of many links says for which account."""
    user = None if match is None else match.user
    link = ResetLink.objects.open(user=user, state_digest=_state_of(user, address.key))
    notify(
        template="password_forgot",
        address=address.mailbox if match is None else match.mailbox,
        user=user,
        client=client,
        secret={
            "link": link_to("reset", link.token),
            "account": str(user.get_username()) if user is not None and is_one_of_many else "",
        },
        lifetime=core.RESET_LIFETIME,
        channel=NOWHERE if match is None else EMAIL,
    )
    record(Event(name=AuthEvent.PASSWORD_RESET_REQUESTED, subject=user, actor=actor, client=client))


def _address_of(link: ResetLink, user: UserLike, password_hash: str) -> Address | None:
    """Return the address of the link if the account still has it and the old password (attack A111)."""
    rows = [Address(mailbox=row.address, key=row.key) for row in rows_of(user)]
    return next(
        (
            address
            for address in [*rows, *addresses_in(user)]
            if same(link.state_digest, _digest(password_hash, address.key))
        ),
        None,
    )


def _state_of(user: AccountLike | None, key: str) -> str:
    return _digest("" if user is None else user.password, key)


def _digest(password_hash: str, key: str) -> str:
    return code_digest(f"{password_hash}\n{key}", context="recovery")
