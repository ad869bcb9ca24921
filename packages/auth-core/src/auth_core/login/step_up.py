"""Step-up: whoever is signed in proves again, or more, and their session is raised.

Source: RFC 9470; ASVS 7.5.1.
"""

from datetime import timedelta
from functools import reduce
from typing import Any

from django.contrib.auth import get_user_model

from auth_core.assurance.evidence import SessionFacts, fresh_evidence
from auth_core.assurance.levels import Demand, stricter
from auth_core.assurance.methods import Evidence
from auth_core.contracts import LoginOutcome, Purpose, Transport
from auth_core.login.journey import open_login
from auth_core.request.client import Client

#: What can be asked for, by its name on the wire; "two things" and "AAL2" are different questions.
DEMANDS = {"aal1": Demand.NONE, "second_factor": Demand.SECOND_FACTOR, "aal2": Demand.AAL2, "aal3": Demand.AAL3}


def begin_step_up(
    *,
    user: Any,
    session: SessionFacts,
    demand: Demand,
    max_age: timedelta | None,
    backend: str,
    client: Client,
    browser_secret: str = "",
    continue_to: str = "",
) -> LoginOutcome:
    """Ask *user* for what *session* has not proved lately, until *demand* is met.

    Where the session has strayed nothing counts, and all that it had proved is asked for anew: whoever took its
    credential and knows the password would otherwise carry the second factor along.

    Args:
        demand: One of `DEMANDS`.
        max_age: How old a proof of the session may be to count; ``None``: any age.
        backend: Dotted path of the authentication backend that named *user*.
        browser_secret: What ties it to this browser; empty with a token.
        continue_to: Where the browser goes afterwards; an address of this site.

    Raises:
        InvalidCredentials, LoginDenied: see `auth_core.login.journey.advance`.
        MoreProofRequired: the person has nothing with which they could reach it.
    """
    if session.context_changed:
        demand = stricter(demand, _proved(session))
    # Whoever was restored from a session's copy has no password in it.
    person = get_user_model()._default_manager.get(pk=user.pk)
    person.backend = backend
    return open_login(
        user=person,
        evidence=_counted(session, demand, max_age),
        purpose=Purpose.STEP_UP,
        transport=Transport(session.transport),
        client=client,
        demand=demand,
        session_id=session.id,
        browser_secret=browser_secret,
        continue_to=continue_to,
    )


def _proved(session: SessionFacts) -> Demand:
    """Return the demand that what *session* has proved, whenever it was, would meet."""
    met = [demand for demand in DEMANDS.values() if demand.is_met_by(session.evidence)]
    return reduce(stricter, met, Demand.NONE)


def _counted(session: SessionFacts, demand: Demand, max_age: timedelta | None) -> list[Evidence]:
    """Return what need not be proved again; nothing, where it would be enough already.

    A step-up that asks nothing would date the session as proved now, and nobody proved anything.
    """
    fresh = fresh_evidence(session, max_age)
    return [] if demand.is_met_by(fresh) else fresh
