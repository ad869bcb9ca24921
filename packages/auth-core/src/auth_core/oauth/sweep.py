"""The periodic deletion of rows whose time is over. Expiry itself is judged when a row is read."""

from datetime import timedelta

from django.utils import timezone

from auth_core.oauth.models import (
    AccessToken,
    ApplicationPolicy,
    Authorization,
    AuthorizationRequest,
    DeviceRequest,
    InitialAccessToken,
    RevokedToken,
    SpentProof,
)
from auth_core.runtime.batches import delete_in_batches

#: How long an authorization is kept after its absolute end, so that a late replay still names it in the trail.
_KEPT = timedelta(days=7)

#: How long the request of a device is kept after its end, so that a device which still asks hears what happened.
_KEPT_FOR_DEVICES = timedelta(hours=1)


def delete_expired() -> int:
    """Delete expired requests, tokens, initial access tokens, revocations, spent proofs and authorizations. Return how many rows.

    Secrets of applications that were never shown are wiped. Their applications stay.
    """
    ApplicationPolicy.wipe_unread()
    moment = timezone.now()
    expired = [
        model.objects.filter(expires_at__lte=moment)
        for model in (AuthorizationRequest, AccessToken, InitialAccessToken, RevokedToken, SpentProof)
    ]
    over = Authorization.objects.filter(expires_at__lte=moment - _KEPT)
    devices = DeviceRequest.objects.filter(expires_at__lte=moment - _KEPT_FOR_DEVICES)
    return sum(delete_in_batches(rows.order_by("expires_at")) for rows in (*expired, over, devices))
