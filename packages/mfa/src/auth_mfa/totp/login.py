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

#: What a login of nobody is compared with: the same work, and never right.
_NOBODYS_KEY = bytes(20)


class Totp:
    """Asks for the code that the app shows."""

    name = "code"
    together = False

    def ask(self, login: PendingLogin, held: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Say how long the code is."""
        return {"digits": DIGITS}

    asked = ask

    def answer(self, login: PendingLogin, held: Sequence[OwnedFactor], answer: Mapping[str, Any]) -> Evidence:
        """Return the evidence of a code that is right now and was not used.

        One app is asked, not all of them: each further one would be as many further
        guesses with the same code.

        Raises:
            InvalidRequest: there is no code of six digits in the answer.
            ChallengeFailed: the code is wrong, or was used.
        """
        code = code_in(answer)
        factor = TotpFactor.objects.of(login.user).filter(pk=held[0].id).first()
        if factor is None:
            raise ChallengeFailed
        # As the login has them, with what was read of them already.
        factor.user = login.user
        check_answer(factor, lambda: _reason(factor, factor.step_of(code)))
        return Evidence.now(Method.TOTP, credential=str(factor.pk))

    def answer_nobody(self, answer: Mapping[str, Any]) -> None:
        """Compute the codes of nobody's key."""
        code = code_in(answer)
        TotpFactor(pk=UUID(int=0), seed=oath.to_base32(_NOBODYS_KEY)).step_of(code)


def _reason(factor: TotpFactor, step: int | None) -> str:
    if step is None:
        return "code"
    return "" if factor.spend_step(step) else "replayed"
