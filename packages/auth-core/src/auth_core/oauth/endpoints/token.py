"""``POST /oauth/token``.

The order of the checks is that of RFC 9700 and FAPI 2: authenticate the client, check the nonce of its proof, spend the
assertion, the proof, and the code or refresh token by statements that name the application, and only then look at the rest.
"""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_core.oauth.clients.registry import (
    AUTHORIZATION_CODE,
    CLIENT_CREDENTIALS,
    DEVICE_CODE,
    REFRESH_TOKEN,
    TOKEN_EXCHANGE,
    StaleApplication,
    confirm,
)
from auth_core.oauth.clients.scopes import split_scope
from auth_core.oauth.conf import oauth
from auth_core.oauth.device_grant.exchange import exchange_device_code
from auth_core.oauth.endpoints.answers import endpoint, json_answer
from auth_core.oauth.endpoints.callers import Caller, refusals_recorded, with_cors, with_nonce
from auth_core.oauth.errors import (
    InvalidAuthorizationDetails,
    InvalidDPoPProof,
    OAuthError,
    UnauthorizedClient,
    UnsupportedGrantType,
)
from auth_core.oauth.grants.client_credentials import issue_for_itself
from auth_core.oauth.grants.code import exchange_code, exchange_if_granted
from auth_core.oauth.grants.exchange import ExchangeRequest, exchange_token
from auth_core.oauth.grants.refresh import refresh, refresh_if_granted
from auth_core.oauth.proofs.one_time import spend_all

#: What a client presents, by ``grant_type``. The statement that reads or spends it reads the version of the application.
_PRESENTED = {AUTHORIZATION_CODE: "code", REFRESH_TOKEN: "refresh_token", TOKEN_EXCHANGE: "subject_token"}

#: What a request must have, by ``grant_type``.
_NEEDED = {**_PRESENTED, DEVICE_CODE: "device_code"}

_Grant = Callable[[Caller], Mapping[str, Any]]


@endpoint("POST", "OPTIONS")
@with_cors
@with_nonce
def token(request: HttpRequest) -> HttpResponseBase:
    """Return tokens for what the client presents."""
    return json_answer(Caller.answer(request, _tokens, spends_later=True))


def granted_tokens(request: HttpRequest) -> Mapping[str, Any] | None:
    """Return what `token` answers to a caller that this process remembers, if nothing is refused.

    ``None``: anything else, such as every refusal. Nothing was changed, so the view can still answer. It is for a layer
    before Django.
    """
    try:
        caller = Caller.remembered(request)
        grant_type = "" if caller is None else caller.parameters.get("grant_type")
        if caller is None or grant_type not in _IF_GRANTED or grant_type not in caller.application.grants:
            return None
        return _IF_GRANTED[grant_type](caller)
    except (OAuthError, StaleApplication):
        return None


def _tokens(caller: Caller) -> Mapping[str, Any]:
    """Return the tokens.

    Raises:
        StaleApplication: the caller is remembered, and has changed.
    """
    grant_type = caller.parameters.get("grant_type")
    if caller.is_remembered and not _confirms(caller, grant_type):
        confirm(caller.application)
    with refusals_recorded(caller, endpoint="token", grant=grant_type if grant_type in offered_grants() else ""):
        caller = caller.with_sender()
        try:
            grant = _grant_of(caller, grant_type)
        except OAuthError:
            # What was presented must not be used for another request.
            spend_all(caller.unspent)
            raise
        return grant(caller)


def _grant_of(caller: Caller, grant_type: str) -> _Grant:
    """Return the grant that *caller* may use, with everything that it needs.

    Raises:
        OAuthError: something is missing, or it may not.
    """
    caller.parameters.require("grant_type")
    grant = offered_grants().get(grant_type)
    if grant is None:
        raise UnsupportedGrantType
    if grant_type not in caller.application.grants:
        raise UnauthorizedClient
    if grant_type in _NEEDED:
        caller.parameters.require(_NEEDED[grant_type])
    if caller.application.must_prove_key and not caller.sender.thumbprint:
        raise InvalidDPoPProof
    return grant


def _confirms(caller: Caller, grant_type: str) -> bool:
    """Return whether a statement reads the version of a remembered caller before anything is refused or changed."""
    needed = _PRESENTED.get(grant_type, "")
    return bool(caller.parameters.get(needed)) and grant_type in caller.application.grants


def _code(caller: Caller) -> Mapping[str, Any]:
    return exchange_code(
        caller.application,
        code=caller.parameters.require("code"),
        verifier=caller.parameters.get("code_verifier"),
        redirect_uri=caller.parameters.get("redirect_uri"),
        resources=caller.parameters.resources,
        client=caller.client,
        authorization_details=caller.parameters.get("authorization_details"),
        version=caller.version,
        thumbprint=caller.sender.thumbprint,
        unspent=caller.unspent,
    )


def _refresh(caller: Caller) -> Mapping[str, Any]:
    return refresh(
        caller.application,
        token=caller.parameters.require("refresh_token"),
        scope=caller.parameters.get("scope"),
        resources=caller.parameters.resources,
        client=caller.client,
        authorization_details=caller.parameters.get("authorization_details"),
        version=caller.version,
        thumbprint=caller.sender.thumbprint,
        unspent=caller.unspent,
    )


def _exchange(caller: Caller) -> Mapping[str, Any]:
    sent = caller.parameters
    return exchange_token(
        caller.application,
        ExchangeRequest(
            token=sent.require("subject_token"),
            token_type=sent.get("subject_token_type"),
            requested_type=sent.get("requested_token_type"),
            has_actor=bool(sent.get("actor_token") or sent.get("actor_token_type")),
            scope=sent.get("scope"),
            audiences=[*sent.resources, *sent.audiences],
        ),
        client=caller.client,
        version=caller.version,
        thumbprint=caller.sender.thumbprint,
        unspent=caller.unspent,
    )


def _code_if_granted(caller: Caller) -> Mapping[str, Any]:
    return exchange_if_granted(
        caller.application,
        code=caller.parameters.get("code"),
        verifier=caller.parameters.get("code_verifier"),
        redirect_uri=caller.parameters.get("redirect_uri"),
        resources=caller.parameters.resources,
        client=caller.client,
        authorization_details=caller.parameters.get("authorization_details"),
    )


def _refresh_if_granted(caller: Caller) -> Mapping[str, Any]:
    return refresh_if_granted(
        caller.application,
        token=caller.parameters.get("refresh_token"),
        scope=caller.parameters.get("scope"),
        resources=caller.parameters.resources,
        client=caller.client,
        authorization_details=caller.parameters.get("authorization_details"),
    )


def _confirmed_client_credentials(caller: Caller) -> Mapping[str, Any]:
    confirm(caller.application)
    return _client_credentials(caller)


def _client_credentials(caller: Caller) -> Mapping[str, Any]:
    if caller.parameters.get("authorization_details"):
        spend_all(caller.unspent)
        raise InvalidAuthorizationDetails("Authorization details come from a person.")
    return issue_for_itself(
        caller.application,
        scopes=split_scope(caller.parameters.get("scope")),
        resources=caller.parameters.resources,
        client=caller.client,
        thumbprint=caller.sender.thumbprint,
        unspent=caller.unspent,
    )


def _device_code(caller: Caller) -> Mapping[str, Any]:
    return exchange_device_code(
        caller.application,
        code=caller.parameters.require("device_code"),
        resources=caller.parameters.resources,
        client=caller.client,
        authorization_details=caller.parameters.get("authorization_details"),
        thumbprint=caller.sender.thumbprint,
        unspent=caller.unspent,
    )


_GRANTS: Mapping[str, _Grant] = {
    AUTHORIZATION_CODE: _code,
    REFRESH_TOKEN: _refresh,
    CLIENT_CREDENTIALS: _client_credentials,
    TOKEN_EXCHANGE: _exchange,
}

#: The same for a remembered caller. They change nothing if they raise an exception. Others, such as device codes and the exchange of
#: tokens, are not granted before Django.
_IF_GRANTED: Mapping[str, _Grant] = {
    AUTHORIZATION_CODE: _code_if_granted,
    REFRESH_TOKEN: _refresh_if_granted,
    CLIENT_CREDENTIALS: _confirmed_client_credentials,
}


def offered_grants() -> Mapping[str, _Grant]:
    """Return what can be granted here, by ``grant_type``. Discovery lists the same."""
    return {**_GRANTS, DEVICE_CODE: _device_code} if oauth.has_device_grant else _GRANTS
