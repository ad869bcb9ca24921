"""The next requirement of a login, derived from its evidence, its demand, the user's factors and policy.

No progress is stored, so a new factor or a changed policy takes effect during a login.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from auth_core.assurance.levels import Demand, can_reach_aal2, has_second_factor
from auth_core.assurance.methods import WEBAUTHN_METHODS, Evidence, Method
from auth_core.contracts import Purpose
from auth_core.models import PendingLogin
from auth_mfa.factors import read_factors
from auth_mfa.kinds import NO_ROW, OwnedFactor
from auth_mfa.mailbox import mailbox_of
from auth_mfa.models import FactorHistory
from auth_mfa.models.message_factor import masked_address
from auth_mfa.policy import Requirement, is_counted, is_offered, requirement_of

_MAIL = frozenset({Method.EMAIL_CODE, Method.EMAIL_LINK})

#: Demands that allow an enrolment. A demand of risk leads to recovery instead.
_LENIENT = frozenset({Demand.NONE, Demand.SECOND_FACTOR})


class Asking(Enum):
    """The kinds of requirements. The set is closed."""

    NOTHING = auto()
    PROOF = auto()
    ENROLMENT = auto()
    REFUSAL = auto()


@dataclass(frozen=True, slots=True)
class Plan:
    """The next requirement of a login, and the factors that can meet it.

    Args:
        offers: The factors of which one must be proved, the strongest first.
    """

    asking: Asking
    offers: tuple[OwnedFactor, ...] = ()


_NOTHING = Plan(Asking.NOTHING)


def plan_of(login: PendingLogin) -> Plan:
    """Return the next requirement of *login*. Queries the database, without side effects."""
    proved = has_second_factor(login.evidence) and login.meets_demand()
    if login.user is None:
        return _NOTHING if proved else Plan(Asking.PROOF)
    if proved and (login.purpose != Purpose.LOGIN or _has_proved_what_counts(login.evidence)):
        return _NOTHING
    required = login.purpose == Purpose.LOGIN and requirement_of(login.user) is Requirement.REQUIRED
    if proved and not required:
        return _NOTHING
    factors = read_factors(login.user)
    return _counted_proof(login, factors) if proved else _proof(login, factors, required=required)


def _proof(login: PendingLogin, factors: Sequence[OwnedFactor], *, required: bool) -> Plan:
    """Require one of the user's factors, or their mailbox if they never had one, or nothing if none is needed."""
    if offers := _usable(factors, login):
        return Plan(Asking.PROOF, offers)
    if mailbox := _mailbox(login, factors, required=required):
        return Plan(Asking.PROOF, (mailbox,))
    return Plan(Asking.REFUSAL) if required or _is_given_up(login, factors) else _NOTHING


def _is_given_up(login: PendingLogin, factors: Sequence[OwnedFactor]) -> bool:
    """Return whether the site no longer offers any of the user's methods, so that only the password would be left.

    A lost setting, such as that of the gateway, must not remove the second factor of every user.
    """
    return (
        login.purpose != Purpose.STEP_UP and bool(factors) and not any(is_offered(factor.method) for factor in factors)
    )


def _counted_proof(login: PendingLogin, factors: Sequence[OwnedFactor]) -> Plan:
    """Require a factor that policy counts, or the enrolment of one, after a proof that it does not count.

    A recovery code counts like the factor that it replaces, which is never a mailbox.
    """
    if any(evidence.method is Method.RECOVERY_CODE for evidence in login.evidence):
        return _NOTHING
    if _may_enrol(login, factors):
        return Plan(Asking.ENROLMENT)
    offers = [factor for factor in factors if is_counted(factor.method) or factor.method is Method.RECOVERY_CODE]
    usable = _usable(offers, login) if any(is_counted(factor.method) for factor in factors) else ()
    return Plan(Asking.PROOF, usable) if usable else Plan(Asking.REFUSAL)


def _usable(factors: Iterable[OwnedFactor], login: PendingLogin) -> tuple[OwnedFactor, ...]:
    """Return the factors that would add proof, and disabled factors only if there are no others."""
    usable = [factor for factor in factors if is_offered(factor.method) and _helps(factor, login)]
    return tuple(factor for factor in usable if not factor.is_exhausted) or tuple(usable)


def _helps(factor: OwnedFactor, login: PendingLogin) -> bool:
    """Return whether *factor* is a channel that was not proved yet, and meets the demand."""
    if str(factor.id) in {evidence.credential for evidence in login.evidence}:
        return False
    if factor.method is Method.EMAIL_CODE and {evidence.method for evidence in login.evidence} & _MAIL:
        return False
    if login.demand is Demand.AAL3:
        return factor.method in WEBAUTHN_METHODS
    return login.demand is not Demand.AAL2 or can_reach_aal2({factor.method})


def _mailbox(login: PendingLogin, factors: Sequence[OwnedFactor], *, required: bool) -> OwnedFactor | None:
    """Return the mailbox of a user without other factors, if it is enough or precedes an enrolment.

    It also replaces an enrolled mailbox if the site no longer offers email codes. For such a
    user a password alone was never enough, and every user has a mailbox.
    """
    has_other = any(factor.method is not Method.EMAIL_CODE for factor in factors)
    if has_other or {evidence.method for evidence in login.evidence} & _MAIL:
        return None
    confirms = login.demand is Demand.SECOND_FACTOR and is_offered(Method.EMAIL_CODE)
    is_given_up = bool(factors) and login.demand in _LENIENT
    if not (confirms or is_given_up or (required and _may_enrol(login, factors))):
        return None
    address = mailbox_of(login.person)
    return OwnedFactor(id=NO_ROW, method=Method.EMAIL_CODE, name=masked_address(address)) if address else None


def _may_enrol(login: PendingLogin, factors: Sequence[OwnedFactor]) -> bool:
    """Return whether this login may enrol a factor: only if the user never had one (SP 800-63B-4 section 4.1.2)."""
    has_counted = any(is_counted(factor.method) for factor in factors)
    return login.demand in _LENIENT and not has_counted and not FactorHistory.objects.had_factor(login.person)


def _has_proved_what_counts(evidence: Iterable[Evidence]) -> bool:
    """Return whether the evidence includes a factor that policy counts.

    A mailbox that was not enrolled has no credential in its evidence, and never counts.
    """
    return any(is_counted(one.method) and (one.credential or one.method is not Method.EMAIL_CODE) for one in evidence)
