"""Sign-up: a pending sign-up becomes an account when its address is verified.

A person who has an account gets the same response after the same work, and a mail that says so. The page never reveals
which addresses have accounts (ASVS 6.3.8).
"""

from typing import Any

from django.contrib.auth.hashers import check_password, make_password
from django.db import transaction

from auth_core import limits
from auth_core.conf import core
from auth_core.crypto.secrets import new_code
from auth_core.errors import (
    ChallengeFailed,
    InvalidCredentials,
    LinkInvalid,
    PasswordRequired,
    SignupClosed,
)
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.flows.account_creation import (
    AddressTaken,
    check_creatable,
    open_account,
    owner_of,
    parsed_address,
    unsaved_user,
)
from auth_core.flows.account_fields import obstacles
from auth_core.messages.links import link_to
from auth_core.messages.notify import notify
from auth_core.models import PendingSignup
from auth_core.passwords import hashing, policy
from auth_core.people.addresses import Address
from auth_core.request.client import Client


def request_signup(*, email: str, password: str, client: Client, browser_secret: str) -> None:
    """Request an account. The result is sent by mail.

    Args:
        browser_secret: Ties the confirmation link to this browser. If empty, the link asks for the password.

    Raises:
        InvalidRequest: the address is invalid, or the password is not allowed. Nothing was looked up or hashed.
        SignupClosed: sign-up is not open to this address, or the user model needs more than an address.
        TooManyAttempts: the mail limit of the address or of the network is reached.
        Unavailable: too many passwords are being hashed. The mail limit is not charged.
    """
    policy.check_shape(password)
    address = parsed_address(email)
    check_open_to(address)
    policy.validate_new(password, user=unsaved_user(address))
    charge = limits.charge("mail", identifier=address.key, client=client)

    with hashing.hash_slot_for(charge):
        password_hash = make_password(password)
    owner, stored = owner_of(address)
    code = new_code()
    with transaction.atomic(durable=True):
        signup = PendingSignup.objects.wait(
            address=address.mailbox,
            key=address.key,
            password_hash=password_hash,
            browser_secret=browser_secret,
            code=code,
        )
        # The owner of the address gets no link, so this sign-up can never be confirmed.
        secret = {} if owner else {"link": link_to("signup", signup.token), "code": code}
        notify(
            template="signup_known" if owner else "signup_confirm",
            address=stored or address.mailbox,
            user=owner,
            client=client,
            secret=secret,
            lifetime=core.SIGNUP_LIFETIME,
        )
        record(Event(name=AuthEvent.SIGNUP_REQUESTED, subject=owner, client=client))


def confirm_signup(*, token: str, client: Client, browser_secret: str = "", password: str = "") -> Any:
    """Create the account that *token* was mailed for. Return the user, who is not signed in.

    Another browser must supply the password. An attacker who signs up with a victim's address must not get an account
    because the victim followed the link (pre-hijacking).

    Raises:
        LinkInvalid: the link is wrong, used or expired, or the address has an account.
        PasswordRequired: it is another browser, and *password* is empty.
        InvalidCredentials: the password is not the chosen one.
        TooManyAttempts: the limit for wrong passwords of this address is reached.
        Unavailable: too many passwords are being hashed. The link stays valid.
    """
    signup: PendingSignup = PendingSignup.objects.find(token)
    if not signup.is_of_browser(browser_secret):
        _check_password(signup, password, client)
    return _confirm(signup, client)


def confirm_signup_by_code(*, email: str, code: str, client: Client, browser_secret: str) -> Any:
    """Create the account that this browser signed up for, with the code from the mail.

    Raises:
        InvalidRequest: the address is invalid.
        TooManyAttempts: the limit for codes of this address is reached.
        ChallengeFailed: the code is wrong, or this browser has no pending sign-up.
        LinkInvalid: the address has an account.
    """
    address = parsed_address(email)
    guess = limits.charge("confirm", identifier=address.key, client=client)
    signup = PendingSignup.objects.newest(key=address.key, browser_secret=browser_secret)
    # The attempt is spent before the code is compared. A missing sign-up does the same work.
    has_attempt = (signup or PendingSignup()).spend_attempt()
    is_right = (signup or PendingSignup()).has_code(code)
    if signup is None or not (has_attempt and is_right):
        _record_failed_confirmation(client)
        raise ChallengeFailed(attempts_left=max(signup.attempts_left - 1, 0) if signup else 0)
    guess.refund()
    return _confirm(signup, client)


def is_open() -> bool:
    """Return whether people can sign up without an invitation."""
    return core.SIGNUP in ("open", "domain") and not obstacles()


def check_open_to(address: Address) -> None:
    """Check that the owner of *address* may sign up without an invitation.

    Raises:
        SignupClosed: they may not, or the user model needs more than an address.
        InvalidRequest: the address is too long for its columns.
    """
    domain = address.key.rpartition("@")[2]
    is_allowed = core.SIGNUP == "open" or (core.SIGNUP == "domain" and domain in core.SIGNUP_DOMAINS)
    if not is_allowed:
        raise SignupClosed
    check_creatable(address)


def _check_password(signup: PendingSignup, password: str, client: Client) -> None:
    """Check the password chosen at sign-up. The guess is charged before it is checked."""
    if not password:
        raise PasswordRequired
    policy.check_shape(password)
    guess = limits.charge("confirm", identifier=signup.key, client=client)
    with hashing.hash_slot_for(guess):
        is_right = check_password(password, signup.password_hash)
    if not is_right:
        _record_failed_confirmation(client)
        raise InvalidCredentials
    guess.refund()


def _confirm(signup: PendingSignup, client: Client) -> Any:
    """Spend the sign-up and create the account. Of fifty concurrent calls one succeeds.

    Other pending sign-ups with this address are left alone. The address is now taken, and spending them here would make
    two confirmations wait for each other's rows.
    """
    with transaction.atomic(durable=True):
        user = _account_of(signup, client) if signup.spend() else None
    if user is None:
        raise LinkInvalid
    return user


def _account_of(signup: PendingSignup, client: Client) -> Any:
    """Return the account, or ``None`` if another sign-up took the address. This sign-up stays spent either way."""
    address = Address(mailbox=signup.address, key=signup.key)
    try:
        user = open_account(address=address, password_hash=signup.password_hash, verified=True, client=client)
    except AddressTaken:
        return None
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=user, client=client))
    return user


def _record_failed_confirmation(client: Client) -> None:
    """Record a failed confirmation and commit it."""
    with transaction.atomic(durable=True):
        record(Event(name=AuthEvent.CONFIRMATION_FAILED, outcome=EventOutcome.FAILURE, client=client))
