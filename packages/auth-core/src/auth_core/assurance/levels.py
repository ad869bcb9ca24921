"""Assurance: how much evidence proves, and what a login demands.

Source: NIST SP 800-63B-4 sections 2.1 to 2.3 (AAL1 to AAL3) and 3.1.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, IntEnum
from typing import Any

from auth_core.assurance.methods import Evidence, Method
from auth_core.request.client import Client


class Assurance(IntEnum):
    """Authentication assurance level; the wire name is `acr`."""

    NONE = 0
    AAL1 = 1
    AAL2 = 2
    AAL3 = 3

    @property
    def acr(self) -> str:
        """Return the name on the wire: ``aal1`` and so on."""
        return f"aal{self.value}"

    @classmethod
    def from_acr(cls, acr: str) -> "Assurance":
        """Return the level that *acr* names.

        Raises:
            ValueError: it names none.
        """
        levels = {level.acr: level for level in cls}
        if acr not in levels:
            raise ValueError(f"{acr!r} is not an assurance level.")
        return levels[acr]


#: Something the person has, of which one use stands beside a password at AAL2. E-mail
#: is not among them (SP 800-63B-4 section 3.1.3), nor a provider, whose word is one factor.
_PHYSICAL = frozenset({Method.TOTP, Method.SMS_CODE, Method.RECOVERY_CODE, Method.PASSKEY, Method.SECURITY_KEY})

#: What may be a second thing where policy asks for any second factor.
_SECOND = _PHYSICAL | {Method.EMAIL_CODE}

_WEBAUTHN = frozenset({Method.PASSKEY, Method.SECURITY_KEY})


def assurance_of(evidence: Iterable[Evidence]) -> Assurance:
    """Return the level that *evidence* reaches: the one table.

    ==================================================  =====
    nothing                                             NONE
    one method                                          AAL1
    a WebAuthn credential that verified the user        AAL2
    a password and something the person has             AAL2
    AAL2 with a phishing-resistant, device-bound key    AAL3
    ==================================================  =====
    """
    proved = list(evidence)
    if not proved:
        return Assurance.NONE
    methods = {piece.method for piece in proved}
    verified = any(piece.method in _WEBAUTHN and piece.user_verified for piece in proved)
    if not verified and not (Method.PASSWORD in methods and methods & _PHYSICAL):
        return Assurance.AAL1
    hardware = any(piece.method in _WEBAUTHN and piece.phishing_resistant and piece.device_bound for piece in proved)
    return Assurance.AAL3 if hardware else Assurance.AAL2


def can_reach_aal2(methods: Iterable[Method]) -> bool:
    """Say whether somebody with a password who has *methods* beside it can reach AAL2."""
    return bool(set(methods) & _PHYSICAL)


def has_second_factor(evidence: Iterable[Evidence]) -> bool:
    """Say whether *evidence* holds two things, of which an e-mail code may be the second.

    The second is never the channel of the first: after a link or code by e-mail,
    another code by e-mail proves the same mailbox again.
    """
    proved = list(evidence)
    if any(piece.method in _WEBAUTHN and piece.user_verified for piece in proved):
        return True
    methods = {piece.method for piece in proved}
    if methods <= {Method.EMAIL_CODE, Method.EMAIL_LINK}:
        return False
    return len(methods) > 1 and bool(methods & _SECOND)


class Demand(Enum):
    """What one login must prove, beyond its first method."""

    NONE = "none"
    SECOND_FACTOR = "second_factor"
    AAL2 = "aal2"
    AAL3 = "aal3"
    DENY = "deny"

    def is_met_by(self, evidence: Iterable[Evidence]) -> bool:
        """Say whether *evidence* proves what is demanded; nothing ever meets ``DENY``."""
        proved = list(evidence)
        if self is Demand.DENY or not proved:
            return False
        if self is Demand.SECOND_FACTOR:
            return has_second_factor(proved)
        needed = {Demand.AAL2: Assurance.AAL2, Demand.AAL3: Assurance.AAL3}.get(self, Assurance.AAL1)
        return assurance_of(proved) >= needed


def stricter(one: Demand, other: Demand) -> Demand:
    """Return whichever of two demands asks more; they are declared in that order."""
    return max(one, other, key=list(Demand).index)


@dataclass(frozen=True, slots=True)
class Weighed:
    """One signal that weighed something in an assessment.

    Args:
        signal: Closed word, such as ``new_device``.
        weight: What it added to the score.
        data: Closed values that its sentence speaks of, such as kilometres and hours; JSON.
    """

    signal: str
    weight: int
    data: Mapping[str, Any] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"signal": self.signal, "weight": self.weight, "data": dict(self.data)}


@dataclass(frozen=True, slots=True)
class Assessment:
    """What a login looks like before it is proved further.

    Args:
        score: 0 (as always) to 100 (as never); ``None`` when nothing was assessed.
        reasons: The signals that weighed something, the heaviest first.
        demand: What this login must prove.
    """

    score: int | None = None
    reasons: tuple[Weighed, ...] = ()
    demand: Demand = Demand.NONE


class NoRisk:
    """The `RiskAssessor` of a site that assesses nothing."""

    def assess(self, user: Any, client: Client) -> Assessment:
        """Return an assessment that demands nothing and weighs nothing."""
        return Assessment()
