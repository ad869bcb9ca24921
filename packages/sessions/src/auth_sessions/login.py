"""What this package plugs into a login: the issuer that opens a session, and who asks which other one ends for it."""

from collections.abc import Iterable, Mapping
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
from auth_core.errors import ChallengeFailed, FieldError, InvalidRequest, LoginExpired
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_sessions import concurrency, devices, lifecycle
from auth_sessions.conf import ENGINE, sessions
from auth_sessions.context_change import strayed
from auth_sessions.engine import SessionStore
from auth_sessions.models import Device, Session
from auth_sessions.revocation import snapshots
from auth_sessions.session_columns import PREFIX, client_columns, record_opened

#: What `SessionLimit` asks; the answer is ``{"end": "<public id of a session>"}``.
KIND = "session_limit"

#: Stands for the moment where only what was proved counts.
_ANY_MOMENT = datetime(1970, 1, 1, tzinfo=UTC)


class OpenSession:
    """Opens a row for every login, always under a new credential."""

    transports = frozenset(Transport)

    def issue(self, login: PendingLogin, client: Client) -> Grant:
        """Open a session, or raise the one that a step-up names.

        Raises:
            LimitReached: the person has as many sessions as they may, and the policy ends none.
            LoginDenied: the device is blocked.
            LoginExpired: the session to raise has ended.
        """
        credential = new_secret(PREFIX)
        if login.purpose == Purpose.STEP_UP:
            session = _raised(login, credential, client)
            session.seen_at = session.last_seen_at
            record_opened(session, reason="step_up", client=client)
            return Grant(
                user=login.user,
                session=session.facts,
                credential=credential,
                backend=login.backend,
                store=_store_of(session, credential),
            )
        recognised = devices.recognise(user=login.user, client=client, transport=login.transport)
        session = _opened(login, credential, client, recognised)
        session.seen_at = session.last_seen_at
        record_opened(session, reason="login", client=client)
        devices.announce(recognised, session=session, client=client)
        return Grant(
            user=login.user,
            session=session.facts,
            credential=credential,
            backend=login.backend,
            device_credential=recognised.credential,
            device_lifetime=sessions.DEVICE_LIFETIME,
            store=_store_of(session, credential),
        )

    def end(self, session: SessionFacts, *, user: Any, reason: str) -> None:
        """End *session*; one that has ended already is left alone."""
        lifecycle.end_session(session_id=session.id, user=user, reason=reason)


class SessionLimit:
    """Asks whoever has as many sessions as they may which one ends, where the policy is to ask.

    The last of the steps: it shows where somebody is signed in, and asks only whoever has
    proved all that this login demands.
    """

    def is_pending(self, login: PendingLogin) -> bool:
        """Say whether there is no room for the session that this login opens."""
        opens = login.user is not None and login.purpose != Purpose.STEP_UP
        return opens and login.meets_demand() and concurrency.asks(user=login.user)

    def challenge(self, login: PendingLogin, choice: str | None) -> Challenge:
        """Show what is live; nothing is chosen before it is answered.

        Raises:
            InvalidRequest: there is nothing to choose beforehand.
        """
        if choice is not None:
            raise InvalidRequest(FieldError("choice", "unknown", _("The answer says which session ends.")))
        return self.question(login)

    def question(self, login: PendingLogin) -> Challenge:
        """Return what is live, used last first."""
        live = list(Session.objects.of(login.user).live().order_by("-last_seen_at", "-pk"))
        opened_in = devices.devices_of(live)
        choices = [Choice(str(row.pk), "", _label(row, opened_in)) for row in live]
        return Challenge(kind=KIND, data={"live": len(live)}, choices=choices)

    def answer(self, login: PendingLogin, answer: Mapping[str, Any]) -> Evidence | None:
        """End the session that was chosen; committed, whether or not the login is granted then.

        Raises:
            InvalidRequest: the answer names no session.
            ChallengeFailed: it is not this person's, or has ended.
        """
        chosen = _chosen_in(answer)
        with transaction.atomic(durable=True):
            has_ended = login.user is not None and concurrency.end_chosen(user=login.user, session_id=chosen)
        if not has_ended:
            raise ChallengeFailed
        return None


def _chosen_in(answer: Mapping[str, Any]) -> UUID:
    """Return the id in an answer.

    Raises:
        InvalidRequest: there is none, or something beside it.
    """
    given = answer.get("end")
    try:
        if set(answer) == {"end"} and isinstance(given, str):
            return UUID(given)
    except ValueError:
        pass
    raise InvalidRequest(FieldError("answer.end", "invalid", _("Choose the session that ends.")))


def _label(session: Session, opened_in: Mapping[UUID, Device]) -> str:
    """Return how a person tells this session from their others: device, place, and when it was used last."""
    device = opened_in.get(session.device_id) if session.device_id is not None else None
    place = " ".join(filter(None, (session.country, session.network)))
    when = date_format(timezone.localtime(session.last_seen_at), "SHORT_DATETIME_FORMAT")
    said = (str(device) if device is not None else "", place, _("last used %(when)s") % {"when": when})
    return " · ".join(filter(None, said))


def _store_of(session: Session, credential: str) -> SessionStore | None:
    """Return what the browser's request is to go on with, if it is a browser, and a site that keeps our sessions."""
    if session.transport != Transport.COOKIE or session_engine() != ENGINE:
        return None
    return SessionStore.of(session, credential)


def _opened(login: PendingLogin, credential: str, client: Client, recognised: devices.Recognised) -> Session:
    user: Any = login.user
    begins = concurrency.make_room(user=user)
    # Asked after the room: whoever waited for it has waited.
    moment = timezone.now()
    idle, absolute = _lifetimes(login.evidence)
    return Session.objects.create(
        token_digest=digest(credential),
        user=user,
        backend=login.backend,
        auth_hash=user.get_session_auth_hash(),
        transport=login.transport,
        evidence_stored=[piece.to_json() for piece in login.evidence],
        authenticated_at=moment,
        created_at=begins or moment,
        last_seen_at=moment,
        idle_lifetime=idle,
        expires_at=moment + absolute,
        device_id=recognised.device.pk,
        device_known=recognised.is_known,
        risk_score=login.score,
        risk_reasons=login.reasons,
        **client_columns(client),
    )


def _raised(login: PendingLogin, credential: str, client: Client) -> Session:
    """Give the session a new credential and what was proved; its old credential is dead with the same statement.

    A step-up shortens a session that now needs care, and lengthens none (ASVS 7.3.2). Where it
    was proved is where the session belongs from now on (`auth_sessions.context_change`).
    """
    named = Session.objects.of(login.user).live().filter(pk__in=[login.session_id], transport=login.transport)
    session = named.first()
    if session is None:
        raise LoginExpired
    moment = timezone.now()
    evidence = _proved(session, login, client)
    idle, absolute = _lifetimes(evidence)
    changes = {
        "token_digest": digest(credential),
        # Nor does one of before, which a rotation may have left good for a moment: it would hold what was proved now.
        "previous_digest": None,
        "evidence_stored": [piece.to_json() for piece in evidence],
        "authenticated_at": moment,
        "last_seen_at": moment,
        "idle_lifetime": idle,
        "expires_at": min(session.expires_at, moment + absolute),
        **client_columns(client),
    }
    # Two step-ups at once would each take the other's credential for the one to replace.
    if not named.filter(token_digest=session.token_digest).update(**changes):
        raise LoginExpired
    snapshots.forget(session.token_digest)
    for name, value in changes.items():
        setattr(session, name, value)
    return session


def _proved(session: Session, login: PendingLogin, client: Client) -> list[Evidence]:
    """Return what the raised session has proved: what it had and what is new, or what is new alone where it strayed.

    Raises:
        LoginExpired: the login was begun at home and ends elsewhere, with too little proved since; it begins anew there.
    """
    if not strayed(session, client):
        return _merged(session.facts.evidence, login.evidence)
    newly = [piece for piece in login.evidence if piece.at >= login.created_at]
    if not login.demand.is_met_by(newly):
        raise LoginExpired
    return _merged([], newly)


def _merged(proved: Iterable[Evidence], newly: Iterable[Evidence]) -> list[Evidence]:
    """Return all that was proved, each thing as it was proved last, oldest first."""
    in_order = sorted([*proved, *newly], key=lambda piece: piece.at)
    # A key that was touched now says nothing against having verified its user before.
    return list({replace(piece, at=_ANY_MOMENT): piece for piece in in_order}.values())


def _lifetimes(evidence: Iterable[Evidence]) -> tuple[timedelta, timedelta]:
    """Return how long a session that proved *evidence* may go unused, and how long it lasts."""
    return sessions.LIFETIMES[assurance_of(list(evidence)).acr]
