"""The secret of an application: its replacement, and the time in which the secret before is accepted as well."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import Event, record
from auth_core.oauth.applications.changes import changing
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.hashers import new_client_secret
from auth_core.oauth.models import ApplicationPolicy
from auth_core.users import UserLike

#: The longest time in which two secrets are accepted.
LONGEST_OVERLAP = timedelta(days=30)


def replace_secret(
    *,
    policy: ApplicationPolicy,
    overlap: timedelta = timedelta(0),
    actor: UserLike | None = None,
    shown_in: UUID | None = None,
) -> str:
    """Give an application a new secret, and return it. Only its hash is stored.

    Args:
        overlap: How long the secret before is accepted as well, so that every server of the application can get the new
            one. By default it ends at once. A third secret is never accepted.
        actor: The administrator. ``None``: the site.
        shown_in: As in `create_application`.

    Raises:
        InvalidRequest: the application is public or authenticates with its key, so it has none, or *overlap* is too long.
        NotFound: the application is gone.
        PermissionRefused: it holds more than *actor*.
    """
    if not timedelta(0) <= overlap <= LONGEST_OVERLAP:
        params = {"min": 0, "max": int(LONGEST_OVERLAP.total_seconds())}
        raise InvalidRequest(FieldError("overlap", "out_of_range", _("This time is too long."), params))
    secret = new_client_secret()
    with changing(policy, actor) as current:
        row: Any = current.application
        if not current.uses_secret:
            is_public = row.client_type == row.CLIENT_PUBLIC
            why = _("A public application has no secret.") if is_public else _("It authenticates with its key.")
            raise InvalidRequest(FieldError("", "invalid", why))
        before = current.previous_secret_until
        # An application that authenticated with its key before has none to overlap with.
        until = timezone.now() + overlap if overlap and row.client_secret else None
        current.previous_secret, current.previous_secret_until = row.client_secret if overlap else "", until
        if shown_in is not None:
            current.keep_unread(secret, session_id=shown_in)
        current.save(update_fields=["previous_secret", "previous_secret_until", "unread", "unread_in", "unread_until"])
        # Saved under its hash.
        row.client_secret, row.hash_client_secret = secret, True
        row.save(update_fields=["client_secret", "hash_client_secret"])
        _record(current, actor, before=before)
    policy.refresh_from_db()
    return secret


def end_previous_secret(*, policy: ApplicationPolicy, actor: UserLike | None = None) -> bool:
    """Accept the secret before no more. Return whether it was still accepted.

    Raises:
        NotFound: the application is gone.
        PermissionRefused: it holds more than *actor*.
    """
    with changing(policy, actor) as current:
        until = current.previous_secret_until
        was_accepted = bool(current.previous_secret) and until is not None and until > timezone.now()
        if was_accepted:
            current.previous_secret, current.previous_secret_until = "", None
            current.save(update_fields=["previous_secret", "previous_secret_until"])
            _record(current, actor, before=until, name=OAuthEvent.SECRET_ENDED)
    policy.refresh_from_db()
    return was_accepted


def _record(
    policy: ApplicationPolicy, actor: UserLike | None, *, before: Any, name: OAuthEvent = OAuthEvent.SECRET_REPLACED
) -> None:
    moments = {"before": _text(before), "after": _text(policy.previous_secret_until)}
    changes = {"previous_secret_until": moments} if moments["before"] != moments["after"] else {}
    record(Event(name=name, actor=actor, target=("application", str(policy.pk)), changes=changes))


def _text(moment: Any) -> str | None:
    return None if moment is None else str(moment.isoformat())
