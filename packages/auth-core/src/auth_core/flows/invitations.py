"""Invitations: the owner of the invited mailbox creates the account and chooses the password."""

from typing import Any

from django.contrib.auth.hashers import make_password
from django.db import transaction

from auth_core import limits
from auth_core.conf import core
from auth_core.errors import LinkInvalid
from auth_core.events import AuthEvent, Event, record
from auth_core.flows.account_creation import (
    AddressTaken,
    check_creatable,
    open_account,
    owner_of,
    parsed_address,
    unsaved_user,
)
from auth_core.messages.links import link_to
from auth_core.messages.notify import notify
from auth_core.models import Invitation
from auth_core.passwords import policy
from auth_core.people.addresses import Address
from auth_core.request.client import Client
from auth_core.users import UserLike


def invite(*, email: str, actor: UserLike | None, client: Client) -> Invitation:
    """Invite the owner of *email*. An earlier invitation of this address becomes invalid.

    If the address has an account, its owner gets a mail that says so. *actor* sees no difference.

    Args:
        actor: The person who invites. The caller has checked their permission.

    Raises:
        InvalidRequest: the address is invalid.
        SignupClosed: the user model needs more than an address and a password.
        TooManyAttempts: the mail limit of the address or of the network is reached.
    """
    address = parsed_address(email)
    check_creatable(address)
    limits.charge("mail", identifier=address.key, client=client)
    owner, stored = owner_of(address)
    with transaction.atomic(durable=True):
        Invitation.objects.filter(key=address.key).spend()
        invitation: Invitation = Invitation.objects.open(address=address.mailbox, key=address.key, invited_by=actor)
        notify(
            template="signup_known" if owner else "invitation",
            address=stored or address.mailbox,
            user=owner,
            client=client,
            secret={} if owner else {"link": link_to("invitation", invitation.token), "inviter": _name_of(actor)},
            lifetime=core.INVITATION_LIFETIME,
        )
        record(
            Event(
                name=AuthEvent.INVITATION_SENT,
                actor=actor,
                target=("invitation", str(invitation.pk)),
                client=client,
            )
        )
    return invitation


def accept_invitation(*, token: str, password: str, client: Client) -> Any:
    """Create the account of an invitation. Return the user, who is not signed in.

    Raises:
        LinkInvalid: the link is wrong, used, withdrawn or expired, or the address has an account.
        InvalidRequest: the password is not allowed. The invitation stays valid.
        Unavailable: too many passwords are being hashed. The invitation stays valid.
    """
    policy.check_shape(password)
    invitation: Invitation = Invitation.objects.find(token)
    address = Address(mailbox=invitation.address, key=invitation.key)
    policy.validate_new(password, user=unsaved_user(address))
    password_hash = make_password(password)
    with transaction.atomic(durable=True):
        user = _account_of(invitation, address, password_hash, client) if invitation.spend() else None
    if user is None:
        raise LinkInvalid
    return user


def withdraw_invitation(*, invitation: Invitation, actor: UserLike | None, client: Client) -> bool:
    """Invalidate an invitation. Return whether this call did so."""
    with transaction.atomic(durable=True):
        is_spent = invitation.spend()
        if is_spent:
            target = ("invitation", str(invitation.pk))
            record(Event(name=AuthEvent.INVITATION_WITHDRAWN, actor=actor, target=target, client=client))
    return is_spent


def _name_of(actor: UserLike | None) -> str:
    """Return the full name of *actor*. The mail sanitises it (`auth_core.messages.values.person_name`)."""
    name: str = getattr(actor, "get_full_name", str)()
    return name


def _account_of(invitation: Invitation, address: Address, password_hash: str, client: Client) -> Any:
    """Return the account, or ``None`` if the address has one by now. The invitation stays spent either way."""
    try:
        user = open_account(address=address, password_hash=password_hash, verified=True, client=client)
    except AddressTaken:
        return None
    target = ("invitation", str(invitation.pk))
    record(Event(name=AuthEvent.INVITATION_ACCEPTED, subject=user, target=target, client=client))
    return user
