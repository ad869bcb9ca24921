"""E-mail verification: sending the mail again, and using the link for the address of an existing account."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from auth_core import limits
from auth_core.conf import core
from auth_core.crypto.secrets import new_code, spend
from auth_core.errors import LinkInvalid
from auth_core.events import AuthEvent, Event, record
from auth_core.flows.account_creation import parsed_address
from auth_core.messages.links import link_to
from auth_core.messages.notify import EMAIL, NOWHERE, notify
from auth_core.models import EmailAddress, EmailVerification, PendingSignup
from auth_core.people import lookup
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
    unverified = _unverified_address(address.key)
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
        LinkInvalid: the link is wrong, used or expired, or another account has verified the address since.
    """
    verification: EmailVerification = EmailVerification.objects.find(token)
    with transaction.atomic(durable=True):
        address = verification.email_address if verification.spend() else None
        is_verified = address is not None and spend(
            EmailAddress.objects.filter(pk=address.pk, verified_at=None), verified_at=timezone.now()
        )
        if address is not None and is_verified:
            record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=address.user, client=client))
            person_changed(address.user_id)
    if address is None or not is_verified:
        raise LinkInvalid
    return address.user


def _unverified_address(key: str) -> EmailAddress | None:
    """Return the primary address with *key*, if it is not verified."""
    person = lookup.find_by_identifier(key)
    rows = EmailAddress.objects.filter(user=person, key=key, is_primary=True, verified_at=None)
    return rows.select_related("user", "user__auth_identity").first()
