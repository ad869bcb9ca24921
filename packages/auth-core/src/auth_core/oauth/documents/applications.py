"""The applications of clients that describe themselves: registered when a person first comes from one, and kept up to date.

Failures are not remembered, and neither is a document used after its time: what cannot be read now authorizes nothing new.
"""

from collections.abc import Sequence
from contextlib import suppress
from datetime import timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.utils import timezone

from auth_core import limits
from auth_core.errors import FieldError, InvalidRequest, NotFound
from auth_core.events import Event, EventOutcome, record
from auth_core.oauth.applications.changes import change_application, remove_application
from auth_core.oauth.clients.application_values import default_values, merged, values_of
from auth_core.oauth.clients.document_ids import host_of, is_welcome
from auth_core.oauth.clients.registration import create_application, problems_of
from auth_core.oauth.clients.registry import DOCUMENT, RegisteredApplication, find_application
from auth_core.oauth.clients.sectors import problems_of_document
from auth_core.oauth.documents.document import DescribedClient
from auth_core.oauth.documents.errors import DocumentRefused, DocumentUnreadable
from auth_core.oauth.documents.loader import load_document
from auth_core.oauth.errors import OAuthError
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import ApplicationPolicy, ClientDocument
from auth_core.people.lookup import identity_of
from auth_core.request.client import Client
from auth_core.users import UserLike

#: How exact the time of the last use is.
_USE_INTERVAL = timedelta(hours=1)


def described_application(client_id: str, *, user: UserLike, client: Client) -> RegisteredApplication | None:
    """Return the application of a client that describes itself, as its document is now. ``None``: there is none here.

    Each document that is fetched is charged to the person and to the network, also one that can be used.

    Args:
        user: The person who comes from it. Without one nothing is fetched, because a link would make this service do it.

    Raises:
        DocumentUnreadable, DocumentRefused: the document cannot be used. Nothing is stored.
        TooManyAttempts: too many documents were fetched for this person or network.
    """
    if not is_welcome(client_id):
        return None
    application = find_application(client_id)
    if application is not None and not (application.has_document and application.is_active):
        return None
    if application is None or not _is_current(application):
        limits.charge("client_document", client=client, person=str(identity_of(user).subject_id))
        try:
            document = load_document(client_id)
            _keep(client_id, document.client, document.lifetime, user)
        except (DocumentUnreadable, DocumentRefused) as problem:
            _record_refusal(client_id, problem, user, client)
            raise
        application = find_application(client_id)
    return application


def _record_refusal(client_id: str, problem: OAuthError, user: UserLike, client: Client) -> None:
    reason = "unreadable" if isinstance(problem, DocumentUnreadable) else "invalid"
    with transaction.atomic(durable=True):
        record(
            Event(
                name=OAuthEvent.DOCUMENT_REFUSED,
                subject=user,
                outcome=EventOutcome.DENIED,
                reason=reason,
                client=client,
                data={"host": host_of(client_id)},
            )
        )


def _is_current(application: RegisteredApplication) -> bool:
    """Return whether the document of *application* may still be used, and note that it is."""
    now = timezone.now()
    rows = ClientDocument.objects.filter(application=application.pk)
    document = rows.filter(expires_at__gt=now).first()
    if document is not None and document.used_at <= now - _USE_INTERVAL:
        rows.update(used_at=now)
    return document is not None


def _keep(client_id: str, described: DescribedClient, lifetime: timedelta, user: UserLike) -> None:
    """Register the client, or change its application.

    Raises:
        DocumentRefused: no application may have these values.
    """
    _check_sector(client_id, described)
    for _attempt in range(2):
        # Another request may register or remove it at the same time.
        with suppress(IntegrityError, NotFound):
            return _write(client_id, described, lifetime, user)
    return None


def _check_sector(client_id: str, described: DescribedClient) -> None:
    """Ask the site of its sector about the client, before the transaction and after the rules: it may take seconds to answer.

    Raises:
        DocumentRefused: it does not name the client, or no application may have these values.
    """
    stored = ApplicationPolicy.objects.select_related("application").filter(application__client_id=client_id).first()
    before = None if stored is None else values_of(stored)
    base = default_values(name=described.name, is_public=described.is_public)
    values = merged(base, described.settings)
    if problems := list(problems_of(values)) or list(problems_of_document(values, before)):
        raise _refusal(problems)


def _refusal(problems: Sequence[FieldError]) -> DocumentRefused:
    return DocumentRefused(" ".join(dict.fromkeys(f"{error.field}: {error.detail}" for error in problems)))


def _write(client_id: str, described: DescribedClient, lifetime: timedelta, user: UserLike) -> None:
    """Write everything in one transaction, or nothing.

    Raises:
        DocumentRefused: no application may have these values.
        IntegrityError, NotFound: another request was faster.
    """
    try:
        with transaction.atomic(durable=True):
            row = _locked(client_id)
            if row is not None and _is_another_kind(row, described):
                # One with a key is never trusted without it, and the reverse. People authorize the new one.
                remove_application(policy=row.application.auth_policy)
                row = None
            if row is None:
                _register(client_id, described, lifetime, user)
            else:
                _update(row, described, lifetime)
    except InvalidRequest as problem:
        raise _refusal(problem.errors) from problem


def _locked(client_id: str) -> Any:
    rows = ClientDocument.objects.select_for_update(of=("self",)).select_related("application__auth_policy")
    return rows.filter(application__client_id=client_id).first()


def _is_another_kind(row: Any, described: DescribedClient) -> bool:
    application: Any = row.application
    return bool((application.client_type == application.CLIENT_PUBLIC) != described.is_public)


def _register(client_id: str, described: DescribedClient, lifetime: timedelta, user: UserLike) -> None:
    made = create_application(
        name=described.name, is_public=described.is_public, actor=user, asks_sector=False, **described.settings
    )
    application: Any = made.policy.application
    application.client_id, application.registration_source = client_id, DOCUMENT
    application.save(update_fields=["client_id", "registration_source"])
    now = timezone.now()
    ClientDocument.objects.create(
        application=application, digest=described.digest, read_at=now, used_at=now, expires_at=now + lifetime
    )


def _update(row: Any, described: DescribedClient, lifetime: timedelta) -> None:
    policy = row.application.auth_policy
    change_application(policy=policy, name=described.name, asks_sector=False, **described.settings)
    now = timezone.now()
    row.digest, row.read_at, row.used_at, row.expires_at = described.digest, now, now, now + lifetime
    row.save(update_fields=["digest", "read_at", "used_at", "expires_at"])
