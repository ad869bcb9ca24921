"""The journey of a login: a short function, three slots, one row, one signal.

Every way to sign in opens a `PendingLogin` with its evidence and calls `advance`. Whether the person is admitted, what
is still missing and what the login yields is decided here and nowhere else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.contrib.auth import authenticate
from django.db import transaction

from auth_core import limits
from auth_core.assurance.evidence import Evidence, Method, SessionFacts, amr_of
from auth_core.assurance.levels import Assessment, Demand, stricter
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
from auth_core.events import AuthEvent, Event, EventOutcome, record, recorded_by_caller, recorded_together
from auth_core.login.plugins import grant_issuer, login_steps, risk_assessor
from auth_core.login.reads import read_together
from auth_core.login.refusals import refuse_guess, why_not_admitted
from auth_core.models import PendingLogin
from auth_core.models.pending_login import Caller
from auth_core.passwords import hashing, policy
from auth_core.passwords.hash_slots import refuse_when_full
from auth_core.people import lookup
from auth_core.people.actors import actor_beside, checked_actor
from auth_core.people.admission import asked_afterwards
from auth_core.request.client import Client
from auth_core.users import AccountLike, UserLike


def begin_login(
    *,
    identifier: str,
    password: str,
    transport: Transport,
    client: Client,
    application_id: UUID | None = None,
    browser_secret: str = "",
    continue_to: str = "",
    proved_before: Sequence[Evidence] = (),
) -> LoginOutcome:
    """Log in with a password, as far as a password goes. There is no actor: people type their own password.

    Args:
        application_id: Public id of the application that the login is for. Never from a request body.
        continue_to: Where the browser goes afterwards. An address of this site.
        proved_before: What the caller has verified in the same request, beside the password.

    Raises:
        InvalidRequest: the password is longer than the maximum. Nothing is looked up or hashed.
        TooManyAttempts: the identifier or the network has failed too often.
        InvalidCredentials: unknown, wrong, disabled and locked get the same answer after the same work.
        Unavailable: too many passwords are being hashed. This one was not checked, and the guess is not charged.
        LoginDenied, MoreProofRequired: see `advance`.
    """
    policy.check_shape(password)
    refuse_when_full()
    guess = limits.charge("login", identifier=identifier, client=client)

    with hashing.hash_slot_for(guess), asked_afterwards(), recorded_by_caller():
        user: Any = authenticate(username=identifier, password=password)
    reason = why_not_admitted(user, application=application_id)
    if reason is not None:
        refuse_guess(identifier, reason, client, application=application_id)

    return open_login(
        user=user,
        evidence=[*proved_before, Evidence.now(Method.PASSWORD)],
        purpose=Purpose.LOGIN,
        transport=transport,
        client=client,
        guess=guess,
        application_id=application_id,
        browser_secret=browser_secret,
        continue_to=continue_to,
    )


def open_login(
    *,
    user: AccountLike,
    evidence: Evidence | Sequence[Evidence],
    purpose: Purpose,
    transport: Transport,
    client: Client,
    demand: Demand = Demand.NONE,
    guess: limits.Charge | None = None,
    application_id: UUID | None = None,
    actor_id: UUID | None = None,
    session_id: UUID | None = None,
    provider: str = "",
    browser_secret: str = "",
    continue_to: str = "",
) -> LoginOutcome:
    """Begin the login of *user* with *evidence*, and advance it. Every way to sign in calls this function.

    Args:
        demand: The minimum demand. Risk may raise it, never lower it.
        guess: The charge of the proof, if its budget also limits correct proofs (decision record 0033). It is refunded in
            the transaction of the login.
        application_id: Public id of the application that the login is for. Never from a request body.
        actor_id: Public id of the person who signs in as *user*, if it is another one. Never from a request body. The
            caller has checked that they may. The risk of the login is not assessed: it would be theirs.
        session_id: The session that a step-up raises.
        provider: Name of the identity provider that the person signs in with. It must be usable until the grant.
        browser_secret: Ties the login to this browser. Empty with a token.
        continue_to: Where the browser goes afterwards. An address of this site.

    Raises:
        TooManyAttempts: this person has begun too many logins and step-ups.
        PermissionRefused: *user* holds more permissions than the actor.
        InvalidCredentials, LoginDenied, MoreProofRequired: see `advance`.
    """
    actor_id = checked_actor(user, actor_id)
    if guess is None:
        limits.charge("begun", person=str(user.pk), client=client)
    else:
        guess.keep_counts(user=user)
    read_together(user, client, assesses_risk=actor_id is None)
    assessment = Assessment() if actor_id is not None else risk_assessor().assess(user, client)
    assessment = replace(assessment, demand=stricter(assessment.demand, demand))
    # The refund comes last: it locks the budget of a network, for which everybody in that network waits.
    with recorded_together(last=None if guess is None else guess.refund):
        login = PendingLogin.objects.begin(
            user=user,
            backend=user.backend,
            purpose=purpose,
            transport=transport,
            evidence=[evidence] if isinstance(evidence, Evidence) else evidence,
            assessment=assessment,
            application_id=application_id,
            actor_id=actor_id,
            session_id=session_id,
            provider=provider,
            browser_secret=browser_secret,
            continue_to=continue_to,
        )
        record(_event(login, AuthEvent.LOGIN_STARTED, client))
        result = _next_outcome(login, client)
        if not isinstance(result, Granted):
            login.keep()
    return _unwrap(result)


def answer_login(*, token: str, answer: Mapping[str, Any], caller: Caller, client: Client) -> LoginOutcome:
    """Check the answer to the last challenge of a login, and advance it.

    The attempt is spent before the answer is checked. So is the guess, which is charged to the person over all their
    pending logins. Parallel guesses cannot exceed either limit.

    Raises:
        LoginExpired: the login does not exist, belongs to another caller, or has expired.
        TooManyAttempts: the limit of guesses for this person is reached.
        ChallengeFailed: the answer is wrong.
        InvalidRequest: the answer has the wrong shape. Nothing is spent.
        Unavailable: the answer could not be checked. Nothing is spent.
    """
    return answer_pending(login=PendingLogin.objects.find(token, caller), answer=answer, client=client)


def answer_pending(*, login: PendingLogin, answer: Mapping[str, Any], client: Client) -> LoginOutcome:
    """Check the answer to the last challenge of *login*. The caller has checked whose login it is.

    Raises:
        LoginExpired, TooManyAttempts, ChallengeFailed, InvalidRequest, Unavailable: as in `answer_login`.
    """
    login.spend_attempt()
    step = _pending_step(login)
    if step is not None:
        _check_answer(login, step, answer, client)
    return advance(login, client)


def choose(*, token: str, choice: str, caller: Caller, client: Client) -> Challenged:
    """Challenge with another factor, or with the same one again.

    Raises:
        LoginExpired: as in `answer_login`, or there is no challenge.
        InvalidRequest: there is no such choice.
    """
    return choose_pending(login=PendingLogin.objects.find(token, caller), choice=choice, client=client)


def choose_pending(*, login: PendingLogin, choice: str, client: Client) -> Challenged:
    """Challenge *login* with another factor. The caller has checked whose login it is.

    Raises:
        InvalidRequest: there is no challenge, or no such choice.
        LoginExpired: the login has ended in the meantime. The message of the challenge is not sent.
        TooManyAttempts: this person has been challenged too often.
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
    """Return the current challenge of *login*, to show it again. ``None`` if there is none."""
    step = _pending_step(login)
    try:
        return None if step is None else step.question(login)
    except MoreProofRequired:
        return None


def advance(login: PendingLogin, client: Client) -> LoginOutcome:
    """Challenge for missing evidence. If nothing is missing, issue the grant.

    Raises:
        InvalidCredentials: the person is not admitted (see `admission`).
        LoginDenied: policy denies the login regardless of the evidence.
        MoreProofRequired: no step is left, and the evidence does not meet the demand.
        ChallengeFailed: the login has no user to grant it to.
        LoginExpired: another answer was granted first, or no attempt is left for the next challenge.
    """
    with recorded_together():
        result = _next_outcome(login, client)
        if isinstance(result, Challenged):
            # Rolls back the challenge's message: it could not be answered.
            login.check_answerable()
    return _unwrap(result)


def end_login(*, user: UserLike, session: SessionFacts, client: Client) -> None:
    """Sign out: end the session and record it, with one statement for both entries of the trail."""
    with recorded_together():
        grant_issuer().end(session, user=user, reason="logout")
        record(Event(name=AuthEvent.LOGOUT_COMPLETED, subject=user, session=session.id, client=client))


def _next_outcome(login: PendingLogin, client: Client) -> LoginOutcome | AuthError:
    """Return the next outcome. A refusal is returned, not raised, so that its event is committed."""
    if (refusal := _refuse_if_blocked(login, client)) is not None:
        return refusal
    for _round in range(2):
        if (outcome := _challenge_or_refusal(login, client)) is not None:
            return outcome
        try:
            return Granted(_grant(login, client))
        except LimitReached:
            # The step that ends another session is pending now. Advance once more.
            continue
        except LoginDenied as denied:
            login.close()
            record(_event(login, AuthEvent.LOGIN_DENIED, client, EventOutcome.DENIED, "place"))
            return denied
    record(_event(login, AuthEvent.LOGIN_DENIED, client, EventOutcome.DENIED, "limit"))
    return LoginDenied()


def _challenge_or_refusal(login: PendingLogin, client: Client) -> Challenged | AuthError | None:
    """Return the next challenge or a refusal. ``None`` if everything is proved."""
    step = None if _cannot_meet_demand(login) else _pending_step(login)
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


def _refuse_if_blocked(login: PendingLogin, client: Client) -> AuthError | None:
    """End the login and return a refusal if its person is not admitted or policy denies it."""
    reason = None
    if login.user is not None:
        reason = why_not_admitted(
            login.user, application=login.application_id, actor=login.actor_id, provider=login.provider
        )
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
    """Close the login and issue its grant in one transaction. `LimitReached` undoes both."""
    issuer = grant_issuer()
    with login.closing(savepoint=getattr(issuer, "needs_savepoint", True)):
        grant = issuer.issue(login, client)
        record(_event(login, AuthEvent.LOGIN_SUCCEEDED, client, session=grant.session))
    return grant


def _challenge(login: PendingLogin, step: LoginStep, client: Client, *, choice: str | None) -> Challenged:
    login.keep()
    challenge = step.challenge(login, choice)
    record(_event(login, AuthEvent.LOGIN_CHALLENGED, client, data={"kind": challenge.kind}))
    return Challenged(
        token=login.token, expires_at=login.expires_at, attempts_left=login.attempts_left, challenge=challenge
    )


def _check_answer(login: PendingLogin, step: LoginStep, answer: Mapping[str, Any], client: Client) -> None:
    guess = limits.charge("answer", person=str(login.user_id or login.pk), known_to=login.user_id, client=client)
    try:
        evidence = step.answer(login, answer)
    except (InvalidRequest, Unavailable):
        # Nothing was compared, so this is not a guess. The charge and the attempt are refunded.
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


def _cannot_meet_demand(login: PendingLogin) -> bool:
    """Return whether a step-up would fail even with the password. The password is then not asked for."""
    if login.purpose != Purpose.STEP_UP or login.meets_demand():
        return False
    proofs = [*login.evidence, Evidence.now(Method.PASSWORD)]
    # Never saved. It shows which step would be pending after the password.
    hypothetical = PendingLogin(user=login.user, purpose=login.purpose, demand_stored=login.demand_stored)
    hypothetical.evidence_stored = [proof.to_json() for proof in proofs]
    return _pending_step(hypothetical) is None and not hypothetical.meets_demand()


def _pending_step(login: PendingLogin) -> LoginStep | None:
    """Return the step that challenges next. A step-up stops as soon as its demand is met."""
    if login.purpose == Purpose.STEP_UP and login.meets_demand():
        return None
    return next((step for step in login_steps() if step.is_pending(login)), None)


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
    base_data: dict[str, Any] = {"purpose": login.purpose, "score": login.score}
    if session is not None:
        base_data |= {"acr": session.acr, "methods": amr_of(session.evidence)}
    return Event(
        name=name,
        subject=login.user,
        actor=actor_beside(login.user, login.actor_id),
        session=session.id if session else None,
        application=login.application_id,
        outcome=outcome,
        reason=reason,
        client=client,
        data={key: value for key, value in (base_data | dict(data or {})).items() if key in name.fields},
    )


def _unwrap(result: LoginOutcome | AuthError) -> LoginOutcome:
    if isinstance(result, AuthError):
        raise result
    return result
