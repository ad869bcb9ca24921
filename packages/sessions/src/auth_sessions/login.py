"""The plug-ins for a login: the issuer that opens a session, and the step that asks which session to end."""

from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from auth_core.assurance.evidence import Evidence, SessionFacts
from auth_core.assurance.levels import assurance_of
from auth_core.conf import session_engine
from auth_core.contracts import Challenge, Choice, Grant, Purpose, Transport
from auth_core.crypto.secrets import digest, new_secret
from auth_core.errors import ChallengeFailed, FieldError, InvalidRequest, LoginDenied, LoginExpired
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_sessions import concurrency, devices, lifecycle, session_statement
from auth_sessions.conf import ENGINE, sessions
from auth_sessions.context_change import context_changes
from auth_sessions.engine import SessionStore
from auth_sessions.models import Device, Session
from auth_sessions.revocation import snapshots
from auth_sessions.session_columns import PREFIX, client_columns, record_opened

#: The challenge kind of `SessionLimit`. The answer is ``{"end": "<public id of a session>"}``.
KIND = "session_limit"

#: Placeholder for the time when evidence is compared without it.
_ANY_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


class OpenSession:
    """A grant issuer that opens a session for every login, always with a new credential."""

    transports = frozenset(Transport)
    needs_savepoint = False

    def issue(self, login: PendingLogin, client: Client) -> Grant:
        """Open a session, or raise the assurance of the session that a step-up names.

        Raises:
            LimitReached: the user is at the session limit, and the policy ends no session.
            LoginDenied: the device is blocked.
            LoginExpired: the session of the step-up has ended.
        """
        credential = new_secret(PREFIX)
        if login.purpose == Purpose.STEP_UP:
            session, recognised = _raise_session(login, credential, client), None
        else:
            session, recognised = _open_session(login, credential, client)
        session.seen_at = session.last_seen_at
        record_opened(session, reason="login" if login.purpose != Purpose.STEP_UP else "step_up", client=client)
        if recognised is not None:
            devices.announce(recognised, session=session, client=client)
        return Grant(
            user=login.user,
            session=session.facts,
            credential=credential,
            backend=login.backend,
            device_credential=recognised.credential if recognised else "",
            device_lifetime=sessions.DEVICE_LIFETIME if recognised else timedelta(0),
            store=_store_of(session, credential),
        )

    def end(self, session: SessionFacts, *, user: UserLike, reason: str) -> None:
        """End *session* if it has not ended yet. Call this inside a transaction."""
        lifecycle.end_current_session(session_id=session.id, user=user, reason=reason)


class SessionLimit:
    """Asks a user at the session limit which session to end, if the policy is to ask.

    It must be the last step. It shows where the user is signed in, and so requires that the demand of the login is met.
    """

    def is_pending(self, login: PendingLogin) -> bool:
        """Tell whether there is no room for the session that this login opens."""
        opens = login.user is not None and login.purpose != Purpose.STEP_UP and login.actor_id is None
        return opens and login.meets_demand() and concurrency.asks(user=login.person)

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Show the live sessions. No choice precedes the answer.

        Raises:
            InvalidRequest: a choice was sent.
        """
        if choice is not None:
            raise InvalidRequest(FieldError("choice", "unknown", _("Choose the session in the answer.")))
        return self.question(login)

    def question(self, login: PendingLogin) -> Challenge:
        """Return the live sessions, the most recently used first."""
        live = list(Session.objects.of(login.person).in_person().live().order_by("-last_seen_at", "-pk"))
        opened_in = devices.devices_of(live)
        choices = [Choice(str(row.pk), "", _label(row, opened_in)) for row in live]
        return Challenge(kind=KIND, data={"live": len(live)}, choices=choices)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """End the chosen session. The end is committed whether or not the login is granted.

        Raises:
            InvalidRequest: the answer names no session.
            ChallengeFailed: the session belongs to another user or has ended.
        """
        chosen = _session_id_in(answer)
        with transaction.atomic(durable=True):
            has_ended = login.user is not None and concurrency.end_chosen(user=login.user, session_id=chosen)
        if not has_ended:
            raise ChallengeFailed
        return None


def _session_id_in(answer: Mapping[str, Any]) -> UUID:
    """Return the session id in an answer.

    Raises:
        InvalidRequest: it is missing, or there are other keys.
    """
    session_id = answer.get("end")
    try:
        if set(answer) == {"end"} and isinstance(session_id, str):
            return UUID(session_id)
    except ValueError:
        pass
    raise InvalidRequest(FieldError("answer.end", "invalid", _("Choose the session to end.")))


def _label(session: Session, opened_in: Mapping[UUID, Device]) -> str:
    """Return the label of a session: device, origin and last use."""
    device = opened_in.get(session.device_id) if session.device_id is not None else None
    origin = " ".join(filter(None, (session.country, session.network)))
    when = date_format(timezone.localtime(session.last_seen_at), "SHORT_DATETIME_FORMAT")
    parts = (str(device) if device is not None else "", origin, _("last used %(when)s") % {"when": when})
    return " · ".join(filter(None, parts))


def _store_of(session: Session, credential: str) -> SessionStore | None:
    """Return the session store for the rest of the request, or ``None`` without a cookie or with another engine."""
    if session.transport != Transport.COOKIE or session_engine() != ENGINE:
        return None
    return SessionStore.of(session, credential)


def _open_session(login: PendingLogin, credential: str, client: Client) -> tuple[Session, devices.Recognised | None]:
    """Open a session of *login*, and return it with its device. An actor has no device.

    The browser of an actor is not one of the user's. It stays unknown, and the user gets no mail about it. The session
    of an actor takes no place of the user's, so it ends none of their sessions.
    """
    if login.actor_id is not None:
        session = _new_session(login, credential, client, begins=None)
        session.save(force_insert=True)
        return session, None
    # A blocked device is found after other sessions ended to make room. The savepoint lets them live.
    with transaction.atomic() if concurrency.is_configured() else nullcontext():
        begins = concurrency.make_room(user=login.person)
        session = _new_session(login, credential, client, begins=begins)
        return session, _store(session, login, client)


def _store(session: Session, login: PendingLogin, client: Client) -> devices.Recognised:
    """Insert *session* and add or update its device, in one statement where that is possible.

    Raises:
        LoginDenied: the device is blocked. Nothing was written.
    """
    if session_statement.can_open():
        device, secret = devices.device_of(user=login.person, client=client, transport=login.transport)
        seen = session_statement.open_session(session, device, additions=devices.additions_to_count())
        if seen is None:
            raise LoginDenied
        return devices.recognised(device, secret, stored=seen.device, additions=seen.additions)
    recognised = devices.recognise(user=login.person, client=client, transport=login.transport)
    session.device_id, session.device_known = recognised.device.pk, recognised.is_known
    session.save(force_insert=True)
    return recognised


def _new_session(login: PendingLogin, credential: str, client: Client, *, begins: datetime | None) -> Session:
    """Return the unsaved session of *login*, without its device.

    Args:
        begins: Its start by the clock of the database, if a limit applies.
    """
    user = login.person
    # Read the clock after `make_room`, which may have waited.
    moment = timezone.now()
    idle, absolute = _lifetimes(login.evidence)
    return Session(
        token_digest=digest(credential),
        user=login.user,
        backend=login.backend,
        auth_hash=user.get_session_auth_hash(),
        transport=login.transport,
        evidence_stored=[evidence.to_json() for evidence in login.evidence],
        authenticated_at=moment,
        created_at=begins or moment,
        last_seen_at=moment,
        idle_lifetime=idle,
        expires_at=moment + absolute,
        application_id=login.application_id,
        actor_id=login.actor_id,
        risk_score=login.score,
        risk_reasons=login.reasons,
        **client_columns(client),
    )


def _raise_session(login: PendingLogin, credential: str, client: Client) -> Session:
    """Give the session a new credential and new evidence. The same statement invalidates the old credential.

    A step-up may shorten a session and never prolongs it (ASVS 7.3.2). The session is bound to the context of the
    step-up from then on (`auth_sessions.context_change`).
    """
    raised = Session.objects.of(login.person).live().filter(pk__in=[login.session_id], transport=login.transport)
    # Values of the session that never change. A step-up that began for others raises nothing.
    raised = raised.filter(application_id=login.application_id, actor_id=login.actor_id)
    session = raised.first()
    if session is None:
        raise LoginExpired
    moment = timezone.now()
    evidence = _evidence_after(session, login, client)
    idle, absolute = _lifetimes(evidence)
    changes = {
        "token_digest": digest(credential),
        # Also invalidate a previous credential that a rotation left valid. It must not gain the new assurance.
        "previous_digest": None,
        "evidence_stored": [proof.to_json() for proof in evidence],
        "authenticated_at": moment,
        "last_seen_at": moment,
        "idle_lifetime": idle,
        "expires_at": min(session.expires_at, moment + absolute),
        **client_columns(client),
    }
    # Refuse the slower of two step-ups. Each would otherwise replace the credential of the other.
    if not raised.filter(token_digest=session.token_digest).update(**changes):
        raise LoginExpired
    snapshots.forget(session.token_digest)
    for name, value in changes.items():
        setattr(session, name, value)
    return session


def _evidence_after(session: Session, login: PendingLogin, client: Client) -> list[Evidence]:
    """Return the evidence of the raised session. After a context change only the new evidence counts.

    Raises:
        LoginExpired: the context changed, and the evidence since the step-up began does not meet its demand.
    """
    if not context_changes(session, client):
        return _merged(session.facts.evidence, login.evidence)
    new_evidence = [evidence for evidence in login.evidence if evidence.at >= login.created_at]
    if not login.demand.is_met_by(new_evidence):
        raise LoginExpired
    return _merged([], new_evidence)


def _merged(old: Iterable[Evidence], new: Iterable[Evidence]) -> list[Evidence]:
    """Return all evidence, each kind as it was last proved, oldest first."""
    in_order = sorted([*old, *new], key=lambda evidence: evidence.at)
    # A later touch of a security key does not cancel an earlier user verification.
    return list({replace(evidence, at=_ANY_MOMENT): evidence for evidence in in_order}.values())


def _lifetimes(evidence: Iterable[Evidence]) -> tuple[timedelta, timedelta]:
    """Return idle and absolute lifetime of a session with *evidence*."""
    return sessions.LIFETIMES[assurance_of(list(evidence)).acr]
