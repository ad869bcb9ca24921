"""Passkeys and security keys of people: adding one, and signing in with nothing else."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NoReturn
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from auth_core import limits
from auth_core.assurance.methods import Evidence, Method
from auth_core.backends import backend_knowing
from auth_core.contracts import LoginOutcome, Purpose, Transport
from auth_core.crypto.secrets import digest
from auth_core.errors import (
    ChallengeFailed,
    Conflict,
    FieldError,
    InvalidCredentials,
    InvalidRequest,
    LoginExpired,
    NotFound,
)
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.login.journey import open_login
from auth_core.people.lookup import profile_of
from auth_core.request.client import Client
from auth_mfa.answer_check import check_answer
from auth_mfa.conf import mfa
from auth_mfa.enrolment import make_room, note_added, refuse_unoffered
from auth_mfa.events import MfaEvent
from auth_mfa.models import WebauthnChallenge, WebauthnFactor
from auth_mfa.models.webauthn_challenge import Ceremony, digest_of
from auth_mfa.policy import is_counted, is_offered
from auth_mfa.webauthn.assertion import (
    TIMEOUT,
    count,
    evidence_of,
    questions_of,
    read_assertion,
    relying_party,
    user_handle,
    verify,
    verify_nobodys,
    wrong_shape,
)
from auth_mfa.webauthn.ceremony import (
    Malformed,
    Refused,
    Registered,
    check_attestation_shape,
    registration_options,
    user_handle_of,
    verify_registration,
)


@dataclass(frozen=True, slots=True)
class Registration:
    """A registration that has begun.

    Args:
        id: Names it when it is confirmed.
        options: What the browser gives to ``navigator.credentials.create``, as JSON.
    """

    id: UUID
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BegunLogin:
    """A login that waits for a passkey; whose, nobody knows yet.

    Args:
        token: Names it when it is answered.
        options: What the browser gives to ``navigator.credentials.get``, as JSON.
    """

    token: str = field(repr=False)
    expires_at: datetime
    options: Mapping[str, Any]


def begin_registration(*, user: Any, occasion: UUID, browser_secret: str = "") -> Registration:
    """Begin to add a passkey or a security key.

    The caller has seen to a fresh proof (`factors.check_fresh_proof`).

    Args:
        occasion: The session, or the pending login, in which it has to be confirmed.
        browser_secret: What ties it to this browser besides.

    Raises:
        InvalidRequest: this site has no such factors.
        Conflict: the person has as many as they may.
    """
    _refuse_where_none_are_offered()
    with transaction.atomic():
        make_room(user=user, model=WebauthnFactor)
        challenge = WebauthnChallenge.objects.issue(
            purpose=Ceremony.REGISTRATION, user=user, occasion=occasion, browser_digest=digest_of(browser_secret)
        )
        record(Event(name=MfaEvent.ENROLMENT_STARTED, subject=user))
    return _shown(challenge, user)


def begun_registration(*, user: Any, occasion: UUID) -> Registration:
    """Return the registration that *user* has begun on this occasion, to be shown again while it lives.

    Raises:
        NotFound: there is none, or not any more.
    """
    challenge = WebauthnChallenge.objects.live(purpose=Ceremony.REGISTRATION, user=user, occasion=occasion)
    if challenge is None:
        raise NotFound
    return _shown(challenge, user)


def confirm_registration(
    *,
    user: Any,
    registration_id: UUID,
    occasion: UUID,
    credential: Any,
    name: str,
    client: Client,
    browser_secret: str = "",
    must_count: bool = False,
) -> WebauthnFactor:
    """Add what the authenticator has made; its challenge is spent, whatever becomes of it.

    Args:
        must_count: Whether it is added because policy demands one, so that it has to be of a kind that counts.

    Raises:
        InvalidRequest: *credential* is none, or of a kind that this site does not have, or that does not count.
        NotFound: nothing like it was begun by *user* on this occasion, or it is over.
        ChallengeFailed: it was not made for this challenge, this site, or this service's algorithms.
        Conflict: the credential belongs to somebody already, or the person has as many as they may.
    """
    try:
        check_attestation_shape(credential)
    except Malformed:
        raise wrong_shape("credential") from None
    challenge = WebauthnChallenge.objects.filter(pk=registration_id).first()
    if challenge is None or not challenge.spend(
        purpose=Ceremony.REGISTRATION, user=user, occasion=occasion, browser_digest=digest_of(browser_secret)
    ):
        raise NotFound
    try:
        registered = verify_registration(relying_party(), credential, challenge=challenge.challenge)
    except Refused as refused:
        _record_failed_registration(user, client, refused.reason)
        raise ChallengeFailed from None
    return _add(user, registered, _method_of(registered, must_count=must_count), name, client)


def begin_login(*, transport: Transport, client: Client, browser_secret: str = "") -> BegunLogin:
    """Begin a login in which a passkey says who it is.

    Args:
        browser_secret: What ties it to this browser; empty with a token.

    Raises:
        InvalidRequest: this site has no passkeys.
        TooManyAttempts: the network has asked too often.
    """
    refuse_unoffered(Method.PASSKEY)
    _charge(client)
    challenge = WebauthnChallenge.objects.issue(
        purpose=Ceremony.FIRST_FACTOR, browser_digest=digest_of(browser_secret), transport=transport.value
    )
    options = questions_of(challenge, allow=(), verification=mfa.PASSKEY_LOGIN_VERIFICATION)
    return BegunLogin(token=challenge.challenge, expires_at=challenge.expires_at, options=options)


def answer_login(
    *, token: str, credential: Any, client: Client, browser_secret: str = "", continue_to: str = ""
) -> LoginOutcome:
    """Sign in whoever the passkey names, as far as a passkey goes.

    The challenge is spent first. An unknown credential, a wrong signature and somebody
    who may not be here are refused alike, after the same work.

    Args:
        continue_to: Where the browser goes afterwards; an address of this site.

    Raises:
        InvalidRequest: *credential* is none; nothing is spent.
        TooManyAttempts: the network has failed too often.
        LoginExpired: there is no such login, not for this caller, or not any more.
        InvalidCredentials: the assertion is not right.
        LoginDenied, MoreProofRequired: see `auth_core.login.journey.advance`.
    """
    credential_id = read_assertion(credential, field="credential")
    guess = _charge(client)
    challenge = _spent_challenge(token, browser_secret)
    person, evidence = _proved(_passkey_with_id(credential_id), credential, challenge.challenge, client)
    if guess is not None:
        guess.refund()
    person.backend = backend_knowing(person)
    return open_login(
        user=person,
        evidence=evidence,
        purpose=Purpose.LOGIN,
        transport=Transport(challenge.transport),
        client=client,
        browser_secret=browser_secret if challenge.transport == Transport.COOKIE else "",
        continue_to=continue_to,
    )


def _charge(client: Client) -> limits.Charge | None:
    """Pay for a ceremony of this network; one that is not known is not counted, as wherever else networks are.

    What is limited is our work: in a signature there is nothing to guess.
    """
    return limits.charge("passkey", client=client) if client.network else None


def _refuse_where_none_are_offered() -> None:
    if not is_offered(Method.SECURITY_KEY):
        refuse_unoffered(Method.PASSKEY)


def _shown(challenge: WebauthnChallenge, user: Any) -> Registration:
    options = registration_options(
        relying_party(),
        challenge=challenge.challenge,
        user_handle=user_handle(user),
        user_name=profile_of(user)["email"] or user.get_username(),
        exclude=list(WebauthnFactor.objects.of(user).order_by("pk")),
        discoverable=_wanted(),
        timeout=TIMEOUT,
    )
    return Registration(challenge.pk, options)


def _wanted() -> str:
    """Return whether the credential shall find itself: as a passkey has to, and a security key must not."""
    if not is_offered(Method.SECURITY_KEY):
        return "required"
    return "preferred" if is_offered(Method.PASSKEY) else "discouraged"


def _method_of(registered: Registered, *, must_count: bool) -> Method:
    method = Method.PASSKEY if registered.discoverable or registered.backup_eligible else Method.SECURITY_KEY
    refuse_unoffered(method)
    if must_count and not is_counted(method):
        raise InvalidRequest(FieldError("", "not_counted", _("This does not count as a second factor here.")))
    return method


def _add(user: Any, registered: Registered, method: Method, name: str, client: Client) -> WebauthnFactor:
    factor = WebauthnFactor(
        user_id=user.pk,
        name=name or (_("Passkey") if method is Method.PASSKEY else _("Security key")),
        method=method.value,
        confirmed=True,
        credential_digest=digest(registered.credential_id),
        credential_id=registered.credential_id,
        public_key=registered.public_key,
        sign_count=registered.sign_count,
        aaguid=registered.aaguid,
        transports=list(registered.transports),
        backup_eligible=registered.backup_eligible,
        backup_state=registered.backup_state,
        user_verified=registered.user_verified,
        discoverable=registered.discoverable,
    )
    try:
        with transaction.atomic(durable=True):
            make_room(user=user, model=WebauthnFactor)
            factor.save(force_insert=True)
            note_added(factor=factor, user=user, client=client)
    except IntegrityError:
        # The id has an owner; which of the two made it up, nobody can say (section 7.1, step 26).
        raise Conflict from None
    return factor


def _record_failed_registration(user: Any, client: Client, reason: str) -> None:
    with transaction.atomic(durable=True):
        record(
            Event(
                name=MfaEvent.FACTOR_FAILED,
                subject=user,
                outcome=EventOutcome.FAILURE,
                reason=reason,
                client=client,
                data={"method": Method.PASSKEY.value},
            )
        )


def _spent_challenge(token: str, browser_secret: str) -> WebauthnChallenge:
    """Return the challenge that *token* names, spent by this caller.

    Raises:
        LoginExpired: unknown, spent, expired, or another browser's; they all look the same.
    """
    challenge = WebauthnChallenge.objects.filter(challenge=token).first()
    if challenge is None:
        raise LoginExpired
    by_cookie = challenge.transport == Transport.COOKIE
    if by_cookie and not browser_secret:
        raise LoginExpired
    browser_digest = digest_of(browser_secret) if by_cookie else ""
    if not challenge.spend(purpose=Ceremony.FIRST_FACTOR, user=None, occasion=None, browser_digest=browser_digest):
        raise LoginExpired
    return challenge


def _passkey_with_id(credential_id: str) -> WebauthnFactor | None:
    """Return the passkey of this id; a security key alone is nobody's way in."""
    found = WebauthnFactor.objects.with_id(credential_id).filter(method=Method.PASSKEY.value, confirmed=True)
    factor: WebauthnFactor | None = found.select_related("user", "user__auth_identity").first()
    return factor


def _proved(
    factor: WebauthnFactor | None, credential: Mapping[str, Any], challenge: str, client: Client
) -> tuple[Any, Evidence]:
    """Return who it is, and what a right assertion proves.

    A passkey that once verified its user has to do so again. What the page asks the browser
    for is a wish, which a thief of an unlocked device leaves out. It is asked after the
    signature, so that it costs the same work to learn nothing about an id.

    A wrong one costs its factor none of the guesses it has in a row: ids of credentials
    are told to whoever knows a password, and could be used to lock their owner out.

    Raises:
        InvalidCredentials: it is not right.
    """
    required = mfa.PASSKEY_LOGIN_VERIFICATION == "required"
    try:
        if factor is None:
            verify_nobodys(credential, challenge=challenge, verification_required=required)
        asserted = verify(factor, credential, challenge=challenge, verification_required=required)
        if user_handle_of(credential) is None:
            raise Refused("user_handle")
        if factor.user_verified and not asserted.user_verified:
            raise Refused("user_not_verified")
        check_answer(factor, lambda: count(factor, asserted))
    except Refused as refused:
        _refuse(factor, refused.reason, client)
    except ChallengeFailed:
        _refuse(factor, "factor", client)
    return factor.user, evidence_of(factor, user_verified=asserted.user_verified)


def _refuse(factor: WebauthnFactor | None, reason: str, client: Client) -> NoReturn:
    with transaction.atomic(durable=True):
        record(
            Event(
                name=AuthEvent.LOGIN_FAILED,
                subject=None if factor is None else factor.user,
                outcome=EventOutcome.FAILURE,
                reason=reason,
                client=client,
                data={"purpose": Purpose.LOGIN.value},
            )
        )
    raise InvalidCredentials
