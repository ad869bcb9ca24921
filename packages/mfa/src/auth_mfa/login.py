"""What this package plugs into a login: the second factor."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from auth_core.assurance import has_second_factor
from auth_core.contracts import Challenge, Choice
from auth_core.errors import ChallengeFailed, FieldError, InvalidRequest
from auth_core.events import Event, EventOutcome, record
from auth_core.methods import Evidence, Method
from auth_core.models import PendingLogin
from auth_mfa import totp
from auth_mfa.events import MfaEvent
from auth_mfa.factors import factors_of, read_factors
from auth_mfa.models import TotpFactor

#: A code of the kind: its digits, in ASCII; other scripts have digits as well.
KIND = "code"

#: What a login of nobody is compared with: the same work, and never right.
_NOBODYS_KEY = bytes(20)


class SecondFactor:
    """Asks whoever has a second factor for it, in every login that has not proved one yet."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Say whether a second factor is still to be proved; a login of nobody lacks one as well."""
        if has_second_factor(login.evidence):
            return False
        return login.user is None or bool(read_factors(login.user))

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Ask for a code of the factor that was chosen, or of the one used last.

        Raises:
            InvalidRequest: *choice* is none of the person's factors.
        """
        factors = factors_of(login.user)
        if choice is not None:
            if choice not in {str(factor.pk) for factor in factors}:
                raise InvalidRequest(FieldError("choice", "unknown", _("There is no such factor.")))
            login.remember_choice(choice)
        return _question(login, factors)

    def question(self, login: PendingLogin) -> Challenge:
        """Ask again, for the same factor."""
        return _question(login, factors_of(login.user))

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Return the evidence of a code that is right now and was not used.

        One factor is asked, not all of them: each further one would be as many further
        guesses with the same code.

        Raises:
            InvalidRequest: there is no code of six digits in the answer.
            ChallengeFailed: the code is wrong, or was used.
        """
        code = code_in(answer)
        factor = _chosen(login, factors_of(login.user))
        if factor is None:
            TotpFactor(pk=UUID(int=0), seed=totp.to_base32(_NOBODYS_KEY)).step_of(code)
            raise ChallengeFailed
        reason = _verify(factor, code)
        if reason:
            raise ChallengeFailed
        return Evidence.now(Method.TOTP, credential=str(factor.pk))


def code_in(answer: Mapping[str, Any], *, field: str = "answer") -> str:
    """Return the code in an answer; spaces, which apps show in the middle, are left out.

    Raises:
        InvalidRequest: there is none, or something beside it; nothing was compared.
    """
    code = answer.get("code")
    if unknown := set(answer) - {"code"}:
        names = (name for name in unknown if name.isidentifier() and name.isascii())
        raise InvalidRequest(
            *(FieldError(f"{field}.{name[:64]}", "unknown_field", _("This field is not known.")) for name in names)
        )
    digits = code.replace(" ", "") if isinstance(code, str) and len(code) <= 2 * totp.DIGITS else ""
    if len(digits) != totp.DIGITS or not (digits.isascii() and digits.isdigit()):
        params = {"digits": totp.DIGITS}
        raise InvalidRequest(FieldError(f"{field}.code", "invalid", _("Enter the six digits of the code."), params))
    return digits


def _question(login: PendingLogin, factors: list[TotpFactor]) -> Challenge:
    chosen = _chosen(login, factors)
    return Challenge(
        kind=KIND,
        method=Method.TOTP.value,
        choice="" if chosen is None else str(chosen.pk),
        data={"digits": totp.DIGITS},
        choices=[Choice(str(factor.pk), Method.TOTP.value, factor.name) for factor in factors],
    )


def _chosen(login: PendingLogin, factors: list[TotpFactor]) -> TotpFactor | None:
    """Return the factor the person chose, or the one used last; one that was removed meanwhile is none."""
    return next((factor for factor in factors if str(factor.pk) == login.choice), factors[0] if factors else None)


def _verify(factor: TotpFactor, code: str) -> str:
    """Spend a guess, then the time step; return why the code is not good, and nothing when it is.

    Committed whatever the answer is: a guess that is rolled back would be free.
    """
    with transaction.atomic(durable=True):
        has_guess = factor.spend_guess()
        step = factor.step_of(code)
        reason = _reason(factor, has_guess=has_guess, step=step)
        outcome = EventOutcome.FAILURE if reason else EventOutcome.SUCCESS
        _record(MfaEvent.FACTOR_FAILED if reason else MfaEvent.FACTOR_USED, factor, outcome, reason)
        if reason == "code" and _has_failed_too_often(factor):
            _record(MfaEvent.FACTOR_DISABLED, factor, EventOutcome.DENIED, "failures")
    return reason


def _has_failed_too_often(factor: TotpFactor) -> bool:
    """Ask anew: guesses at the same moment have raised the count as well."""
    factor.refresh_from_db(fields=["failures"])
    return factor.is_exhausted


def _reason(factor: TotpFactor, *, has_guess: bool, step: int | None) -> str:
    if not has_guess:
        return "exhausted"
    if step is None:
        return "code"
    return "" if factor.spend_step(step) else "replayed"


def _record(name: MfaEvent, factor: TotpFactor, outcome: EventOutcome, reason: str) -> None:
    record(
        Event(
            name=name,
            subject=factor.user,
            target=("factor", str(factor.pk)),
            outcome=outcome,
            reason=reason,
            data={"method": Method.TOTP.value},
        )
    )
