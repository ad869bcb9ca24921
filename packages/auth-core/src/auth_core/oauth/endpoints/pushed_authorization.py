"""``POST /oauth/par``.

Source: RFC 9126. The order of the checks is that of the token endpoint.
"""

from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_core.oauth.authorization.parameters import AUTHORIZE, LONGEST, RESOURCE
from auth_core.oauth.authorization.pushed_requests import read_pushed
from auth_core.oauth.conf import oauth
from auth_core.oauth.endpoints.answers import endpoint, json_answer
from auth_core.oauth.endpoints.callers import Caller, refusals_recorded, with_cors, with_nonce
from auth_core.oauth.errors import BodyTooLarge
from auth_core.oauth.proofs.one_time import spend_all

_CREATED = 201


@endpoint("POST", "OPTIONS")
@with_cors
@with_nonce
def push(request: HttpRequest) -> HttpResponseBase:
    """Store the request of the caller, and return its name."""
    caller = Caller.authenticate_unspent(request)
    with refusals_recorded(caller, endpoint="par"):
        caller = caller.with_sender()
        spend_all(caller.unspent)
        row, name = read_pushed(_parameters_of(caller), caller.application, thumbprint=caller.sender.thumbprint)
        caller.charge_row()
        row.save(force_insert=True)
    lifetime = int(oauth.PUSHED_REQUEST_LIFETIME.total_seconds())
    return json_answer({"request_uri": name, "expires_in": lifetime}, status=_CREATED)


def _parameters_of(caller: Caller) -> dict[str, Any]:
    """Return the parameters of the authorization request. The credentials are not stored.

    Raises:
        BodyTooLarge: they are longer than a request at the authorization endpoint may be.
    """
    sent = caller.parameters
    single: dict[str, Any] = {name: value for name, value in sent.single.items() if name in AUTHORIZE}
    parameters = {**single, "client_id": caller.application.client_id}
    if sum(map(len, [*parameters.values(), *sent.resources])) > LONGEST:
        raise BodyTooLarge
    return {**parameters, RESOURCE: list(sent.resources)} if sent.resources else parameters
