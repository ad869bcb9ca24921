"""The end of an authorization, with everything that it issued."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from django.db.models import QuerySet

from auth_core.events import Event, EventOutcome, record
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import Authorization
from auth_core.request.client import Client
from auth_core.users import UserLike


def end_authorization(
    authorization: Authorization,
    *,
    application_id: Any,
    reason: str,
    name: OAuthEvent = OAuthEvent.AUTHORIZATION_ENDED,
    client: Client | None = None,
    actor: UserLike | None = None,
) -> bool:
    """End *authorization*, inside the caller's transaction, and record it. Return whether it was still there to end.

    Args:
        application_id: Public id of its application.
        reason: Closed word.
        name: The event, which may say more than that it ended.
        actor: The administrator who ends it.
    """
    has_ended = Authorization.objects.filter(pk=authorization.pk).end(reason=reason) > 0
    if has_ended or name is not OAuthEvent.AUTHORIZATION_ENDED:
        record(
            Event(
                name=name,
                subject=authorization.user,
                actor=actor,
                session=authorization.session_id,
                application=application_id,
                outcome=EventOutcome.SUCCESS if name is OAuthEvent.AUTHORIZATION_ENDED else EventOutcome.DENIED,
                reason=reason,
                client=client,
                data={"authorization": str(authorization.pk)},
            )
        )
    return has_ended


def given_in(session_id: UUID) -> "QuerySet[Authorization]":
    """Return what a session gave, offline as well, for `end_all`."""
    return _with_names(Authorization.objects.live().filter(session_id=session_id))


def end_given_by(user: UserLike, *, reason: str, keep_session: UUID | None = None) -> None:
    """End everything that *user* gave, offline as well. Call this in a transaction.

    Args:
        keep_session: A session that goes on. What it gave goes on with it, except what was given offline.
    """
    live = Authorization.objects.live().of(user)
    authorizations = live if keep_session is None else live.exclude(session_id=keep_session, is_offline=False)
    end_all(_with_names(authorizations), reason=reason)


def end_all(authorizations: Iterable[Authorization], *, reason: str) -> None:
    """End each of *authorizations* and record it, in the open transaction."""
    for authorization in authorizations:
        policy = getattr(authorization.application, "auth_policy", None)
        end_authorization(authorization, application_id=None if policy is None else policy.id, reason=reason)


def _with_names(rows: "QuerySet[Authorization]") -> "QuerySet[Authorization]":
    return rows.select_related("user__auth_identity", "application__auth_policy")
