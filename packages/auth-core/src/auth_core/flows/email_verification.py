"""Proving an address that waits for it: the mail again, and the link of an account that is there already."""

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
    """Send the mail again that proves *email*, to whoever waits for it; the answer is always the same.

    The link and the code before are worth nothing afterwards; what was guessed stays counted.

    Raises:
        InvalidRequest: the address is not one.
        TooManyAttempts: too many mails went to this address, or were asked for by this network.
    """
    address = parsed_address(email)
    limits.charge("mail", identifier=address.key, client=client)
    unproven = _unproven(address.key)
    code = new_code()
    with transaction.atomic(durable=True):
        # The same statements for everybody: what is nobody's is renewed, opened and posted as well.
        signup = PendingSignup.objects.newest(key=address.key, browser_secret=browser_secret) or PendingSignup()
        waits = signup.renew_proofs(code)
        verification = EmailVerification.objects.open(email_address=unproven)
        secret = {"link": link_to("signup", signup.token), "code": code}
        if unproven is not None:
            secret = {"link": link_to("verification", verification.token)}
        stored = signup.address if unproven is None else unproven.address
        notify(
            template="signup_confirm" if unproven is None else "email_verify",
            address=stored or address.mailbox,
            client=client,
            secret=secret,
            lifetime=core.SIGNUP_LIFETIME,
            channel=EMAIL if waits or unproven is not None else NOWHERE,
        )
        subject = None if unproven is None else unproven.user
        record(Event(name=AuthEvent.CONFIRMATION_RESENT, subject=subject, client=client))


def verify_email(*, token: str, client: Client) -> Any:
    """Count the address as proven for which *token* was mailed; return whose it is. It signs nobody in.

    Raises:
        LinkInvalid: the link is wrong, used, expired, or somebody else has proven the address since.
    """
    verification: EmailVerification = EmailVerification.objects.find(token)
    with transaction.atomic(durable=True):
        address = verification.email_address if verification.spend() else None
        proven = address is not None and spend(
            EmailAddress.objects.filter(pk=address.pk, verified_at=None), verified_at=timezone.now()
        )
        if address is not None and proven:
            record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=address.user, client=client))
            person_changed(address.user_id)
    if address is None or not proven:
        raise LinkInvalid
    return address.user


def _unproven(key: str) -> EmailAddress | None:
    """Return the address that somebody signs in with and has not proven."""
    person = lookup.find_by_identifier(key)
    rows = EmailAddress.objects.filter(user=person, key=key, is_primary=True, verified_at=None)
    return rows.select_related("user", "user__auth_identity").first()
