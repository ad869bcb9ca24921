"""What this package plugs into a login: the second factor."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from auth_core.assurance.methods import Evidence, Method
from auth_core.contracts import Challenge, Choice
from auth_core.errors import ChallengeFailed, FieldError, InvalidRequest, MoreProofRequired
from auth_core.models import PendingLogin
from auth_mfa import login_enrolment
from auth_mfa.kind_table import KINDS, NOBODYS_KINDS
from auth_mfa.kinds import FactorKind, OwnedFactor
from auth_mfa.oath import DIGITS
from auth_mfa.requirements import Asking, plan_of


class SecondFactor:
    """Asks whoever has a second factor for it; whoever must have one and never had any, to add it."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Say whether something is still to be asked; a login of nobody lacks a second factor as well."""
        return plan_of(login).asking is not Asking.NOTHING

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Ask for the factor that was chosen, or for the strongest; may send a code.

        Raises:
            InvalidRequest: *choice* is none of the ways there are.
            MoreProofRequired: policy demands a factor of somebody who lost theirs.
        """
        plan = plan_of(login)
        if plan.asking is Asking.REFUSAL:
            raise MoreProofRequired
        if plan.asking is Asking.ENROLMENT:
            return login_enrolment.challenge(login, choice)
        if choice is not None and choice not in {str(held.id) for held in plan.offers}:
            raise InvalidRequest(FieldError("choice", "unknown", _("There is no such factor.")))
        _remember(login, plan.offers, choice)
        return _question(login, plan.offers, is_new=True)

    def question(self, login: PendingLogin) -> Challenge:
        """Ask again, for the same factor.

        Raises:
            MoreProofRequired: as in `challenge`.
        """
        plan = plan_of(login)
        if plan.asking is Asking.REFUSAL:
            raise MoreProofRequired
        if plan.asking is Asking.ENROLMENT:
            return login_enrolment.question(login)
        return _question(login, plan.offers, is_new=False)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """Return the evidence of an answer that is right and was not used.

        Raises:
            InvalidRequest: the answer has not the shape of the kind.
            ChallengeFailed: it is wrong, used or expired, or there is nothing that it could answer.
            Unavailable: too much is hashed at this moment; nobody looked at it.
        """
        plan = plan_of(login)
        if plan.asking is Asking.ENROLMENT:
            return login_enrolment.answer(login, answer)
        if not plan.offers:
            _answer_nobody(answer)
            raise ChallengeFailed
        chosen = _chosen(login, plan.offers)
        return KINDS[chosen.method].answer(login, _asked_together(chosen, plan.offers), answer)


def _question(login: PendingLogin, offers: Sequence[OwnedFactor], *, is_new: bool) -> Challenge:
    if not offers:
        return Challenge(kind="code", method=Method.TOTP.value, data={"digits": DIGITS})
    chosen = _chosen(login, offers)
    kind = KINDS[chosen.method]
    ask = kind.ask if is_new else kind.asked
    return Challenge(
        kind=kind.name,
        method=chosen.method.value,
        choice=str(chosen.id),
        data=ask(login, _asked_together(chosen, offers)),
        choices=[Choice(str(held.id), held.method.value, held.name) for held in _single(chosen, offers)],
    )


def _remember(login: PendingLogin, offers: Sequence[OwnedFactor], choice: str | None) -> None:
    """Keep what is asked, where it could be something else when the answer comes: another login may use a factor."""
    if choice is None and len(offers) > 1:
        choice = str(_chosen(login, offers).id)
    if choice is not None and choice != login.choice:
        login.remember_choice(choice)


def _chosen(login: PendingLogin, offers: Sequence[OwnedFactor]) -> OwnedFactor:
    """Return the factor the person chose in this login, or the strongest; one that was removed meanwhile is none."""
    return next((held for held in offers if str(held.id) == login.choice), offers[0])


def _asked_together(chosen: OwnedFactor, offers: Sequence[OwnedFactor]) -> list[OwnedFactor]:
    """Return what may answer: the chosen one alone, or first among all that one question asks for."""
    kind = KINDS[chosen.method]
    others = [held for held in offers if held is not chosen and KINDS[held.method] is kind and kind.together]
    return [chosen, *others]


def _single(chosen: OwnedFactor, offers: Sequence[OwnedFactor]) -> list[OwnedFactor]:
    """Return one choice for all factors that one question asks for: the chosen one, or the first."""
    shown: list[OwnedFactor] = []
    for held in [chosen, *offers]:
        kind = KINDS[held.method]
        if held not in shown and not (kind.together and any(KINDS[other.method] is kind for other in shown)):
            shown.append(held)
    return sorted(shown, key=offers.index)


def _answer_nobody(answer: Mapping[str, Any]) -> None:
    """Do the work of an answer for nobody; its members tell which kind was meant."""
    kind: FactorKind = NOBODYS_KINDS["credential" if "credential" in answer else "code"]
    kind.answer_nobody(answer)
