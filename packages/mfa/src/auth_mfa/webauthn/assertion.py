"""Assertions of stored passkeys and security keys: options, verification and evidence."""

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn

from auth_core.assurance.methods import Evidence, Method
from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import Event, EventOutcome, record
from auth_core.messages.links import site_name
from auth_core.people.lookup import identity_of
from auth_core.users import UserLike
from auth_mfa.conf import mfa
from auth_mfa.events import MfaEvent
from auth_mfa.models import WebauthnChallenge, WebauthnFactor
from auth_mfa.models.webauthn_challenge import LIFETIME
from auth_mfa.webauthn.ceremony import (
    Asserted,
    Malformed,
    Refused,
    RelyingParty,
    assertion_options,
    check_assertion_shape,
    user_handle_of,
    verify_assertion,
)

#: Timeout for browsers, in milliseconds.
TIMEOUT = int(LIFETIME.total_seconds() * 1000)

#: A public key without a known private key. Unknown credentials are verified against it.
_DUMMY_KEY = "pQECAyYgASFYIMY_NeTkCnBQXzywQcmYHmCcBfT-tXbW1jBtZTzRE7EoIlggIZB6eSuPmkBA5_Q6UXa7iWGHCXAdEfQjc7Dor2EaHrc"


def relying_party() -> RelyingParty:
    """Return the relying party of this site."""
    return RelyingParty(id=mfa.rp_id, name=site_name(), origins=mfa.origins, top_origins=tuple(mfa.TOP_ORIGINS))


def questions_of(
    challenge: WebauthnChallenge, *, allow: Sequence[WebauthnFactor], verification: str = "preferred"
) -> dict[str, Any]:
    """Return the options of an assertion for *challenge*."""
    return assertion_options(
        relying_party(), challenge=challenge.challenge, allow=allow, verification=verification, timeout=TIMEOUT
    )


def read_assertion(credential: object, *, field: str) -> str:
    """Return the id of the credential in an assertion.

    Raises:
        InvalidRequest: *credential* does not have the shape of an assertion. Its content was not checked.
    """
    try:
        return check_assertion_shape(credential)
    except Malformed:
        raise wrong_shape(field) from None


def wrong_shape(field: str) -> InvalidRequest:
    """Return the error for data that is not a credential."""
    return InvalidRequest(FieldError(field, "invalid", "This is not a valid passkey response."))


def verify(
    factor: WebauthnFactor, credential: Mapping[str, Any], *, challenge: str, verification_required: bool = False
) -> Asserted:
    """Verify *credential* against *factor* and return its claims.

    Raises:
        Refused: the assertion is not valid.
    """
    asserted = _verified(factor.public_key, credential, challenge, required=verification_required)
    handle = user_handle_of(credential)
    if handle is not None and handle != user_handle(factor.user):
        raise Refused("user_handle")
    # Backup eligibility is fixed when the key is created (section 7.2, step 19).
    if asserted.backup_eligible != factor.backup_eligible:
        raise Refused("backup")
    return asserted


def verify_userless(credential: Mapping[str, Any], *, challenge: str, verification_required: bool = False) -> NoReturn:
    """Do the work of `verify` for an unknown credential.

    Raises:
        Refused: always.
    """
    _verified(_DUMMY_KEY, credential, challenge, required=verification_required)
    raise Refused("unknown")


def _verified(public_key: str, credential: Mapping[str, Any], challenge: str, *, required: bool) -> Asserted:
    return verify_assertion(
        relying_party(), credential, challenge=challenge, public_key=public_key, verification_required=required
    )


def count(factor: WebauthnFactor, asserted: Asserted) -> str:
    """Store the counter of a valid assertion, inside the caller's transaction. Return why not, or an empty string.

    A counter that did not rise indicates a copied key. An alert is recorded and the
    assertion is refused (section 6.1.1).
    """
    if factor.spend_count(asserted.sign_count, backup_state=asserted.backup_state):
        return ""
    record(
        Event(
            name=MfaEvent.FACTOR_CLONED,
            subject=factor.user,
            target=("factor", str(factor.pk)),
            outcome=EventOutcome.DENIED,
            reason="regressed",
            data={"method": factor.method},
        )
    )
    return "regressed"


def evidence_of(factor: WebauthnFactor, *, user_verified: bool) -> Evidence:
    """Return the evidence of a valid assertion or registration. Without user verification it proves possession only.

    The flag counts only for a key that verified its user before, because a thief of a key
    without a PIN can set one (WebAuthn Level 3 section 4, ``uvInitialized``).

    Args:
        user_verified: The flag of this assertion.
    """
    return Evidence.now(
        Method(factor.method),
        credential=str(factor.pk),
        user_verified=user_verified and factor.user_verified,
        phishing_resistant=True,
        device_bound=not factor.backup_eligible,
    )


def user_handle(user: UserLike) -> bytes:
    """Return the user handle of *user*, which is random and reveals nothing (section 14.6.1)."""
    return identity_of(user).subject_id.bytes
