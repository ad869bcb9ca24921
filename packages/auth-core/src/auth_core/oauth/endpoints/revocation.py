"""``POST /oauth/revoke``.

Source: RFC 7009. A store that fails is a 503, never a 200: the client would forget a token that lives on.
"""

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from auth_core.oauth.endpoints.answers import endpoint
from auth_core.oauth.endpoints.callers import Caller, refusals_recorded, with_cors
from auth_core.oauth.grants.revocation import revoke as revoke_token


@endpoint("POST", "OPTIONS")
@with_cors
def revoke(request: HttpRequest) -> HttpResponseBase:
    """Revoke a token of the caller."""
    caller = Caller.authenticate(request)
    with refusals_recorded(caller, endpoint="revoke"):
        revoke_token(caller.application, caller.parameters.require("token"), caller.client)
    return HttpResponse(headers={"Cache-Control": "no-store"})
