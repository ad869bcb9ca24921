"""Passkeys and security keys as a second factor of a login."""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.db import transaction

from auth_core.assurance.methods import Evidence, Method
from auth_core.errors import ChallengeFailed
from auth_core.models import PendingLogin
from auth_mfa.answer_check import check_answer, record_check
from auth_mfa.codes import refuse_others
from auth_mfa.kinds import OwnedFactor
from auth_mfa.models import WebauthnChallenge, WebauthnFactor
from auth_mfa.models.webauthn_challenge import Ceremony
from auth_mfa.webauthn.assertion import count, evidence_of, questions_of, read_assertion, verify, verify_userless
from auth_mfa.webauthn.ceremony import Asserted, Refused, claimed_challenge


class Webauthn:
    """The challenge for an assertion of any of the user's passkeys and security keys."""

    name = "webauthn"
    together = True

    def ask(self, login: PendingLogin, factors: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Store a new challenge, which replaces the previous one, and return its options."""
        challenge = WebauthnChallenge.objects.issue(
            purpose=Ceremony.SECOND_FACTOR,
            user=login.person,
            occasion=login.pk,
            browser_digest=login.browser_digest,
        )
        return {"options": questions_of(challenge, allow=_rows_of(login, factors))}

    def repeat(self, login: PendingLogin, factors: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Return the options of the live challenge again, or ``None`` if it was spent and a new one is needed."""
        challenge = WebauthnChallenge.objects.live(purpose=Ceremony.SECOND_FACTOR, user=login.person, occasion=login.pk)
        return {"options": challenge and questions_of(challenge, allow=_rows_of(login, factors))}

    def answer(self, login: PendingLogin, factors: Sequence[OwnedFactor], answer: Mapping[str, Any]) -> Evidence:
        """Return the evidence of an assertion that was made for this login.

        The challenge is spent first, in every case.

        Raises:
            InvalidRequest: the answer has no assertion.
            ChallengeFailed: the assertion is wrong, expired, of another user or for another login.
        """
        credential, credential_id = _credential_in(answer)
        challenge = _spent_challenge(login)
        own = WebauthnFactor.objects.of(login.person).with_id(credential_id).select_related("user__auth_identity")
        factor = own.filter(pk__in=[owned.id for owned in factors]).first()
        if factor is None:
            _answer_userless(credential, challenge)
            raise ChallengeFailed
        asserted = _asserted(factor, credential, challenge)
        check_answer(factor, lambda: count(factor, asserted))
        evidence = evidence_of(factor, user_verified=asserted.user_verified)
        if asserted.user_verified and any(other.method is Method.PASSWORD for other in login.evidence):
            # It counts from the next login on. The password of this login makes the flag credible.
            factor.note_verification()
        return evidence

    def answer_userless(self, answer: Mapping[str, Any]) -> None:
        """Verify the assertion with a dummy key."""
        credential, _credential_id = _credential_in(answer)
        _answer_userless(credential, claimed_challenge(credential))


def _answer_userless(credential: Mapping[str, Any], challenge: str) -> None:
    with suppress(Refused):
        verify_userless(credential, challenge=challenge)


def _credential_in(answer: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    refuse_others(answer, "credential", field="answer")
    credential = answer.get("credential")
    return credential or {}, read_assertion(credential, field="answer.credential")


def _spent_challenge(login: PendingLogin) -> str:
    """Spend the challenge of *login* and return it, or an empty string if there is none."""
    challenge = WebauthnChallenge.objects.live(purpose=Ceremony.SECOND_FACTOR, user=login.person, occasion=login.pk)
    if challenge is None or not challenge.spend(
        purpose=Ceremony.SECOND_FACTOR, user=login.person, occasion=login.pk, browser_digest=login.browser_digest
    ):
        return ""
    return challenge.challenge


def _asserted(factor: WebauthnFactor, credential: Mapping[str, Any], challenge: str) -> Asserted:
    """Verify *credential* against *factor* and return its claims.

    A wrong assertion costs none of the factor's consecutive guesses, as in a login by passkey
    alone. A signature cannot be guessed, and a thief of the password could otherwise disable
    the owner's passkeys with a hundred wrong assertions.

    Raises:
        ChallengeFailed: the assertion is not valid, or its challenge was spent. The failure is recorded.
    """
    try:
        if not challenge:
            raise Refused("challenge")
        return verify(factor, credential, challenge=challenge)
    except Refused as refused:
        with transaction.atomic(durable=True):
            record_check(factor, refused.reason)
        raise ChallengeFailed from None


def _rows_of(login: PendingLogin, factors: Sequence[OwnedFactor]) -> list[WebauthnFactor]:
    return list(WebauthnFactor.objects.of(login.person).filter(pk__in=[owned.id for owned in factors]).order_by("pk"))
