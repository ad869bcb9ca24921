"""Passkeys and security keys in a login that has begun with something else."""

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
from auth_mfa.webauthn.assertion import count, evidence_of, questions_of, read_assertion, verify, verify_nobodys
from auth_mfa.webauthn.ceremony import Asserted, Refused, claimed_challenge


class Webauthn:
    """Asks for an assertion of any of the person's passkeys and security keys."""

    name = "webauthn"
    together = True

    def ask(self, login: PendingLogin, held: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Write a challenge down, and return what the browser asks; the one before it is worth nothing any more."""
        challenge = WebauthnChallenge.objects.issue(
            purpose=Ceremony.SECOND_FACTOR,
            user=login.user,
            occasion=login.pk,
            browser_digest=login.browser_digest,
        )
        return {"options": questions_of(challenge, allow=_rows_of(login, held))}

    def asked(self, login: PendingLogin, held: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Return the question once more; nothing, once its challenge was spent: then it has to be asked anew."""
        challenge = WebauthnChallenge.objects.live(purpose=Ceremony.SECOND_FACTOR, user=login.user, occasion=login.pk)
        return {"options": challenge and questions_of(challenge, allow=_rows_of(login, held))}

    def answer(self, login: PendingLogin, held: Sequence[OwnedFactor], answer: Mapping[str, Any]) -> Evidence:
        """Return the evidence of an assertion that was made for this very login.

        The challenge is spent first, whatever becomes of the answer.

        Raises:
            InvalidRequest: there is no assertion in the answer.
            ChallengeFailed: it is wrong, somebody else's, for another login, or too late.
        """
        credential, credential_id = _credential_in(answer)
        challenge = _spent_challenge(login)
        own = WebauthnFactor.objects.of(login.user).with_id(credential_id).select_related("user__auth_identity")
        factor = own.filter(pk__in=[each.id for each in held]).first()
        if factor is None:
            _answer_nobody(credential, challenge)
            raise ChallengeFailed
        asserted = _asserted(factor, credential, challenge)
        check_answer(factor, lambda: count(factor, asserted))
        proved = evidence_of(factor, user_verified=asserted.user_verified)
        if asserted.user_verified and any(piece.method is Method.PASSWORD for piece in login.evidence):
            # From the next time on: it is the password of this login that makes the flag believable.
            factor.note_verification()
        return proved

    def answer_nobody(self, answer: Mapping[str, Any]) -> None:
        """Verify the assertion with nobody's key."""
        credential, _credential_id = _credential_in(answer)
        _answer_nobody(credential, claimed_challenge(credential))


def _answer_nobody(credential: Mapping[str, Any], challenge: str) -> None:
    with suppress(Refused):
        verify_nobodys(credential, challenge=challenge)


def _credential_in(answer: Mapping[str, Any]) -> tuple[Mapping[str, Any], str]:
    refuse_others(answer, "credential", field="answer")
    credential = answer.get("credential")
    return credential or {}, read_assertion(credential, field="answer.credential")


def _spent_challenge(login: PendingLogin) -> str:
    """Spend the challenge of *login*; return it, or nothing when there was none to spend."""
    challenge = WebauthnChallenge.objects.live(purpose=Ceremony.SECOND_FACTOR, user=login.user, occasion=login.pk)
    if challenge is None or not challenge.spend(
        purpose=Ceremony.SECOND_FACTOR, user=login.user, occasion=login.pk, browser_digest=login.browser_digest
    ):
        return ""
    return challenge.challenge


def _asserted(factor: WebauthnFactor, credential: Mapping[str, Any], challenge: str) -> Asserted:
    """Return what *credential* says of *factor*.

    A wrong one costs none of the guesses that the factor has in a row, as in a login by
    passkey alone: in a signature there is nothing to guess, and whoever knows the
    password could disable the passkeys of their owner with a hundred wrong ones.

    Raises:
        ChallengeFailed: it is not right, which is recorded, or its challenge was spent.
    """
    try:
        if not challenge:
            raise Refused("challenge")
        return verify(factor, credential, challenge=challenge)
    except Refused as refused:
        with transaction.atomic(durable=True):
            record_check(factor, refused.reason)
        raise ChallengeFailed from None


def _rows_of(login: PendingLogin, held: Sequence[OwnedFactor]) -> list[WebauthnFactor]:
    return list(WebauthnFactor.objects.of(login.user).filter(pk__in=[each.id for each in held]).order_by("pk"))
