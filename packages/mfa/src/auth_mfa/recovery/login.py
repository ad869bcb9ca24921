"""Recovery codes in a login."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from auth_core.assurance.methods import Evidence, Method
from auth_core.errors import ChallengeFailed, FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_core.models import PendingLogin
from auth_mfa.answer_check import check_answer
from auth_mfa.codes import refuse_others
from auth_mfa.events import MfaEvent
from auth_mfa.kinds import OwnedFactor
from auth_mfa.models import RecoveryCodeSet
from auth_mfa.recovery import recovery_codes


class Recovery:
    """The challenge for one of the recovery codes."""

    name = "recovery_code"
    together = False

    def ask(self, login: PendingLogin, factors: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Return nothing, because the number of codes left is private."""
        return {}

    repeat = ask

    def answer(self, login: PendingLogin, factors: Sequence[OwnedFactor], answer: Mapping[str, Any]) -> Evidence:
        """Return the evidence of an unused code.

        Raises:
            InvalidRequest: the answer has no recovery code.
            ChallengeFailed: the code is wrong or used.
            Unavailable: too many hashes are computed at this moment. The code stays valid.
        """
        code = _code_in(answer)
        sheet = RecoveryCodeSet.objects.of(login.user).select_related("user").filter(pk=factors[0].id).first()
        if sheet is None:
            self.answer_userless(answer)
            raise ChallengeFailed
        # Hashed before the transaction, because the slow hash would hold the sheet's lock.
        digest = recovery_codes.digest_of(code, salt=sheet.salt, cost=sheet.cost)
        check_answer(sheet, lambda: _spend(sheet, digest))
        return Evidence.now(Method.RECOVERY_CODE, credential=str(sheet.pk))

    def answer_userless(self, answer: Mapping[str, Any]) -> None:
        """Hash the code with a dummy salt."""
        recovery_codes.digest_of(_code_in(answer), salt="00" * 16, cost=recovery_codes.cost())


def _code_in(answer: Mapping[str, Any]) -> str:
    refuse_others(answer, "code", field="answer")
    text = answer.get("code")
    code = recovery_codes.read_code(text) if isinstance(text, str) else None
    if code is None:
        detail = _("Enter a recovery code: four groups of four letters and digits.")
        raise InvalidRequest(FieldError("answer.code", "invalid", detail))
    return code


def _spend(sheet: RecoveryCodeSet, digest: str) -> str:
    """Spend the code and notify its owner. Return the same reason for unknown and used codes."""
    if not sheet.spend_code(digest):
        return "code"
    sheet.refresh_from_db(fields=["left"])
    record(
        Event(
            name=MfaEvent.RECOVERY_CODE_USED,
            subject=sheet.user,
            target=("factor", str(sheet.pk)),
            data={"left": sheet.left},
        )
    )
    return ""
