"""What a person decides about the request of a device.

Source: RFC 8628 section 3.3 and RFC 10027: the approval belongs to the session that entered the code.
"""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from auth_core import limits
from auth_core.assurance.evidence import SessionFacts
from auth_core.crypto.secrets import spend
from auth_core.errors import FieldError, InvalidRequest
from auth_core.events import Event, EventOutcome, record
from auth_core.oauth.authorization.details import Details
from auth_core.oauth.authorization.errors import RequestGone
from auth_core.oauth.clients.authorization_details import types_of
from auth_core.oauth.device_grant.user_codes import typed_code, user_code_digest
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants.code import RequestCompleted, give
from auth_core.oauth.models import DeviceRequest
from auth_core.request.client import Client
from auth_core.users import UserLike


def enter_user_code(text: str, *, user: UserLike, session: SessionFacts, client: Client) -> DeviceRequest:
    """Bind the request with the user code in *text* to *user* and *session*, and return it. Nothing is given yet.

    Each guess is charged before it is looked at. A code that another person entered is as unknown as any other.

    Raises:
        TooManyAttempts: the person, the session or the network has guessed too often.
        InvalidRequest: no request waits for this code.
    """
    guess = limits.charge("user_code", client=client, person=str(user.pk), session=str(session.id))
    code = typed_code(text)
    waiting = _waiting().filter(Q(user=None) | Q(user=user.pk), user_code_digest=user_code_digest(code))
    with transaction.atomic(durable=True):
        is_found = bool(code) and spend(waiting, user=user, session_id=session.id)
        row = (
            DeviceRequest.objects.select_related("application__auth_policy").get(
                user_code_digest=user_code_digest(code)
            )
            if is_found
            else None
        )
        record(_entered(row, user, session, client))
    if row is None:
        raise InvalidRequest(FieldError("user_code", "invalid", _("This code is wrong, or it has expired.")))
    guess.refund()
    return row


def find_entered(request_id: UUID, *, user: UserLike, session: SessionFacts) -> DeviceRequest:
    """Return the request that *session* of *user* entered the code of.

    Raises:
        RequestGone: there is none, it has expired, or it was answered.
    """
    row = _entered_in(request_id, user, session).first()
    if row is None:
        raise RequestGone
    return row


def approve_device(details: Details, *, user: UserLike, session: SessionFacts, client: Client) -> None:
    """Give the device what *details* say, once.

    The caller has decided that the person may and does give it.

    Raises:
        RequestGone: another session entered the code, it has expired, or it was answered.
    """
    row: Any = details.row
    try:
        give(
            row,
            waiting=_entered_in(row.pk, user, session),
            application=details.application,
            user=user,
            session=session,
            scopes=details.scopes,
            resources=details.resource_uris,
            claims=details.claims,
            authorization_details=details.authorization_details,
            client=client,
            device_code_digest=row.device_code_digest,
            code_expires_at=row.expires_at,
        )
    except RequestCompleted as problem:
        raise RequestGone from problem


def deny_device(details: Details, *, user: UserLike, session: SessionFacts, client: Client, reason: str = "") -> None:
    """Refuse what the device asks for, once. It gets ``access_denied``.

    Args:
        reason: Closed word. Empty: the person refused.

    Raises:
        RequestGone: as in `approve_device`.
    """
    with transaction.atomic(durable=True):
        waiting = _entered_in(details.row.pk, user, session)
        if not spend(waiting, completed_at=timezone.now(), is_denied=True):
            raise RequestGone
        record(
            Event(
                name=OAuthEvent.AUTHORIZATION_DENIED,
                subject=user,
                session=session.id,
                application=details.application.id,
                outcome=EventOutcome.DENIED,
                reason=reason,
                client=client,
                data={
                    "scope": " ".join(details.scopes),
                    "resources": list(details.resource_uris),
                    "details": types_of(details.authorization_details),
                },
            )
        )


def _waiting() -> "QuerySet[DeviceRequest]":
    return DeviceRequest.objects.filter(completed_at=None, expires_at__gt=timezone.now())


def _entered_in(request_id: UUID, user: UserLike, session: SessionFacts) -> "QuerySet[DeviceRequest]":
    return _waiting().filter(pk=request_id, user=user.pk, session_id=session.id)


def _entered(row: DeviceRequest | None, user: UserLike, session: SessionFacts, client: Client) -> Event:
    """Return the event of a code that was entered, with the place of the device, or of a wrong one."""
    if row is None:
        return Event(
            name=OAuthEvent.USER_CODE_FAILED,
            subject=user,
            session=session.id,
            outcome=EventOutcome.FAILURE,
            client=client,
        )
    policy = getattr(row.application, "auth_policy", None)
    return Event(
        name=OAuthEvent.USER_CODE_ENTERED,
        subject=user,
        session=session.id,
        application=getattr(policy, "pk", None),
        client=client,
        data={"device_ip": row.ip or "", "device_agent": row.agent},
    )
