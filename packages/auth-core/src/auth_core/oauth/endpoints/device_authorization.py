"""``POST /oauth/device_authorization``.

Source: RFC 8628 sections 3.1 and 3.2. The order of the checks is that of the token endpoint.
"""

from typing import Any
from urllib.parse import urlencode

from django.http import Http404, HttpRequest
from django.http.response import HttpResponseBase

from auth_core.oauth.conf import oauth
from auth_core.oauth.device_grant.requests import store_device_request
from auth_core.oauth.device_grant.user_codes import for_people
from auth_core.oauth.endpoints.answers import address_of, endpoint, json_answer
from auth_core.oauth.endpoints.callers import Caller, refusals_recorded, with_nonce
from auth_core.oauth.proofs.one_time import spend_all


@endpoint("POST")
@with_nonce
def authorize_device(request: HttpRequest) -> HttpResponseBase:
    """Store what the device asks for, and return its code and that of the person."""
    if not oauth.has_device_grant:
        raise Http404
    caller = Caller.authenticate_unspent(request)
    with refusals_recorded(caller, endpoint="device_authorization"):
        caller = caller.with_sender()
        spend_all(caller.unspent)
        caller.charge_row()
        row, device_code, user_code = store_device_request(
            application=caller.application,
            scope=caller.parameters.get("scope"),
            resources=caller.parameters.resources,
            authorization_details=caller.parameters.get("authorization_details"),
            thumbprint=caller.sender.thumbprint,
            client=caller.client,
        )
    return json_answer(_body(device_code, for_people(user_code), row.interval))


def _body(device_code: str, user_code: str, interval: int) -> dict[str, Any]:
    address = address_of("device")
    return {
        "device_code": device_code,
        "user_code": user_code,
        "verification_uri": address,
        "verification_uri_complete": f"{address}?{urlencode({'user_code': user_code})}",
        "expires_in": int(oauth.DEVICE_CODE_LIFETIME.total_seconds()),
        "interval": interval,
    }
