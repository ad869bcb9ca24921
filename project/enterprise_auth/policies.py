"""Policies of the composition: the one place that may look at two siblings."""

from dataclasses import replace
from typing import Any

from auth_core.assurance.levels import Assessment, Demand, stricter
from auth_core.people.lookup import strongest_demand_for
from auth_core.request.client import Client
from auth_sessions import risk

#: What everybody can prove who has a mailbox: whoever has no factor confirms by e-mail.
_LEAST = Demand.SECOND_FACTOR


class AssessLogin:
    """The `RiskAssessor` of the service: auth_sessions scores, and demands no more than the person can prove.

    Whoever has no factor, or only their mailbox, confirms by a code that is mailed: a
    demand of AAL2 would lock them out of their own account for travelling. What an
    operator denies is denied to everybody (decision record 0010).
    """

    def assess(self, user: Any, client: Client) -> Assessment:
        """Return score, reasons and what this login must prove."""
        assessment = risk.AssessLogin().assess(user, client)
        if assessment.demand in {Demand.NONE, Demand.SECOND_FACTOR, Demand.DENY}:
            return assessment
        most = stricter(strongest_demand_for(user), _LEAST)
        return assessment if most is Demand.AAL2 else replace(assessment, demand=most)
