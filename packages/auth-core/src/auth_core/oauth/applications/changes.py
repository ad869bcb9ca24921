"""How an application is changed, disabled and removed. Each change is recorded in its transaction.

A person who changes an application can receive what it receives, and a person who has its secret acts with its roles. So
nobody changes an application that holds more than they do (`auth_core.authority.check_service`), as it was before the change.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Unpack
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from auth_core.authority import check_service
from auth_core.errors import NotFound
from auth_core.events import Event, record
from auth_core.oauth.clients.application_values import (
    ApplicationChanges,
    changes_between,
    merged,
    values_of,
    write_values,
)
from auth_core.oauth.clients.registration import refuse_foreign_sector, refuse_problems
from auth_core.oauth.clients.sectors import SECTOR_VALUES
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import AccessToken, ApplicationPolicy, Authorization, Consent
from auth_core.runtime.batches import delete_in_batches
from auth_core.users import UserLike


def find_policy(application_id: UUID) -> ApplicationPolicy | None:
    """Return the policy with this public id, with its application, or ``None``."""
    return ApplicationPolicy.objects.select_related("application").filter(pk=application_id).first()


def change_application(
    *,
    policy: ApplicationPolicy,
    actor: UserLike | None = None,
    asks_sector: bool = True,
    **changes: Unpack[ApplicationChanges],
) -> bool:
    """Change what *changes* has. It counts at the next request of the application. Return whether something differs.

    Disabling it ends everything that people gave to it. After it is enabled again, they authorize it again.

    Args:
        actor: The administrator. ``None``: the site.
        asks_sector: Whether the site of a new sector is asked. A caller that has asked it, before a transaction, says no.
        changes: See `ApplicationChanges`. The values after the change obey the rules of a registration. An application that
            does not can be disabled, and nothing else.

    Raises:
        InvalidRequest: a value is not allowed.
        NotFound: the application is gone.
        PermissionRefused: it holds more than *actor*.
    """
    if asks_sector:
        _refuse_foreign_sector(policy, actor, changes)
    with changing(policy, actor) as current:
        before = values_of(current)
        after = merged(before, changes)
        differing = {name: after[name] for name in changes if after[name] != before[name]}  # type: ignore[literal-required]  # they are keys
        if not differing:
            return False
        if differing != {"is_active": False}:
            refuse_problems(after)
        write_values(current, differing)
        is_disabled = differing.get("is_active") is False
        ended = _end_all_given(current, reason="application_disabled") if is_disabled else 0
        _record(OAuthEvent.APPLICATION_CHANGED, current, actor, ended, changes_between(before, differing))
    policy.refresh_from_db()
    return True


def _refuse_foreign_sector(policy: ApplicationPolicy, actor: UserLike | None, changes: ApplicationChanges) -> None:
    """Ask the site of a new sector about the application, before the rows are locked: it may take seconds to answer.

    Raises:
        InvalidRequest: it does not name the application.
        PermissionRefused: the application holds more than *actor*.
    """
    stored = find_policy(policy.pk) if SECTOR_VALUES & changes.keys() else None
    if stored is not None:
        check_service(actor, stored.pk)
        before = values_of(stored)
        refuse_foreign_sector(merged(before, changes), before)


def remove_application(*, policy: ApplicationPolicy, actor: UserLike | None = None) -> None:
    """Remove an application for good, with everything that people gave to it. Its public id is never used again.

    Raises:
        NotFound: the application is gone.
        PermissionRefused: it holds more than *actor*.
    """
    with changing(policy, actor) as current:
        before = values_of(current)
        ended = _end_all_given(current, reason="application_removed")
        _record(OAuthEvent.APPLICATION_REMOVED, current, actor, ended, {
            name: {"before": change["after"]} for name, change in changes_between({}, before).items()
        })  # fmt: skip
        row: Any = current.application
        # Django would load all of them at once, to delete those that cascade.
        for model in (Authorization, Consent, AccessToken):
            delete_in_batches(model.objects.filter(application=row.pk).order_by("pk"))
        row.delete()


@contextmanager
def changing(policy: ApplicationPolicy, actor: UserLike | None) -> Iterator[ApplicationPolicy]:
    """Open a transaction in which *policy* is locked, and read again. Two changes at once come one after the other.

    Raises:
        NotFound: it is gone.
        PermissionRefused: the application holds more than *actor*.
    """
    with transaction.atomic():
        current = ApplicationPolicy.objects.select_for_update().filter(pk=policy.pk).first()
        if current is None:
            raise NotFound
        check_service(actor, current.pk)
        yield current


def _end_all_given(policy: ApplicationPolicy, *, reason: str) -> int:
    """End everything that people gave to an application: authorizations with their tokens, and consents. Two statements.

    They are counted in the event of the change. An event for each person would be as many as the site has people.
    """
    row: Any = policy.application
    Consent.objects.filter(application=row.pk, revoked_at=None).update(revoked_at=timezone.now())
    return Authorization.objects.live().filter(application=row.pk).end(reason=reason)


def _record(
    name: OAuthEvent, policy: ApplicationPolicy, actor: UserLike | None, ended: int, changes: dict[str, Any]
) -> None:
    target = ("application", str(policy.pk))
    record(Event(name=name, actor=actor, target=target, data={"ended": ended}, changes=changes))
