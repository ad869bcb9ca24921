"""Back-channel logout: applications hear that a session has ended.

A message waits in the outbox in the transaction of the end. The logout token is signed at each attempt, because it lives two
minutes and an application may be down for an hour.

Source: OpenID Connect Back-Channel Logout 1.0.
"""

from collections.abc import Iterable
from datetime import timedelta
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode
from uuid import UUID, uuid4

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from auth_core.events import AuthEvent, Event, event_recorded
from auth_core.login.django_session import OpenDjangoSession
from auth_core.login.plugins import grant_issuer
from auth_core.messages.outbox import Message, Undeliverable, post
from auth_core.oauth.clients.registry import RegisteredApplication, find_by_public_id
from auth_core.oauth.conf import oauth
from auth_core.oauth.grants.ends import end_all, given_in
from auth_core.oauth.keys.subjects import session_shown_to
from auth_core.oauth.models import ApplicationPolicy, Authorization
from auth_core.oauth.tokens import signatures
from auth_core.runtime.http_client import OutboundFailed, OutboundRefused, fetch

#: The channel of the outbox.
CHANNEL = "backchannel_logout"

#: The type of a logout token, and the member that says what happened (section 2.4).
TYPE = "logout+jwt"
EVENT = "http://schemas.openid.net/event/backchannel-logout"

#: Lifetime of a logout token (section 4: two minutes at most), and how long an application is tried.
_TOKEN_LIFETIME = timedelta(minutes=2)
_TRIED_FOR = timedelta(hours=24)


#: Events after which nothing that a person gave stands.
_ENDS_ALL = frozenset({AuthEvent.PASSWORD_RESET, AuthEvent.ACCOUNT_DISABLED, AuthEvent.ACCOUNT_LOCKED})


def connect() -> None:
    """Connect the receiver. It stands before the one that ends authorizations, because it reads those that are live."""
    event_recorded.connect(announce_end, dispatch_uid="auth_oauth.logout.backchannel")


def announce_end(event: Event, **kwargs: Any) -> None:
    """Write the messages about the sessions that *event* ends, in its transaction.

    An application with offline access hears of the end as well, and keeps that access (section 2.7).
    """
    has_ended = event.name is AuthEvent.SESSION_ENDED
    # Django's own sessions have no event of their end.
    has_ended = has_ended or (
        event.name is AuthEvent.LOGOUT_COMPLETED and isinstance(grant_issuer(), OpenDjangoSession)
    )
    if has_ended and event.session is not None:
        end_session(event.session)
    elif event.subject is not None and event.name is AuthEvent.PASSWORD_CHANGED:
        rows = Authorization.objects.live().of(event.subject)
        # NULL is unequal to nothing in SQL, so rows without a session are named.
        _announce(rows.filter(~Q(session_id=event.session) | Q(session_id=None)) if event.session else rows)
    elif event.subject is not None and event.name in _ENDS_ALL:
        _announce(Authorization.objects.live().of(event.subject))


def end_session(session_id: UUID) -> None:
    """End what a session gave, except what was given offline, and tell the applications. One query if it gave nothing."""
    rows = list(given_in(session_id))
    if rows:
        with transaction.atomic(savepoint=False):
            post_logouts(rows)
            end_all((row for row in rows if not row.is_offline), reason="session_ended")


def _announce(rows: "QuerySet[Authorization]") -> None:
    with transaction.atomic(savepoint=False):
        post_logouts(rows)


def post_logouts(authorizations: Iterable[Authorization]) -> int:
    """Write one message for each application and session of *authorizations*, in the open transaction. Return how many.

    Applications without an address get none. At most one query for them.
    """
    wanted = {(row.application_id, row.subject, str(row.session_id or "")) for row in authorizations}
    if not wanted:
        return 0
    pks = {pk for pk, _subject, _session in wanted}
    policies = ApplicationPolicy.objects.filter(application__in=pks).exclude(backchannel_logout_uri="")
    ids: dict[object, UUID] = dict(policies.values_list("application_id", "pk"))
    posted = [(ids[pk], subject, session) for pk, subject, session in sorted(wanted, key=str) if pk in ids]
    for application_id, subject, session in posted:
        post(
            channel=CHANNEL,
            template="logout_token",
            values={"application": str(application_id)},
            secret={"sub": subject, "sid": session},
            secret_lifetime=_TRIED_FOR,
        )
    return len(posted)


def deliver(message: Message) -> None:
    """Post a logout token to the application.

    Raises:
        Undeliverable: the application is gone, disabled or has no address, or its address is not allowed.
        OutboundFailed: it does not answer, or not with a success. It is tried again.
    """
    application = find_by_public_id(UUID(message.values["application"]))
    if application is None or not application.is_active or not application.backchannel_logout_uri:
        raise Undeliverable
    body = urlencode({"logout_token": logout_token(application, message.secret["sub"], message.secret["sid"])})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cache-Control": "no-store"}
    try:
        answer = fetch(application.backchannel_logout_uri, method="POST", body=body.encode(), headers=headers)
    except OutboundRefused as problem:
        raise Undeliverable from problem
    if answer.status not in (HTTPStatus.OK, HTTPStatus.NO_CONTENT):
        raise OutboundFailed(str(answer.status))


def logout_token(application: RegisteredApplication, subject: str, session_id: str) -> str:
    """Return a logout token of now. It never has a nonce, so that no one takes it for an ID token."""
    moment = timezone.now()
    claims = {
        "iss": oauth.issuer,
        "aud": application.client_id,
        "iat": int(moment.timestamp()),
        "exp": int((moment + _TOKEN_LIFETIME).timestamp()),
        "jti": str(uuid4()),
        "events": {EVENT: {}},
        "sub": subject,
        **({"sid": session_shown_to(application, session_id)} if session_id else {}),
    }
    return signatures.sign(claims, algorithm=application.signs_id_tokens_with, type_=TYPE)
