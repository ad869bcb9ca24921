"""The journey of a login: a short function, three slots, one row, one signal.

Every door opens a `PendingLogin` with what it has proved and calls `advance`;
whether somebody may be here, what is still missing, and what the login yields is
decided there and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from django.contrib.auth import authenticate
from django.contrib.auth.signals import user_login_failed
from django.db import transaction

from auth_core import limits
from auth_core.assurance.evidence import Evidence, Method, SessionFacts, amr_of
from auth_core.assurance.levels import Demand, stricter
from auth_core.contracts import (
    Challenge,
    Challenged,
    Grant,
    Granted,
    LimitReached,
    LoginOutcome,
    LoginStep,
    Purpose,
    Transport,
)
from auth_core.errors import (
    AuthError,
    ChallengeFailed,
    InvalidCredentials,
    InvalidRequest,
    LoginDenied,
    MoreProofRequired,
    Unavailable,
)
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.login.plugins import grant_issuer, login_steps, risk_assessor
from auth_core.models import PendingLogin
from auth_core.models.pending_login import Caller
from auth_core.passwords import hashing, policy
from auth_core.passwords.hash_slots import refuse_when_full
from auth_core.people import lookup
from auth_core.people.admission import NotAdmitted, Reason, admit
from auth_core.request.client import Client


def begin_login(
    *,
    identifier: str,
    password: str,
    transport: Transport,
    client: Client,
    browser_secret: str = "",
    continue_to: str = "",
) -> LoginOutcome:
    """Log in with a password, as far as a password goes.

    Args:
        continue_to: Where the browser goes afterwards; an address of this site.

    Raises:
        InvalidRequest: the password is longer than any can be; nothing is looked up or hashed.
        TooManyAttempts: the identifier or the network has failed too often.
        InvalidCredentials: unknown, wrong, disabled and locked: the same answer after the same work.
        Unavailable: too many passwords are hashed at this moment; nobody looked at this one, and it costs nothing.
        LoginDenied, MoreProofRequired: see `advance`.
    """
    policy.check_shape(password)
    refuse_when_full()
    guess = limits.charge("login", identifier=identifier, client=client)

    with hashing.hash_slot_for(guess):
        user = authenticate(username=identifier, password=password)
    reason = _refusal_of(user)
    if reason is not None:
        _refuse(identifier, reason, client)
    guess.refund(user=user)

    return open_login(
        user=user,
        evidence=Evidence.now(Method.PASSWORD),
        purpose=Purpose.LOGIN,
        transport=transport,
        client=client,
        is_charged=True,
        browser_secret=browser_secret,
        continue_to=continue_to,
    )


def open_login(
    *,
    user: Any,
    evidence: Evidence | Sequence[Evidence],
    purpose: Purpose,
    transport: Transport,
    client: Client,
    demand: Demand = Demand.NONE,
    is_charged: bool = False,
    **known: Any,
) -> LoginOutcome:
    """Begin the login of *user*, who has proved *evidence*, and take it as far as it goes; every door ends here.

    Args:
        demand: What it must prove at least; risk may demand more, and never less.
        is_charged: The door has charged a budget that bounds right proofs as well (decision record 0033).
        known: Further columns of `PendingLogin.objects.begin`.

    Raises:
        TooManyAttempts: this person has begun too many logins and step-ups.
        InvalidCredentials, LoginDenied, MoreProofRequired: see `advance`.
    """
    if not is_charged:
        limits.charge("begun", person=str(user.pk), client=client)
    assessment = risk_assessor().assess(user, client)
    assessment = replace(assessment, demand=stricter(assessment.demand, demand))
    with transaction.atomic(durable=True):
        login = PendingLogin.objects.begin(
            user=user,
            backend=user.backend,
            purpose=purpose,
            transport=transport,
            evidence=[evidence] if isinstance(evidence, Evidence) else evidence,
            assessment=assessment,
            **known,
        )
        record(_event(login, AuthEvent.LOGIN_STARTED, client))
        result = _next(login, client)
        login.keep()
    return _raised_or_returned(result)


def answer_login(*, token: str, answer: Mapping[str, Any], caller: Caller, client: Client) -> LoginOutcome:
    """Take the answer to what a login asked last, and go on.

    The attempt is spent, and the guess charged to the person over all their pending
    logins, before the answer is looked at: parallel guesses cannot exceed either.

    Raises:
        LoginExpired: there is no such login, not for this caller, or not any more.
        TooManyAttempts: this person has been guessed at too often.
        ChallengeFailed: the answer is not right.
        InvalidRequest: the answer has the wrong shape; nothing is spent.
        Unavailable: nobody could look at it; nothing is spent.
    """
    return answer_pending(login=PendingLogin.objects.find(token, caller), answer=answer, client=client)


def answer_pending(*, login: PendingLogin, answer: Mapping[str, Any], client: Client) -> LoginOutcome:
    """Take the answer to what *login* asked last; whose it is, whoever found it has checked.

    Raises:
        LoginExpired, TooManyAttempts, ChallengeFailed, InvalidRequest, Unavailable: as in `answer_login`.
    """
    login.spend_attempt()
    step = _pending_step(login)
    if step is not None:
        _take_answer(login, step, answer, client)
    return advance(login, client)


def choose(*, token: str, choice: str, caller: Caller, client: Client) -> Challenged:
    """Ask for another way of answering, or for the same once more.

    Raises:
        LoginExpired: as in `answer_login`, or nothing is asked.
        InvalidRequest: there is no such choice.
    """
    return choose_pending(login=PendingLogin.objects.find(token, caller), choice=choice, client=client)


def choose_pending(*, login: PendingLogin, choice: str, client: Client) -> Challenged:
    """Ask *login* for another way of answering; whose it is, whoever found it has checked.

    Raises:
        InvalidRequest: nothing is asked, or there is no such choice.
        LoginExpired: the login ended meanwhile; what was to be sent is not.
        TooManyAttempts: this person has been asked too often.
    """
    limits.charge("choice", person=str(login.user_id or login.pk), client=client)
    step = _pending_step(login)
    if step is None:
        raise InvalidRequest
    with transaction.atomic(durable=True):
        challenged = _challenge(login, step, client, choice=choice)
        login.check_answerable()
    return challenged


def question_of(login: PendingLogin) -> Challenge | None:
    """Return what *login* asks, to be shown once more; ``None``: nothing is left to ask."""
    step = _pending_step(login)
    try:
        return None if step is None else step.question(login)
    except MoreProofRequired:
        return None


def advance(login: PendingLogin, client: Client) -> LoginOutcome:
    """Ask for whatever is still missing; if nothing is, grant.

    Raises:
        InvalidCredentials: the person may not be here (see `admission`).
        LoginDenied: policy refuses, whatever is proved.
        MoreProofRequired: nothing is left to ask, and it is not enough.
        ChallengeFailed: there is nobody this login could be granted to.
        LoginExpired: another answer was granted first, or no attempt is left for what is asked next.
    """
    with transaction.atomic(durable=True):
        result = _next(login, client)
        if isinstance(result, Challenged):
            # Undoes what the question would send: nothing could answer it.
            login.check_answerable()
    return _raised_or_returned(result)


def end_login(*, user: Any, session: SessionFacts, client: Client) -> None:
    """Sign out: end the session, and say so."""
    with transaction.atomic(durable=True):
        grant_issuer().end(session, user=user, reason="logout")
        record(Event(name=AuthEvent.LOGOUT_COMPLETED, subject=user, session=session.id, client=client))


def _next(login: PendingLogin, client: Client) -> LoginOutcome | AuthError:
    """Return how it goes on; a refusal is returned, not raised, so that what it records is committed."""
    if (refusal := _refusal(login, client)) is not None:
        return refusal
    for _round in range(2):
        if (asked := _asked_or_refused(login, client)) is not None:
            return asked
        try:
            return Granted(_grant(login, client))
        except LimitReached:
            # The step that settles it (which session to end) is pending now; go round once.
            continue
        except LoginDenied as denied:
            login.close()
            record(_event(login, AuthEvent.LOGIN_DENIED, client, EventOutcome.DENIED, "place"))
            return denied
    record(_event(login, AuthEvent.LOGIN_DENIED, client, EventOutcome.DENIED, "limit"))
    return LoginDenied()


def _asked_or_refused(login: PendingLogin, client: Client) -> Challenged | AuthError | None:
    """Return the next question, or why what was proved is not enough; ``None``: everything is proved."""
    step = None if _is_out_of_reach(login) else _pending_step(login)
    try:
        if step is not None:
            return _challenge(login, step, client, choice=None)
        if login.user is None:
            return ChallengeFailed(attempts_left=login.attempts_left)
        if not login.meets_demand():
            is_to_enrol = login.purpose == Purpose.STEP_UP and not lookup.has_second_factors(login.user)
            raise MoreProofRequired(enrol=is_to_enrol)
    except MoreProofRequired as refusal:
        record(_event(login, AuthEvent.LOGIN_DENIED, client, EventOutcome.DENIED, "more_proof"))
        return refusal
    return None


def _refusal(login: PendingLogin, client: Client) -> AuthError | None:
    """Return the refusal that ends this login, if its person may not be here or policy says no."""
    reason = None if login.user is None else _refusal_of(login.user)
    if reason is not None:
        login.close()
        record(_event(login, AuthEvent.LOGIN_FAILED, client, EventOutcome.FAILURE, reason))
        return InvalidCredentials()
    if login.demand is Demand.DENY:
        login.close()
        record(_event(login, AuthEvent.LOGIN_DENIED, client, EventOutcome.DENIED, "policy"))
        return LoginDenied()
    return None


def _grant(login: PendingLogin, client: Client) -> Grant:
    """Close the login and issue its grant, both or neither; `LimitReached` undoes them."""
    with login.closing():
        grant = grant_issuer().issue(login, client)
        record(_event(login, AuthEvent.LOGIN_SUCCEEDED, client, session=grant.session))
    return grant


def _challenge(login: PendingLogin, step: LoginStep, client: Client, *, choice: str | None) -> Challenged:
    login.keep()
    challenge = step.challenge(login, choice)
    record(_event(login, AuthEvent.LOGIN_CHALLENGED, client, data={"kind": challenge.kind}))
    return Challenged(
        token=login.token, expires_at=login.expires_at, attempts_left=login.attempts_left, challenge=challenge
    )


def _take_answer(login: PendingLogin, step: LoginStep, answer: Mapping[str, Any], client: Client) -> None:
    guess = limits.charge("answer", person=str(login.user_id or login.pk), known_to=login.user_id, client=client)
    try:
        evidence = step.answer(login, answer)
    except (InvalidRequest, Unavailable):
        # Nothing was compared, so nothing was guessed: bad input changes nothing, nor does a flood of others.
        guess.cancel()
        login.return_attempt()
        raise
    except ChallengeFailed:
        with transaction.atomic(durable=True):
            record(_event(login, AuthEvent.LOGIN_FAILED, client, EventOutcome.FAILURE, "answer"))
        raise ChallengeFailed(attempts_left=login.attempts_left) from None
    guess.refund()
    if evidence is not None:
        login.add_evidence(evidence)


def _is_out_of_reach(login: PendingLogin) -> bool:
    """Say whether a step-up would be refused even after the password: then nobody is asked for one in vain."""
    if login.purpose != Purpose.STEP_UP or login.meets_demand():
        return False
    proved = [*login.evidence, Evidence.now(Method.PASSWORD)]
    # Never saved: the steps are asked what they would ask then.
    supposed = PendingLogin(user=login.user, purpose=login.purpose, demand_stored=login.demand_stored)
    supposed.evidence_stored = [piece.to_json() for piece in proved]
    return _pending_step(supposed) is None and not supposed.meets_demand()


def _pending_step(login: PendingLogin) -> LoginStep | None:
    """Return the step that asks next; a step-up asks until its demand is met, and no further."""
    if login.purpose == Purpose.STEP_UP and login.meets_demand():
        return None
    return next((step for step in login_steps() if step.is_pending(login)), None)


def _refusal_of(user: Any) -> str | None:
    """Return why *user* may not come in; ``None``: they may."""
    if user is None:
        return "password"
    try:
        admit(user)
    except NotAdmitted as refused:
        return refused.reason.value
    return None


def _refuse(identifier: str, reason: str, client: Client) -> None:
    """Record a wrong first proof, committed, and refuse; the same statements whoever was meant."""
    user = lookup.find_by_identifier(identifier)
    if reason != "password":
        user_login_failed.send(sender=__name__, credentials={"username": identifier}, request=None)
    with transaction.atomic(durable=True):
        record(
            Event(
                name=AuthEvent.LOGIN_FAILED,
                subject=user,
                outcome=EventOutcome.FAILURE,
                reason=Reason.UNKNOWN.value if user is None else reason,
                client=client,
                data={"purpose": Purpose.LOGIN.value},
            )
        )
    raise InvalidCredentials


def _event(
    login: PendingLogin,
    name: AuthEvent,
    client: Client,
    outcome: EventOutcome = EventOutcome.SUCCESS,
    reason: str = "",
    *,
    session: SessionFacts | None = None,
    data: Mapping[str, Any] | None = None,
) -> Event:
    known: dict[str, Any] = {"purpose": login.purpose, "score": login.score}
    if session is not None:
        known |= {"acr": session.acr, "methods": amr_of(session.evidence)}
    return Event(
        name=name,
        subject=login.user,
        session=session.id if session else None,
        application=login.application_id,
        outcome=outcome,
        reason=reason,
        client=client,
        data={key: value for key, value in (known | dict(data or {})).items() if key in name.fields},
    )


def _raised_or_returned(result: LoginOutcome | AuthError) -> LoginOutcome:
    if isinstance(result, AuthError):
        raise result
    return result
