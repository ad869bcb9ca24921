"""Signing up: an account in waiting becomes one when its address is proven.

Whoever has an account already gets the same answer after the same work, and a mail
that says so; the page never tells who is known here (ASVS 6.3.8).
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
from auth_core.flows.account_creation import AddressTaken, open_account, parsed_address, unsaved_user
from auth_core.messages.links import link_to
from auth_core.messages.notify import notify
from auth_core.models import PendingSignup
from auth_core.passwords import hashing, policy
from auth_core.people import lookup
from auth_core.people.addresses import Address
from auth_core.request.client import Client


def request_signup(*, email: str, password: str, client: Client, browser_secret: str) -> None:
    """Ask for an account; what comes of it stands in a mail.

    Args:
        browser_secret: Ties the confirming link to this browser; empty: to none, and it asks for the password.

    Raises:
        InvalidRequest: the address is not one, or the password is not allowed; nothing was looked up or hashed.
        SignupClosed: such an address may not sign up here.
        TooManyAttempts: too many mails went to this address, or were asked for by this network.
        Unavailable: too many passwords are hashed at this moment; no mail was paid for.
    """
    policy.check_shape(password)
    address = parsed_address(email)
    _check_open_to(address)
    policy.validate_new(password, user=unsaved_user(address))
    paid = limits.charge("mail", identifier=address.key, client=client)

    with hashing.hash_slot_for(paid):
        password_hash = make_password(password)
    owner, stored = lookup.find_by_key(address.key)
    code = new_code()
    with transaction.atomic(durable=True):
        signup = PendingSignup.objects.wait(
            address=address.mailbox,
            key=address.key,
            password_hash=password_hash,
            browser_secret=browser_secret,
            code=code,
        )
        # The owner of the address gets no link: what waits then can never be confirmed.
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
    """Make the account that *token* was mailed for; return the user, who is not signed in.

    In another browser the password is asked for: who signs up with somebody else's
    address must not get an account because its owner followed the link (pre-hijacking).

    Raises:
        LinkInvalid: the link is wrong, used, expired, or the address has an account by now.
        PasswordRequired: it is another browser, and no password was given.
        InvalidCredentials: the password is not the one that was chosen.
        TooManyAttempts: too many wrong passwords for this address.
        Unavailable: too many passwords are hashed at this moment; the link stays good.
    """
    signup: PendingSignup = PendingSignup.objects.find(token)
    if not signup.is_of_browser(browser_secret):
        _check_chosen(signup, password, client)
    return _confirmed(signup, client)


def confirm_signup_by_code(*, email: str, code: str, client: Client, browser_secret: str) -> Any:
    """Make the account for which this browser signed up, with the code from the mail.

    Raises:
        InvalidRequest: the address is not one.
        TooManyAttempts: too many codes were tried for this address.
        ChallengeFailed: the code is wrong, or this browser waits for none.
        LinkInvalid: the address has an account by now.
    """
    address = parsed_address(email)
    guess = limits.charge("confirm", identifier=address.key, client=client)
    signup = PendingSignup.objects.newest(key=address.key, browser_secret=browser_secret)
    # Spent before it is compared, and compared for nobody as well.
    has_attempt = (signup or PendingSignup()).spend_attempt()
    is_right = (signup or PendingSignup()).has_code(code)
    if signup is None or not (has_attempt and is_right):
        _refuse(client)
        raise ChallengeFailed(attempts_left=max(signup.attempts_left - 1, 0) if signup else 0)
    guess.refund()
    return _confirmed(signup, client)


def waits_in_browser(*, email: str, browser_secret: str) -> bool:
    """Say whether this browser has signed up with *email* and the address is not proven yet."""
    return PendingSignup.objects.newest(key=parsed_address(email).key, browser_secret=browser_secret) is not None


def is_open() -> bool:
    """Say whether anybody can sign up without being invited."""
    return core.SIGNUP in ("open", "domain")


def _check_open_to(address: Address) -> None:
    domain = address.key.rpartition("@")[2]
    allowed = core.SIGNUP == "open" or (core.SIGNUP == "domain" and domain in core.SIGNUP_DOMAINS)
    if not allowed:
        raise SignupClosed


def _check_chosen(signup: PendingSignup, password: str, client: Client) -> None:
    """Ask for the password that was chosen; a guess is charged before it is looked at."""
    if not password:
        raise PasswordRequired
    policy.check_shape(password)
    guess = limits.charge("confirm", identifier=signup.key, client=client)
    with hashing.hash_slot_for(guess):
        is_right = check_password(password, signup.password_hash)
    if not is_right:
        _refuse(client)
        raise InvalidCredentials
    guess.refund()


def _confirmed(signup: PendingSignup, client: Client) -> Any:
    """Spend the sign-up and make the account; of fifty at once one does.

    What else waits with this address is left alone: the address is taken now, and to spend
    it here would have two confirmations wait for each other's rows.
    """
    with transaction.atomic(durable=True):
        user = _account_of(signup, client) if signup.spend() else None
    if user is None:
        raise LinkInvalid
    return user


def _account_of(signup: PendingSignup, client: Client) -> Any:
    """Return the account, or ``None`` when another sign-up with this address was first; this one stays spent."""
    address = Address(mailbox=signup.address, key=signup.key)
    try:
        user = open_account(address=address, password_hash=signup.password_hash, verified=True, client=client)
    except AddressTaken:
        return None
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=user, client=client))
    return user


def _refuse(client: Client) -> None:
    """Record a wrong proof, committed."""
    with transaction.atomic(durable=True):
        record(Event(name=AuthEvent.CONFIRMATION_FAILED, outcome=EventOutcome.FAILURE, client=client))
