"""Requests of devices: how they are stored, what they ask for, and how often a device may ask for the answer.

Source: RFC 8628 sections 3.1 to 3.5.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Least
from django.utils import timezone

from auth_core.crypto.secrets import digest, new_secret
from auth_core.oauth.authorization.details import Details
from auth_core.oauth.authorization.parameters import RESOURCE, text_of
from auth_core.oauth.clients.authorization_details import details_for_person, parse_details
from auth_core.oauth.clients.registry import DEVICE_CODE, RegisteredApplication
from auth_core.oauth.clients.scopes import canonical, find_resources, scopes_for_person, split_scope
from auth_core.oauth.conf import oauth
from auth_core.oauth.device_grant.user_codes import new_user_code, user_code_digest
from auth_core.oauth.errors import AuthorizationPending, SlowDown, UnauthorizedClient
from auth_core.oauth.models import DeviceRequest
from auth_core.request.client import Client
from auth_core.request.user_agents import device_name

#: What a device code begins with, for us and for secret scanners.
PREFIX = "edc"

#: How much the interval grows with each poll that comes too early, and its end (RFC 8628 section 3.5).
_STEP, _LONGEST_INTERVAL = 5, 3600

#: How much earlier a poll may come. A timer of a device and the network are not exact.
_JITTER = timedelta(milliseconds=500)

#: How many user codes are tried. Two requests at once have the same one about never.
_TRIES = 5


def store_device_request(
    *,
    application: RegisteredApplication,
    scope: str,
    resources: Sequence[str],
    authorization_details: str,
    thumbprint: str,
    client: Client,
) -> tuple[DeviceRequest, str, str]:
    """Store what a device asks for. Return the row, the device code and the user code.

    Args:
        authorization_details: The parameter of that name. Empty: none.
        thumbprint: Of the key that the request proved. The device code is bound to it. Empty: none.
        client: The device.

    Raises:
        InvalidScope, InvalidTarget, InvalidAuthorizationDetails: it asks for what is malformed or unknown. Nothing is stored.
    """
    moment = timezone.now()
    parameters: dict[str, Any] = {
        "scope": scope,
        RESOURCE: list(resources),
        "authorization_details": authorization_details,
    }
    code = new_secret(PREFIX)
    row = DeviceRequest(
        device_code_digest=digest(code),
        application_id=application.pk,
        parameters={name: value for name, value in parameters.items() if value},
        dpop_jkt=thumbprint,
        ip=client.ip or None,
        network=client.network,
        agent=device_name(client.user_agent),
        interval=int(oauth.DEVICE_INTERVAL.total_seconds()),
        next_poll_at=moment,
        created_at=moment,
        expires_at=moment + oauth.DEVICE_CODE_LIFETIME,
    )
    read_device_details(row, application)
    return row, code, _save(row)


def _save(row: DeviceRequest) -> str:
    """Save *row* with a user code that no other row has, and return the code."""
    for is_last in [False] * (_TRIES - 1) + [True]:
        user_code = new_user_code()
        row.user_code_digest = user_code_digest(user_code)
        try:
            with transaction.atomic():
                row.save(force_insert=True)
        except IntegrityError:
            if is_last:
                raise
            continue
        break
    return user_code


def read_device_details(row: DeviceRequest, application: RegisteredApplication) -> Details:
    """Return what *row* asks for, by the rules and the rows of now.

    Raises:
        UnauthorizedClient: the application may not use this grant.
        InvalidScope, InvalidTarget, InvalidAuthorizationDetails: it asks for what is malformed or unknown.
    """
    if DEVICE_CODE not in application.grants:
        raise UnauthorizedClient
    uris: list[str] = row.parameters.get(RESOURCE, [])
    resources = find_resources(uris)
    resource_uris = tuple(dict.fromkeys(map(canonical, uris)))
    authorization_details = parse_details(text_of(row.parameters, "authorization_details"))
    details_for_person(application, authorization_details, resource_uris)
    return Details(
        row=row,
        application=application,
        scopes=tuple(scopes_for_person(application, split_scope(text_of(row.parameters, "scope")), resources)),
        resource_uris=resource_uris,
        resources=resources,
        authorization_details=authorization_details,
    )


def count_poll(row: DeviceRequest) -> None:
    """Count a poll of a device that no one has decided about. The database compares the moments, for all processes.

    Raises:
        AuthorizationPending: always, if it came in time.
        SlowDown: it came too early. The interval is longer from now on.
    """
    moment = timezone.now()
    rows = DeviceRequest.objects.filter(pk=row.pk)
    if rows.filter(next_poll_at__lte=moment + _JITTER).update(next_poll_at=_after(moment, row.interval)):
        raise AuthorizationPending
    longer = min(row.interval + _STEP, _LONGEST_INTERVAL)
    rows.update(interval=Least(F("interval") + _STEP, _LONGEST_INTERVAL), next_poll_at=_after(moment, longer))
    raise SlowDown


def _after(moment: datetime, interval: int) -> datetime:
    return moment + timedelta(seconds=interval)
