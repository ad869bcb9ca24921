"""What people have given to applications, and how they take it back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from auth_core.authority import check_over
from auth_core.events import Event, record
from auth_core.oauth.clients.document_ids import host_of
from auth_core.oauth.clients.registry import DOCUMENT
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants.ends import end_authorization
from auth_core.oauth.models import ApplicationPolicy, Authorization, Consent
from auth_core.request.client import Client
from auth_core.users import UserLike


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What a person has given to one application.

    Args:
        id: Public id of the application.
        name: Its name. If it describes itself, with the host of its id, because it can call itself anything.
        scopes: All scopes of what is live, and of the remembered consent.
        authorization_details: Those of what is live, each once.
        since: When the person gave the first of it.
        used_at: When they last went through a login for it. ``None`` if only the consent is left.
        is_offline: Whether some of it outlives the session.
    """

    id: UUID
    name: str
    client_uri: str
    scopes: Sequence[str]
    authorization_details: Sequence[Mapping[str, Any]]
    since: datetime
    used_at: datetime | None
    is_offline: bool


def applications_of(user: UserLike) -> "QuerySet[ApplicationPolicy]":
    """Return the policies of the applications to which *user* has given something that stands."""
    live = Authorization.objects.live().filter(user=user.pk, application=OuterRef("application"))
    agreed = Consent.objects.filter(user=user.pk, application=OuterRef("application"), revoked_at=None)
    rows: QuerySet[ApplicationPolicy] = ApplicationPolicy.objects.filter(Exists(live) | Exists(agreed))
    return rows.select_related("application")


def given_to(user: UserLike, policies: Sequence[ApplicationPolicy]) -> dict[UUID, Given]:
    """Return what *user* has given to each application. Two queries for all of them."""
    pks = [policy.application_id for policy in policies]  # type: ignore[attr-defined]  # Django adds it
    live = list(Authorization.objects.live().filter(user=user.pk, application__in=pks).order_by("created_at"))
    agreed = {
        consent.application_id: consent  # type: ignore[attr-defined]  # as above
        for consent in Consent.objects.filter(user=user.pk, application__in=pks, revoked_at=None)
    }
    return {policy.pk: _given(policy, live, agreed.get(policy.application_id)) for policy in policies}  # type: ignore[attr-defined]  # as above


def revoke_application(*, user: UserLike, application_id: UUID, client: Client) -> bool:
    """Take back all that *user* gave to an application: live authorizations, offline access, consent.

    Return whether there was anything. Every token that it issued is refused from now on.
    """
    policy = applications_of(user).filter(pk=application_id).first()
    if policy is None:
        return False
    application: Any = policy.application
    with transaction.atomic(durable=True):
        Consent.objects.filter(user=user.pk, application=application.pk, revoked_at=None).update(
            revoked_at=timezone.now()
        )
        rows = Authorization.objects.live().filter(user=user.pk, application=application.pk)
        for row in rows.select_related("user__auth_identity").order_by("pk"):
            end_authorization(row, application_id=policy.pk, reason="revoked", client=client)
        record(Event(name=OAuthEvent.ACCESS_REVOKED, subject=user, application=policy.pk, client=client))
    return True


def end_for_person(*, authorization: Authorization, actor: UserLike) -> bool:
    """End what a person gave, as an administrator. Return whether it was live.

    Raises:
        PermissionRefused: the person holds more than *actor*.
    """
    check_over(actor, authorization.user)
    policy = getattr(authorization.application, "auth_policy", None)
    with transaction.atomic():
        return end_authorization(
            authorization, application_id=getattr(policy, "pk", None), reason="administrator", actor=actor
        )


def _given(policy: ApplicationPolicy, live: Sequence[Authorization], consent: Consent | None) -> Given:
    application: Any = policy.application
    own = [row for row in live if row.application_id == application.pk]
    names = [name for row in own for name in row.scopes] + ([] if consent is None else consent.scope.split())
    details = [each for row in own for each in row.authorization_details]
    begins = [row.created_at for row in own] + ([] if consent is None else [consent.given_at])
    return Given(
        id=policy.pk,
        name=_name_of(application),
        client_uri=policy.client_uri if policy.client_uri.startswith("https://") else "",
        scopes=list(dict.fromkeys(names)),
        authorization_details=[each for number, each in enumerate(details) if each not in details[:number]],
        since=min(begins, default=timezone.now()),
        used_at=max((row.created_at for row in own), default=None),
        is_offline=any(row.is_offline for row in own),
    )


def _name_of(application: Any) -> str:
    name: str = application.name or application.client_id
    return f"{name} ({host_of(application.client_id)})" if application.registration_source == DOCUMENT else name
