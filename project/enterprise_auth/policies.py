"""Policies of the composition: the one place that may look at two siblings."""

from dataclasses import replace
from typing import Any

from auth_core import people
from auth_core.assurance import Assessment, Demand
from auth_core.client import Client
from auth_sessions import risk


class AssessLogin:
    """The `RiskAssessor` of the service: auth_sessions scores, and a factor is demanded of whoever has one.

    Whoever has none could prove nothing more: a demand would lock them out of their own
    account for travelling. Their score is kept with its reasons all the same, and what an
    operator denies is denied to everybody (decision record 0010).
    """

    def assess(self, user: Any, client: Client) -> Assessment:
        """Return score, reasons and what this login must prove."""
        assessment = risk.AssessLogin().assess(user, client)
        if assessment.demand in {Demand.NONE, Demand.DENY} or people.part_of(user, people.SECOND_FACTORS_PART, []):
            return assessment
        return replace(assessment, demand=Demand.NONE)
