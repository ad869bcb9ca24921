"""The login step of this package: the second factor."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _

from auth_core.assurance.methods import WEBAUTHN_METHODS, Evidence, Method
from auth_core.contracts import Challenge, Choice
from auth_core.errors import ChallengeFailed, FieldError, InvalidRequest, MoreProofRequired
from auth_core.models import PendingLogin
from auth_mfa import login_enrolment
from auth_mfa.kinds import FactorKind, OwnedFactor
from auth_mfa.messages.login import Message
from auth_mfa.oath import DIGITS
from auth_mfa.recovery.login import Recovery
from auth_mfa.requirements import Asking, plan_of
from auth_mfa.totp.login import Totp
from auth_mfa.webauthn.login import Webauthn

_totp = Totp()
_message = Message()
_webauthn = Webauthn()

#: The kind of factor of each method.
KINDS: Mapping[Method, FactorKind] = {
    Method.TOTP: _totp,
    Method.SMS_CODE: _message,
    Method.EMAIL_CODE: _message,
    Method.RECOVERY_CODE: Recovery(),
    **dict.fromkeys(WEBAUTHN_METHODS, _webauthn),
}

#: The kind that checks an answer to a login without a user, by the member of the answer.
USERLESS_KINDS: Mapping[str, FactorKind] = {"code": _totp, "credential": _webauthn}


class SecondFactor:
    """The login step that asks users for their second factor, or has required users add their first one."""

    def is_pending(self, login: PendingLogin) -> bool:
        """Return whether the login still needs something. A login without a user lacks a second factor as well."""
        return plan_of(login).asking is not Asking.NOTHING

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Ask for the chosen factor, or for the strongest. May send a code.

        Raises:
            InvalidRequest: *choice* is not one of the choices.
            MoreProofRequired: policy demands a factor, and the user lost theirs.
        """
        plan = plan_of(login)
        if plan.asking is Asking.REFUSAL:
            raise MoreProofRequired
        if plan.asking is Asking.ENROLMENT:
            return login_enrolment.challenge(login, choice)
        if choice is not None and choice not in {str(offer.id) for offer in plan.offers}:
            raise InvalidRequest(FieldError("choice", "unknown", _("This option is not available.")))
        _remember(login, plan.offers, choice)
        return _question(login, plan.offers, is_new=True)

    def question(self, login: PendingLogin) -> Challenge:
        """Ask for the same factor again.

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
        """Return the evidence of a correct and unused answer.

        Raises:
            InvalidRequest: the answer does not have the shape of the kind.
            ChallengeFailed: the answer is wrong, used or expired, or there is nothing to answer.
            Unavailable: too many hashes are computed at this moment. The answer was not checked.
        """
        plan = plan_of(login)
        if plan.asking is Asking.ENROLMENT:
            return login_enrolment.answer(login, answer)
        if not plan.offers:
            _answer_userless(answer)
            raise ChallengeFailed
        chosen = _chosen(login, plan.offers)
        return KINDS[chosen.method].answer(login, _together_with(chosen, plan.offers), answer)


def _question(login: PendingLogin, offers: Sequence[OwnedFactor], *, is_new: bool) -> Challenge:
    if not offers:
        return Challenge(kind="code", method=Method.TOTP.value, data={"digits": DIGITS})
    chosen = _chosen(login, offers)
    kind = KINDS[chosen.method]
    data_of = kind.ask if is_new else kind.repeat
    return Challenge(
        kind=kind.name,
        method=chosen.method.value,
        choice=str(chosen.id),
        data=data_of(login, _together_with(chosen, offers)),
        choices=[Choice(str(offer.id), offer.method.value, offer.name) for offer in _choices(chosen, offers)],
    )


def _remember(login: PendingLogin, offers: Sequence[OwnedFactor], choice: str | None) -> None:
    """Store the factor that is asked for, because another login may change which one comes first."""
    if choice is None and len(offers) > 1:
        choice = str(_chosen(login, offers).id)
    if choice is not None and choice != login.choice:
        login.remember_choice(choice)


def _chosen(login: PendingLogin, offers: Sequence[OwnedFactor]) -> OwnedFactor:
    """Return the factor chosen in this login, or the strongest if there is no choice or it was removed meanwhile."""
    return next((offer for offer in offers if str(offer.id) == login.choice), offers[0])


def _together_with(chosen: OwnedFactor, offers: Sequence[OwnedFactor]) -> list[OwnedFactor]:
    """Return the factors that may answer: the chosen one, then others that the same challenge covers."""
    kind = KINDS[chosen.method]
    others = [offer for offer in offers if offer is not chosen and KINDS[offer.method] is kind and kind.together]
    return [chosen, *others]


def _choices(chosen: OwnedFactor, offers: Sequence[OwnedFactor]) -> list[OwnedFactor]:
    """Return one factor for each challenge: the chosen one, or the first that the challenge covers."""
    choices: list[OwnedFactor] = []
    for offer in [chosen, *offers]:
        kind = KINDS[offer.method]
        if offer not in choices and not (kind.together and any(KINDS[other.method] is kind for other in choices)):
            choices.append(offer)
    return sorted(choices, key=offers.index)


def _answer_userless(answer: Mapping[str, Any]) -> None:
    """Do the work of an answer for a login without a user. The members of the answer show its kind."""
    kind: FactorKind = USERLESS_KINDS["credential" if "credential" in answer else "code"]
    kind.answer_userless(answer)
