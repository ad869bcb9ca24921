"""Registration of passkeys and security keys, and login with a passkey alone."""

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
from auth_core.users import UserLike
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
    verify_userless,
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
    """A begun registration.

    Args:
        id: The id with which it is confirmed.
        options: The options of ``navigator.credentials.create``, as JSON.
    """

    id: UUID
    options: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class BegunLogin:
    """A login that waits for a passkey. Its user is not known yet.

    Args:
        token: The token with which it is answered.
        options: The options of ``navigator.credentials.get``, as JSON.
    """

    token: str = field(repr=False)
    expires_at: datetime
    options: Mapping[str, Any]


def begin_registration(*, user: UserLike, occasion: UUID, browser_secret: str = "") -> Registration:
    """Begin to add a passkey or a security key.

    The caller has checked for a fresh proof (`factors.check_fresh_proof`).

    Args:
        occasion: The session or the pending login in which it must be confirmed.
        browser_secret: The secret of the browser that it is also bound to.

    Raises:
        InvalidRequest: this site does not offer passkeys and security keys.
        Conflict: the user has the maximum number of them.
    """
    _refuse_if_not_offered()
    with transaction.atomic():
        make_room(user=user, model=WebauthnFactor)
        challenge = WebauthnChallenge.objects.issue(
            purpose=Ceremony.REGISTRATION, user=user, occasion=occasion, browser_digest=digest_of(browser_secret)
        )
        record(Event(name=MfaEvent.ENROLMENT_STARTED, subject=user))
    return _registration(challenge, user)


def begun_registration(*, user: UserLike, occasion: UUID) -> Registration:
    """Return the live registration that *user* has begun on this occasion, to show it again.

    Raises:
        NotFound: there is no such registration, or it ended.
    """
    challenge = WebauthnChallenge.objects.live(purpose=Ceremony.REGISTRATION, user=user, occasion=occasion)
    if challenge is None:
        raise NotFound
    return _registration(challenge, user)


def confirm_registration(
    *,
    user: UserLike,
    registration_id: UUID,
    occasion: UUID,
    credential: Any,
    name: str,
    client: Client,
    browser_secret: str = "",
    must_count: bool = False,
) -> WebauthnFactor:
    """Add a new credential. Its challenge is spent in every case.

    Args:
        must_count: Whether policy demands a factor, so that only a counted method is accepted.

    Raises:
        InvalidRequest: *credential* is malformed, or of a method that is not offered or not counted.
        NotFound: *user* has no such registration on this occasion, or it ended.
        ChallengeFailed: it was not created for this challenge, this site or the accepted algorithms.
        Conflict: the credential is already registered, or the user has the maximum number of factors.
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


def begin_login(
    *, transport: Transport, client: Client, application_id: UUID | None = None, browser_secret: str = ""
) -> BegunLogin:
    """Begin a login in which the passkey names the user. There is no actor: people use their own passkey.

    Args:
        application_id: Public id of the application that the login is for. Never from a request body.
        browser_secret: The secret of the browser that it is bound to. Empty with a token.

    Raises:
        InvalidRequest: this site does not offer passkeys.
        TooManyAttempts: the network has sent too many requests.
    """
    refuse_unoffered(Method.PASSKEY)
    _charge(client)
    challenge = WebauthnChallenge.objects.issue(
        purpose=Ceremony.FIRST_FACTOR,
        browser_digest=digest_of(browser_secret),
        transport=transport.value,
        application_id=application_id,
    )
    options = questions_of(challenge, allow=(), verification=mfa.PASSKEY_LOGIN_VERIFICATION)
    return BegunLogin(token=challenge.challenge, expires_at=challenge.expires_at, options=options)


def answer_login(
    *,
    token: str,
    credential: Any,
    client: Client,
    application_id: UUID | None = None,
    browser_secret: str = "",
    continue_to: str = "",
) -> LoginOutcome:
    """Sign in the user that the passkey names, as far as a passkey suffices.

    The challenge is spent first. An unknown credential, a wrong signature and a user who may
    not sign in are refused alike, after the same work.

    Args:
        application_id: Public id of the application that the caller signs in to. It is the one of `begin_login`. Never
            from a request body.
        continue_to: A URL of this site for the browser to open afterwards.

    Raises:
        InvalidRequest: *credential* is malformed. Nothing is spent.
        TooManyAttempts: the network has failed too often.
        LoginExpired: the login is unknown, expired, of another caller, or for another application.
        InvalidCredentials: the assertion is not valid.
        LoginDenied, MoreProofRequired: see `auth_core.login.journey.advance`.
    """
    credential_id = read_assertion(credential, field="credential")
    guess = _charge(client)
    challenge = _spent_challenge(token, browser_secret, application_id)
    person, evidence = _proved(_passkey_with_id(credential_id), credential, challenge, client)
    if guess is not None:
        guess.refund()
    person.backend = backend_knowing(person)
    return open_login(
        user=person,
        evidence=evidence,
        purpose=Purpose.LOGIN,
        transport=Transport(challenge.transport),
        client=client,
        application_id=challenge.application_id,
        browser_secret=browser_secret if challenge.transport == Transport.COOKIE else "",
        continue_to=continue_to,
    )


def _charge(client: Client) -> limits.Charge | None:
    """Charge a ceremony to the client's network. Without a known network nothing is charged, as elsewhere.

    The limit protects the server from work. A signature cannot be guessed.
    """
    return limits.charge("passkey", client=client) if client.network else None


def _refuse_if_not_offered() -> None:
    if not is_offered(Method.SECURITY_KEY):
        refuse_unoffered(Method.PASSKEY)


def _registration(challenge: WebauthnChallenge, user: UserLike) -> Registration:
    options = registration_options(
        relying_party(),
        challenge=challenge.challenge,
        user_handle=user_handle(user),
        user_name=profile_of(user)["email"] or user.get_username(),
        exclude=list(WebauthnFactor.objects.of(user).order_by("pk")),
        discoverable=_discoverable_option(),
        timeout=TIMEOUT,
    )
    return Registration(challenge.pk, options)


def _discoverable_option() -> str:
    """Return whether the credential must be discoverable. A passkey must be, and a security key must not."""
    if not is_offered(Method.SECURITY_KEY):
        return "required"
    return "preferred" if is_offered(Method.PASSKEY) else "discouraged"


def _method_of(registered: Registered, *, must_count: bool) -> Method:
    method = Method.PASSKEY if registered.discoverable or registered.backup_eligible else Method.SECURITY_KEY
    refuse_unoffered(method)
    if must_count and not is_counted(method):
        raise InvalidRequest(FieldError("", "not_counted", _("This does not count as a second factor on this site.")))
    return method


def _add(user: UserLike, registered: Registered, method: Method, name: str, client: Client) -> WebauthnFactor:
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
        # The id is already registered. Either user may have invented it (section 7.1, step 26).
        raise Conflict from None
    return factor


def _record_failed_registration(user: UserLike, client: Client, reason: str) -> None:
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


def _spent_challenge(token: str, browser_secret: str, application_id: UUID | None) -> WebauthnChallenge:
    """Return the challenge that *token* names, spent by this caller.

    Raises:
        LoginExpired: it is unknown, spent, expired, or bound to another browser or application. All look the same.
    """
    challenge = WebauthnChallenge.objects.filter(challenge=token).first()
    if challenge is None:
        raise LoginExpired
    by_cookie = challenge.transport == Transport.COOKIE
    if by_cookie and not browser_secret:
        raise LoginExpired
    browser_digest = digest_of(browser_secret) if by_cookie else ""
    if not challenge.spend(
        purpose=Ceremony.FIRST_FACTOR,
        user=None,
        occasion=None,
        browser_digest=browser_digest,
        application_id=application_id,
    ):
        raise LoginExpired
    return challenge


def _passkey_with_id(credential_id: str) -> WebauthnFactor | None:
    """Return the passkey with this id, or ``None``. A security key alone does not sign in."""
    passkeys = WebauthnFactor.objects.with_id(credential_id).filter(method=Method.PASSKEY.value, confirmed=True)
    factor: WebauthnFactor | None = passkeys.select_related("user", "user__auth_identity").first()
    return factor


def _proved(
    factor: WebauthnFactor | None, credential: Mapping[str, Any], challenge: WebauthnChallenge, client: Client
) -> tuple[Any, Evidence]:
    """Return the user, and the evidence of a valid assertion.

    A passkey that verified its user once must do so again. The options of the page are only
    a request, which a thief of an unlocked device can drop. The flag is checked after the
    signature, so that every refusal costs the same work and reveals nothing about an id.

    A wrong assertion costs none of the factor's consecutive guesses. A thief of the password
    can read the ids of credentials, and could otherwise lock the owner out.

    Raises:
        InvalidCredentials: the assertion is not valid.
    """
    required = mfa.PASSKEY_LOGIN_VERIFICATION == "required"
    try:
        if factor is None:
            verify_userless(credential, challenge=challenge.challenge, verification_required=required)
        asserted = verify(factor, credential, challenge=challenge.challenge, verification_required=required)
        if user_handle_of(credential) is None:
            raise Refused("user_handle")
        if factor.user_verified and not asserted.user_verified:
            raise Refused("user_not_verified")
        check_answer(factor, lambda: count(factor, asserted))
    except Refused as refused:
        _refuse(factor, challenge, refused.reason, client)
    except ChallengeFailed:
        _refuse(factor, challenge, "factor", client)
    return factor.user, evidence_of(factor, user_verified=asserted.user_verified)


def _refuse(factor: WebauthnFactor | None, challenge: WebauthnChallenge, reason: str, client: Client) -> NoReturn:
    with transaction.atomic(durable=True):
        record(
            Event(
                name=AuthEvent.LOGIN_FAILED,
                subject=None if factor is None else factor.user,
                application=challenge.application_id,
                outcome=EventOutcome.FAILURE,
                reason=reason,
                client=client,
                data={"purpose": Purpose.LOGIN.value},
            )
        )
    raise InvalidCredentials
