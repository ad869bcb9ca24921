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
    """Asks for one of the codes on the sheet."""

    name = "recovery_code"
    together = False

    def ask(self, login: PendingLogin, held: Sequence[OwnedFactor]) -> Mapping[str, Any]:
        """Say nothing: how many are left is its owner's business."""
        return {}

    asked = ask

    def answer(self, login: PendingLogin, held: Sequence[OwnedFactor], answer: Mapping[str, Any]) -> Evidence:
        """Return the evidence of a code that was not used.

        Raises:
            InvalidRequest: there is no such code in the answer.
            ChallengeFailed: it is wrong, or was used.
            Unavailable: too much is hashed at this moment; the code stays good.
        """
        code = _code_in(answer)
        sheet = RecoveryCodeSet.objects.of(login.user).select_related("user").filter(pk=held[0].id).first()
        if sheet is None:
            self.answer_nobody(answer)
            raise ChallengeFailed
        # Before the transaction: the hash is slow, and would hold the sheet's lock for as long.
        digest = recovery_codes.digest_of(code, salt=sheet.salt, cost=sheet.cost)
        check_answer(sheet, lambda: _spent(sheet, digest))
        return Evidence.now(Method.RECOVERY_CODE, credential=str(sheet.pk))

    def answer_nobody(self, answer: Mapping[str, Any]) -> None:
        """Hash the code with nobody's salt."""
        recovery_codes.digest_of(_code_in(answer), salt="00" * 16, cost=recovery_codes.cost())


def _code_in(answer: Mapping[str, Any]) -> str:
    refuse_others(answer, "code", field="answer")
    given = answer.get("code")
    code = recovery_codes.read_code(given) if isinstance(given, str) else None
    if code is None:
        detail = _("Enter one of your recovery codes: four groups of four letters and digits.")
        raise InvalidRequest(FieldError("answer.code", "invalid", detail))
    return code


def _spent(sheet: RecoveryCodeSet, digest: str) -> str:
    """Spend the code and tell its owner; unknown and used look the same."""
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
