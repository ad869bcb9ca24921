"""Authenticator apps in a login."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from auth_core.assurance.methods import Evidence, Method
from auth_core.errors import ChallengeFailed
from auth_core.models import PendingLogin
from auth_mfa import oath
from auth_mfa.answer_check import check_answer
from auth_mfa.codes import code_in
from auth_mfa.kinds import OwnedFactor
from auth_mfa.models import TotpFactor
from auth_mfa.oath import DIGITS

#: The key for a login without a user. It costs the same work and never matches.
_DUMMY_KEY = bytes(20)


class Totp:
    """The challenge for the code that the app shows."""

    name = "code"
    together = False

    def ask(self, login: PendingLogin, factors: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Return the length of the code."""
        return {"digits": DIGITS}

    repeat = ask

    def answer(self, login: PendingLogin, factors: Sequence[OwnedFactor], answer: Mapping[str, Any]) -> Evidence:
        """Return the evidence of a correct and unused code.

        The code is compared with one app only. Each further app would make a guess more
        likely to match.

        Raises:
            InvalidRequest: the answer has no six-digit code.
            ChallengeFailed: the code is wrong or used.
        """
        code = code_in(answer)
        factor = TotpFactor.objects.of(login.user).filter(pk=factors[0].id).first()
        if factor is None:
            raise ChallengeFailed
        # The login's instance of the user has related rows loaded already.
        factor.user = login.user
        check_answer(factor, lambda: _why_not_accepted(factor, factor.step_of(code)))
        return Evidence.now(Method.TOTP, credential=str(factor.pk))

    def answer_userless(self, answer: Mapping[str, Any]) -> None:
        """Compute the codes of a dummy key."""
        code = code_in(answer)
        TotpFactor(pk=UUID(int=0), seed=oath.to_base32(_DUMMY_KEY)).step_of(code)


def _why_not_accepted(factor: TotpFactor, step: int | None) -> str:
    if step is None:
        return "code"
    return "" if factor.spend_step(step) else "replayed"
