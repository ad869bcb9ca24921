"""What a login is asked next: derived from its evidence, its demand, what its person has, and policy.

Nothing remembers what was asked: a factor that is added or a policy that changes
while somebody signs in takes effect at once.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

from auth_core.assurance.levels import Demand, can_reach_aal2, has_second_factor
from auth_core.assurance.methods import Evidence, Method
from auth_core.contracts import Purpose
from auth_core.models import PendingLogin
from auth_mfa.factors import read_factors
from auth_mfa.kinds import NO_ROW, OwnedFactor
from auth_mfa.mailbox import mailbox_of
from auth_mfa.models import FactorHistory
from auth_mfa.models.message_factor import masked_address
from auth_mfa.policy import Requirement, is_counted, is_offered, requirement_of

_MAIL = frozenset({Method.EMAIL_CODE, Method.EMAIL_LINK})
_WEBAUTHN = frozenset({Method.PASSKEY, Method.SECURITY_KEY})

#: What leaves room for an enrolment: a demand of risk leads to recovery, never there.
_LENIENT = frozenset({Demand.NONE, Demand.SECOND_FACTOR})


class Asking(Enum):
    """What a login is asked; the set is closed."""

    NOTHING = auto()
    PROOF = auto()
    ENROLMENT = auto()
    REFUSAL = auto()


@dataclass(frozen=True, slots=True)
class Plan:
    """What a login is asked, and what may answer it.

    Args:
        offers: The factors of which one is to be proved, the strongest first.
    """

    asking: Asking
    offers: tuple[OwnedFactor, ...] = ()


_NOTHING = Plan(Asking.NOTHING)


def plan_of(login: PendingLogin) -> Plan:
    """Return what *login* is asked next; asks the database, and has no side effect."""
    proved = has_second_factor(login.evidence) and login.meets_demand()
    if login.user is None:
        return _NOTHING if proved else Plan(Asking.PROOF)
    if proved and (login.purpose != Purpose.LOGIN or _has_proved_what_counts(login.evidence)):
        return _NOTHING
    required = login.purpose == Purpose.LOGIN and requirement_of(login.user) is Requirement.REQUIRED
    if proved and not required:
        return _NOTHING
    held = read_factors(login.user)
    return _counted_proof(login, held) if proved else _proof(login, held, required=required)


def _proof(login: PendingLogin, held: Sequence[OwnedFactor], *, required: bool) -> Plan:
    """Ask for what the person has; for their mailbox, if they never had anything; for nothing, if nothing is needed."""
    if offers := _usable(held, login):
        return Plan(Asking.PROOF, offers)
    if mailbox := _mailbox(login, held, required=required):
        return Plan(Asking.PROOF, (mailbox,))
    return Plan(Asking.REFUSAL) if required or _is_given_up(login, held) else _NOTHING


def _is_given_up(login: PendingLogin, held: Sequence[OwnedFactor]) -> bool:
    """Say whether the site has given up whatever protects the account, so that its password alone would open it.

    A setting that is lost, such as that of the gateway, must not take the second factor from everybody.
    """
    return login.purpose != Purpose.STEP_UP and bool(held) and not any(is_offered(factor.method) for factor in held)


def _counted_proof(login: PendingLogin, held: Sequence[OwnedFactor]) -> Plan:
    """Go on after a proof that policy does not count: to one that it does, or to the enrolment of one.

    A recovery code is as good as what it stands in for, which is never a mailbox.
    """
    if any(piece.method is Method.RECOVERY_CODE for piece in login.evidence):
        return _NOTHING
    if _may_enrol(login, held):
        return Plan(Asking.ENROLMENT)
    offers = [factor for factor in held if is_counted(factor.method) or factor.method is Method.RECOVERY_CODE]
    usable = _usable(offers, login) if any(is_counted(factor.method) for factor in held) else ()
    return Plan(Asking.PROOF, usable) if usable else Plan(Asking.REFUSAL)


def _usable(held: Iterable[OwnedFactor], login: PendingLogin) -> tuple[OwnedFactor, ...]:
    """Return the factors that would prove something more; one that failed too often only where there is no other."""
    usable = [factor for factor in held if is_offered(factor.method) and _helps(factor, login)]
    return tuple(factor for factor in usable if not factor.is_exhausted) or tuple(usable)


def _helps(factor: OwnedFactor, login: PendingLogin) -> bool:
    """Say whether *factor* is no channel that was proved already, and enough for what is demanded."""
    if str(factor.id) in {piece.credential for piece in login.evidence}:
        return False
    if factor.method is Method.EMAIL_CODE and {piece.method for piece in login.evidence} & _MAIL:
        return False
    if login.demand is Demand.AAL3:
        return factor.method in _WEBAUTHN
    return login.demand is not Demand.AAL2 or can_reach_aal2({factor.method})


def _mailbox(login: PendingLogin, held: Sequence[OwnedFactor], *, required: bool) -> OwnedFactor | None:
    """Return the mailbox of whoever has nothing else to prove, where that is enough or comes before an enrolment.

    It is asked of whoever enrolled it, too, where the site has given such factors up: what
    everybody has is no loss, and a password alone was not enough for them.
    """
    has_other = any(factor.method is not Method.EMAIL_CODE for factor in held)
    if has_other or {piece.method for piece in login.evidence} & _MAIL:
        return None
    confirms = login.demand is Demand.SECOND_FACTOR and is_offered(Method.EMAIL_CODE)
    is_given_up = bool(held) and login.demand in _LENIENT
    if not (confirms or is_given_up or (required and _may_enrol(login, held))):
        return None
    address = mailbox_of(login.user)
    return OwnedFactor(id=NO_ROW, method=Method.EMAIL_CODE, name=masked_address(address)) if address else None


def _may_enrol(login: PendingLogin, held: Sequence[OwnedFactor]) -> bool:
    """Say whether this login may add what policy demands: only of somebody who never had any (SP 800-63B-4 4.1.2)."""
    person: Any = login.user
    has_counted = any(is_counted(factor.method) for factor in held)
    return login.demand in _LENIENT and not has_counted and not FactorHistory.objects.had_factor(person)


def _has_proved_what_counts(evidence: Iterable[Evidence]) -> bool:
    """Say whether one of the pieces is of a factor that policy counts.

    The mailbox that nobody enrolled names no credential, and counts for nothing.
    """
    return any(
        is_counted(piece.method) and (piece.credential or piece.method is not Method.EMAIL_CODE) for piece in evidence
    )
