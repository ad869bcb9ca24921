"""Policies of the composed service. Only this module combines two packages."""

from dataclasses import replace

from auth_core.assurance.levels import Assessment, Demand, stricter
from auth_core.people.lookup import strongest_demand_for
from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_sessions import risk

#: Every user with a mailbox can meet this demand, because a code by e-mail meets it.
_LEAST = Demand.SECOND_FACTOR


class AssessLogin:
    """The `RiskAssessor` of the service: the score of auth_sessions, with a demand that the user can meet.

    A user without a factor, or with only a mailbox, confirms by a code sent by e-mail. A demand of AAL2 would
    lock them out of their account for travelling. A denial applies to every user (decision record 0010).
    """

    def assess(self, user: UserLike, client: Client) -> Assessment:
        """Return the score, its reasons and the proof that this login requires."""
        assessment = risk.AssessLogin().assess(user, client)
        if assessment.demand in {Demand.NONE, Demand.SECOND_FACTOR, Demand.DENY}:
            return assessment
        strongest = stricter(strongest_demand_for(user), _LEAST)
        return assessment if strongest is Demand.AAL2 else replace(assessment, demand=strongest)
