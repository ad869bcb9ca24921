"""Assurance: how much evidence proves, and how much a login demands.

Source: NIST SP 800-63B-4 sections 2.1 to 2.3 (AAL1 to AAL3) and 3.1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

from auth_core.assurance.methods import WEBAUTHN_METHODS, Evidence, Method
from auth_core.request.client import Client
from auth_core.users import UserLike


class Assurance(IntEnum):
    """Authentication assurance level. The wire name is `acr`."""

    NONE = 0
    AAL1 = 1
    AAL2 = 2
    AAL3 = 3

    @property
    def acr(self) -> str:
        """Return the name on the wire, such as ``aal1``."""
        return f"aal{self.value}"

    @classmethod
    def from_acr(cls, acr: str) -> "Assurance":
        """Return the level with the name *acr*.

        Raises:
            ValueError: there is no such level.
        """
        levels = {level.acr: level for level in cls}
        if acr not in levels:
            raise ValueError(f"{acr!r} is not an assurance level.")
        return levels[acr]


#: Factors that a person has. One of them and a password reach AAL2. E-mail is not among them (SP 800-63B-4 section
#: 3.1.3). A provider is not either: its statement is one factor, unless the operator trusts what it says about more.
_PHYSICAL = frozenset({Method.TOTP, Method.SMS_CODE, Method.RECOVERY_CODE, *WEBAUTHN_METHODS})

#: Methods whose evidence may say `user_verified`, which is a second factor in the same proof.
_TWO_IN_ONE = frozenset({*WEBAUTHN_METHODS, Method.PROVIDER})

#: Methods that count as the second factor where policy demands any second factor. Operators hand out access passes.
_SECOND = _PHYSICAL | {Method.EMAIL_CODE, Method.ACCESS_PASS}


def assurance_of(evidence: Iterable[Evidence]) -> Assurance:
    """Return the level that *evidence* reaches. This is the only table of levels.

    ==================================================  =====
    nothing                                             NONE
    one method                                          AAL1
    a WebAuthn credential that verified the user        AAL2
    a provider that is trusted and verified two factors AAL2
    a password and something the person has             AAL2
    AAL2 with a phishing-resistant, device-bound key    AAL3
    ==================================================  =====
    """
    proofs = list(evidence)
    if not proofs:
        return Assurance.NONE
    methods = {proof.method for proof in proofs}
    if not has_verified_user(proofs) and not (Method.PASSWORD in methods and methods & _PHYSICAL):
        return Assurance.AAL1
    hardware = any(
        proof.method in WEBAUTHN_METHODS and proof.phishing_resistant and proof.device_bound for proof in proofs
    )
    return Assurance.AAL3 if hardware else Assurance.AAL2


def has_verified_user(evidence: Iterable[Evidence]) -> bool:
    """Return whether one proof alone is two factors: a key that verified its user, or a provider trusted to say so."""
    return any(proof.method in _TWO_IN_ONE and proof.user_verified for proof in evidence)


def can_reach_aal2(methods: Iterable[Method]) -> bool:
    """Return whether a person with a password and *methods* can reach AAL2."""
    return bool(set(methods) & _PHYSICAL)


def has_second_factor(evidence: Iterable[Evidence]) -> bool:
    """Return whether *evidence* contains two factors. A code by e-mail counts as the second.

    The second factor never uses the channel of the first. After a link or code by e-mail, another code by e-mail only
    proves the same mailbox again.
    """
    proofs = list(evidence)
    if has_verified_user(proofs):
        return True
    methods = {proof.method for proof in proofs}
    if methods <= {Method.EMAIL_CODE, Method.EMAIL_LINK}:
        return False
    return len(methods) > 1 and bool(methods & _SECOND)


class Demand(Enum):
    """What a login must prove beyond its first method."""

    NONE = "none"
    SECOND_FACTOR = "second_factor"
    AAL2 = "aal2"
    AAL3 = "aal3"
    DENY = "deny"

    @property
    def wire_name(self) -> str:
        """The name in `required_assurance`. ``NONE`` is met by any proof, which is AAL1."""
        return Assurance.AAL1.acr if self is Demand.NONE else self.value

    def is_met_by(self, evidence: Iterable[Evidence]) -> bool:
        """Return whether *evidence* meets the demand. Nothing meets ``DENY``."""
        proofs = list(evidence)
        if self is Demand.DENY or not proofs:
            return False
        if self is Demand.SECOND_FACTOR:
            return has_second_factor(proofs)
        needed = {Demand.AAL2: Assurance.AAL2, Demand.AAL3: Assurance.AAL3}.get(self, Assurance.AAL1)
        return assurance_of(proofs) >= needed


#: Demands that a step-up may make, by their wire name. "Any second factor" and "AAL2" are different demands.
STEP_UP_DEMANDS = {demand.wire_name: demand for demand in Demand if demand is not Demand.DENY}


def strictest_demand_of(methods: Iterable[Method]) -> Demand:
    """Return the strictest demand that a person with a password and the second factors *methods* can meet."""
    enrolled = set(methods)
    if can_reach_aal2(enrolled):
        return Demand.AAL2
    return Demand.SECOND_FACTOR if enrolled else Demand.NONE


def stricter(one: Demand, other: Demand) -> Demand:
    """Return the stricter of two demands. They are declared in order of strictness."""
    return max(one, other, key=list(Demand).index)


@dataclass(frozen=True, slots=True)
class Weighed:
    """A signal that contributed to a risk score.

    Args:
        signal: Closed word, such as ``new_device``.
        weight: Its contribution to the score.
        data: Closed JSON values for its explanation, such as kilometres and hours.
    """

    signal: str
    weight: int
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"signal": self.signal, "weight": self.weight, "data": dict(self.data)}


@dataclass(frozen=True, slots=True)
class Assessment:
    """The risk of a login, assessed after the first proof.

    Args:
        score: 0 (usual) to 100 (highest risk). ``None`` if nothing was assessed.
        reasons: The signals that contributed, the heaviest first.
        demand: What this login must prove.
    """

    score: int | None = None
    reasons: tuple[Weighed, ...] = ()
    demand: Demand = Demand.NONE


class NoRisk:
    """The `RiskAssessor` of a site that does not assess risk."""

    def assess(self, user: UserLike, client: Client) -> Assessment:
        """Return an assessment without a score and without a demand."""
        return Assessment()
