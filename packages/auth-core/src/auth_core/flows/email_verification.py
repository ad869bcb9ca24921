"""E-mail verification: sending the mail again, and using the link for the address of an existing account."""

from typing import Any

from django.db import transaction

from auth_core import limits
from auth_core.conf import core
from auth_core.crypto.secrets import new_code
from auth_core.errors import LinkInvalid
from auth_core.events import AuthEvent, Event, record
from auth_core.flows.account_creation import parsed_address
from auth_core.messages.links import link_to
from auth_core.messages.notify import EMAIL, NOWHERE, notify
from auth_core.models import EmailAddress, EmailVerification, PendingSignup
from auth_core.people.address_rows import counts, new_row_for, prove_address
from auth_core.people.addresses import Address
from auth_core.people.identifiers import Claim, addressees_of, sole_match
from auth_core.people.lookup import person_changed
from auth_core.request.client import Client


def resend_confirmation(*, email: str, client: Client, browser_secret: str) -> None:
    """Send the mail that verifies *email* again, if the address waits for it. The response is always the same.

    The earlier link and code become invalid. Guesses that were counted stay counted.

    Raises:
        InvalidRequest: the address is invalid.
        TooManyAttempts: the mail limit of the address or of the network is reached.
    """
    address = parsed_address(email)
    limits.charge("mail", identifier=address.key, client=client)
    unverified = _unverified_address(address)
    code = new_code()
    with transaction.atomic(durable=True):
        # The same statements run for an unknown address: a proof is renewed and a message posted to the channel
        # NOWHERE.
        signup = PendingSignup.objects.newest(key=address.key, browser_secret=browser_secret) or PendingSignup()
        is_waiting = signup.renew_proofs(code)
        verification = EmailVerification.objects.open(email_address=unverified)
        secret = {"link": link_to("signup", signup.token), "code": code}
        if unverified is not None:
            secret = {"link": link_to("verification", verification.token)}
        stored = signup.address if unverified is None else unverified.address
        notify(
            template="signup_confirm" if unverified is None else "email_verify",
            address=stored or address.mailbox,
            client=client,
            secret=secret,
            lifetime=core.SIGNUP_LIFETIME,
            channel=EMAIL if is_waiting or unverified is not None else NOWHERE,
        )
        subject = None if unverified is None else unverified.user
        record(Event(name=AuthEvent.CONFIRMATION_RESENT, subject=subject, client=client))


def verify_email(*, token: str, client: Client) -> Any:
    """Mark the address that *token* was mailed to as verified. Return its user, who is not signed in.

    Raises:
        LinkInvalid: the link is wrong, used or expired, the address of the account has changed, or another account has
            verified it since.
    """
    verification: EmailVerification = EmailVerification.objects.find(token)
    with transaction.atomic(durable=True):
        row = verification.email_address if verification.spend() else None
        is_verified = row is not None and counts(row, row.user) and _prove(row)
        if row is not None and is_verified:
            record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=row.user, client=client))
            person_changed(row.user_id)
    if row is None or not is_verified:
        raise LinkInvalid
    return row.user


def _prove(row: EmailAddress) -> bool:
    return prove_address(user=row.user, address=Address(mailbox=row.address, key=row.key))


def _unverified_address(address: Address) -> EmailAddress | None:
    """Return the row of the one account with *address*, if it is not verified. It is created on first use."""
    match = sole_match(addressees_of(address))
    if match is None or match.claim is not Claim.UNVERIFIED:
        return None
    row = match.row or new_row_for(match.user, Address(mailbox=match.mailbox, key=address.key))
    return row if row is not None and row.verified_at is None else None
