"""Step-up: a signed-in person proves more, or proves again, and their session is raised.

Source: RFC 9470, ASVS 7.5.1.
"""

from datetime import timedelta
from functools import reduce

from django.contrib.auth import get_user_model

from auth_core.assurance.evidence import SessionFacts, fresh_evidence
from auth_core.assurance.levels import STEP_UP_DEMANDS, Demand, stricter
from auth_core.assurance.methods import Evidence
from auth_core.contracts import LoginOutcome, Purpose, Transport
from auth_core.login.journey import open_login
from auth_core.request.client import Client
from auth_core.users import UserLike


def begin_step_up(
    *,
    user: UserLike,
    session: SessionFacts,
    demand: Demand,
    max_age: timedelta | None,
    backend: str,
    client: Client,
    browser_secret: str = "",
    continue_to: str = "",
) -> LoginOutcome:
    """Challenge *user* for evidence that *session* lacks or that is too old, until *demand* is met.

    The session keeps its application and its actor.

    If the context of the session changed, none of its evidence counts and the person must prove all of it again. A
    thief of the credential who knows the password would otherwise inherit the second factor.

    Args:
        demand: One of `STEP_UP_DEMANDS`.
        max_age: Maximum age of evidence that counts. ``None`` for any age.
        backend: Dotted path of the authentication backend of *user*.
        browser_secret: Ties the step-up to this browser. Empty with a token.
        continue_to: Where the browser goes afterwards. An address of this site.

    Raises:
        InvalidCredentials, LoginDenied: see `auth_core.login.journey.advance`.
        MoreProofRequired: the person's factors cannot meet the demand.
    """
    if session.context_changed:
        demand = stricter(demand, _demand_met_by(session))
    # A user restored from a session snapshot has no password.
    person = get_user_model()._default_manager.get(pk=user.pk)
    person.backend = backend
    return open_login(
        user=person,
        evidence=_evidence_that_counts(session, demand, max_age),
        purpose=Purpose.STEP_UP,
        transport=Transport(session.transport),
        client=client,
        demand=demand,
        application_id=session.application,
        actor_id=session.actor,
        session_id=session.id,
        browser_secret=browser_secret,
        continue_to=continue_to,
    )


def _demand_met_by(session: SessionFacts) -> Demand:
    """Return the strictest demand that the evidence of *session* meets, at any age."""
    met = [demand for demand in STEP_UP_DEMANDS.values() if demand.is_met_by(session.evidence)]
    return reduce(stricter, met, Demand.NONE)


def _evidence_that_counts(session: SessionFacts, demand: Demand, max_age: timedelta | None) -> list[Evidence]:
    """Return the evidence that counts. Empty if it already meets the demand.

    A step-up without a challenge would date the session as freshly proved, although nothing was proved.
    """
    fresh = fresh_evidence(session, max_age)
    return [] if demand.is_met_by(fresh) else fresh
