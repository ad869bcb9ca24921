"""``POST /oauth/token``.

The order of the checks is that of RFC 9700 and FAPI 2: authenticate the client, spend the code or refresh token by a statement that
names the application, and only then look at the rest.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_core.oauth.clients.registry import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    REFRESH_TOKEN,
    RegisteredApplication,
)
from auth_core.oauth.clients.scopes import split_scope
from auth_core.oauth.endpoints.answers import endpoint, json_answer
from auth_core.oauth.endpoints.callers import Caller, refusals_recorded, with_cors
from auth_core.oauth.endpoints.parameters import Parameters
from auth_core.oauth.errors import UnauthorizedClient, UnsupportedGrantType
from auth_core.oauth.grants.client_credentials import issue_for_itself
from auth_core.oauth.grants.code import exchange_code
from auth_core.oauth.grants.refresh import refresh
from auth_core.request.client import Client

_Grant = Callable[[RegisteredApplication, Parameters, Client], Mapping[str, Any]]


@endpoint("POST", "OPTIONS")
@with_cors
def token(request: HttpRequest) -> HttpResponseBase:
    """Return tokens for what the client presents."""
    caller = Caller.authenticate(request)
    grant_type = caller.parameters.require("grant_type")
    with refusals_recorded(caller, endpoint="token", grant=grant_type if grant_type in GRANTS else ""):
        grant = GRANTS.get(grant_type)
        if grant is None:
            raise UnsupportedGrantType
        if grant_type not in caller.application.grants:
            raise UnauthorizedClient
        return json_answer(grant(caller.application, caller.parameters, caller.client))


def _code(application: RegisteredApplication, parameters: Parameters, client: Client) -> Mapping[str, Any]:
    return exchange_code(
        application,
        code=parameters.require("code"),
        verifier=parameters.get("code_verifier"),
        redirect_uri=parameters.get("redirect_uri"),
        resources=parameters.resources,
        client=client,
    )


def _refresh(application: RegisteredApplication, parameters: Parameters, client: Client) -> Mapping[str, Any]:
    return refresh(
        application,
        token=parameters.require("refresh_token"),
        scopes=split_scope(parameters.get("scope")),
        resources=parameters.resources,
        client=client,
    )


def _client_credentials(
    application: RegisteredApplication, parameters: Parameters, client: Client
) -> Mapping[str, Any]:
    scopes = split_scope(parameters.get("scope"))
    return issue_for_itself(application, scopes=scopes, resources=parameters.resources, client=client)


#: What can be granted here, by ``grant_type``. Discovery lists the same.
GRANTS: Mapping[str, _Grant] = {
    AUTHORIZATION_CODE: _code,
    REFRESH_TOKEN: _refresh,
    CLIENT_CREDENTIALS: _client_credentials,
}
