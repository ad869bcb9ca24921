"""Token exchange: an application that received a token of a person acts for them at another resource.

The new token is never wider than the received one. It names the application as the actor, rests on the same authorization,
and ends with it.

Source: RFC 8693, RFC 8707.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db import transaction

from auth_core.crypto.secrets import same
from auth_core.events import Event, record
from auth_core.oauth.clients.authorization_details import details_for_audience
from auth_core.oauth.clients.registry import RegisteredApplication, StaleApplication
from auth_core.oauth.clients.scopes import canonical, scopes_for_person, split_scope
from auth_core.oauth.errors import InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import Authorization, Resource
from auth_core.oauth.proofs.one_time import OneTime, spend_all
from auth_core.oauth.registries import find_scope
from auth_core.oauth.tokens.access_tokens import acting, issue_access_token
from auth_core.oauth.tokens.active_tokens import ActiveToken, judge, read_access_token
from auth_core.oauth.tokens.admission import why_not_admitted
from auth_core.request.client import Client

#: The only type of token that is exchanged and issued (RFC 8693 section 3). An ID token opens nothing, and so is none.
ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"  # noqa: S105 - the name of a type

#: Most actors in one token. Each of them can be followed in the trail, and a loop of services ends.
LONGEST_CHAIN = 4

#: Most resources of one token.
_MOST = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ExchangeRequest:
    """What an application asks for.

    Args:
        token: The token that it received.
        token_type: What it says that this is.
        requested_type: What it wants. Empty: an access token.
        has_actor: Whether it sent a token for the actor.
        scope: The parameter of that name. Empty: all that it may have.
        audiences: URIs of the resources that the token shall be for.
    """

    token: str
    token_type: str
    requested_type: str = ""
    has_actor: bool = False
    scope: str = ""
    audiences: Sequence[str] = ()


def exchange_token(
    application: RegisteredApplication,
    wanted: ExchangeRequest,
    *,
    client: Client,
    version: str = "",
    thumbprint: str = "",
    unspent: Sequence[OneTime] = (),
) -> dict[str, Any]:
    """Return a token with which *application* acts for the person of the token that it received. There is no refresh token.

    Args:
        version: What *application* must still be. Empty: it has just been read.
        thumbprint: Of the key that the request proved. The new token is bound to it. Empty: none.
        unspent: The assertion and the proof of the request.

    Raises:
        InvalidClient, InvalidDPoPProof: one of *unspent* was used before.
        StaleApplication: it has another version, or something is wrong. Nothing was changed.
        UnauthorizedClient: it is public, so anyone could be it.
        InvalidRequest: the token is not one that it may exchange (section 2.2.2).
        InvalidTarget, InvalidScope: it asks for more than the token, the person and its policy allow.
    """
    spend_all(unspent)
    if application.is_public:
        raise UnauthorizedClient
    received = _received(application, wanted, version)
    authorization = received.authorization
    if authorization is None:
        raise _refusal()
    rows = _resources(application, received, authorization, wanted.audiences)
    _check_received(application, received, authorization, thumbprint)
    scopes = _scopes(application, received.scopes, split_scope(wanted.scope), rows)
    audience = [row.uri for row in rows]
    access = issue_access_token(
        application,
        scopes=scopes,
        resources=rows,
        audience=audience,
        authorization=authorization,
        thumbprint=thumbprint,
        details=details_for_audience(received.claims.get("authorization_details", ()), audience),
        received=received.claims,
    )
    with transaction.atomic(durable=True):
        record(_exchanged(application, received, authorization, scopes, audience, client))
    return {
        "access_token": access.text,
        "issued_token_type": ACCESS_TOKEN,
        "token_type": access.type,
        "expires_in": int(access.lifetime.total_seconds()),
        "scope": " ".join(scopes),
    }


def _refusal() -> InvalidRequest:
    """Return one refusal for whatever is wrong with a token, so that no one learns more about it."""
    return InvalidRequest("The subject_token is not one that this client may exchange.")


def _received(application: RegisteredApplication, wanted: ExchangeRequest, version: str) -> ActiveToken:
    """Return the active token that *application* received. One statement, which also confirms a remembered application.

    Raises:
        StaleApplication, InvalidRequest, InvalidTarget: as in `exchange_token`.
    """
    try:
        _check_types(wanted)
        claims = read_access_token(wanted.token)
        token = None if claims is None else judge(claims, asked_by=application, is_whole=True)
        if token is None:
            raise _refusal()
    except (InvalidRequest, InvalidTarget) as problem:
        # A refusal is never made from memory.
        raise (StaleApplication if version else problem) from problem
    return token


def _resources(
    application: RegisteredApplication, received: ActiveToken, authorization: Authorization, audiences: Sequence[str]
) -> list[Resource]:
    """Return the resources that the new token is for. One statement, which also says whose the received one is.

    Raises:
        InvalidRequest: the received token is for no resource of *application*. Whoever else has it must not use it here.
        InvalidTarget: a resource is unknown, or not within what the person gave and the policy allows.
    """
    wanted = list(dict.fromkeys(map(canonical, audiences)))
    named = Resource.objects.filter(uri__in=[*wanted[: _MOST + 1], *received.audience], is_active=True)
    rows = {row.uri: row for row in named}
    own = {row.uri for row in rows.values() if row.application_id == application.pk}  # type: ignore[attr-defined]  # Django adds it
    if not own & set(received.audience):
        raise _refusal()
    allowed = set(application.exchange_audiences) & set(authorization.resources) & rows.keys()
    if len(wanted) > _MOST or not set(wanted) <= allowed:
        raise InvalidTarget
    return [rows[uri] for uri in wanted]


def _check_received(
    application: RegisteredApplication, received: ActiveToken, authorization: Authorization, thumbprint: str
) -> None:
    """Check that *application* itself may use the token, and may serve its person.

    Raises:
        InvalidRequest: the token is bound to a key that the request does not prove, too many have acted with it, or the person
            may not use *application* or has not proved what it requires.
    """
    if received.thumbprint and not same(received.thumbprint, thumbprint):
        raise _refusal()
    if len(_chain(acting(application, received.claims))) > LONGEST_CHAIN:
        raise _refusal()
    if why_not_admitted(authorization, application):
        raise _refusal()


def _scopes(
    application: RegisteredApplication, granted: Sequence[str], wanted: Sequence[str], resources: Sequence[Resource]
) -> list[str]:
    """Return the scopes of the new token: *wanted*, or all that the received one has and the policy allows.

    Raises:
        InvalidScope: there are none, or one is not among those.
    """
    allowed = [
        name
        for name in scopes_for_person(application, granted, resources)
        if name in application.own_scopes and not _is_of_provider(name)
    ]
    if not allowed or not set(wanted) <= set(allowed):
        raise InvalidScope
    return list(wanted or allowed)


def _is_of_provider(name: str) -> bool:
    """Return whether a scope opens something of this service itself, such as userinfo. It stays with the first application."""
    scope = find_scope(name)
    return scope is not None and scope.is_open


def _chain(act: Mapping[str, Any]) -> list[str]:
    """Return who acts, the present one first."""
    chain = [str(act.get("sub", ""))]
    while isinstance(act.get("act"), Mapping):
        act = act["act"]
        chain.append(str(act.get("sub", "")))
    return chain


def _exchanged(
    application: RegisteredApplication,
    received: ActiveToken,
    authorization: Authorization,
    scopes: Sequence[str],
    audience: Sequence[str],
    client: Client,
) -> Event:
    """Return the entry about it, with the person and the application that acts for them."""
    return Event(
        name=OAuthEvent.TOKEN_EXCHANGED,
        subject=authorization.user,
        session=authorization.session_id,
        application=application.id,
        client=client,
        data={
            "authorization": str(authorization.pk),
            "given_to": str(received.given_to or ""),
            "actor": str(authorization.actor_id or ""),
            "scope": " ".join(scopes),
            "resources": list(audience),
            "chain": _chain(acting(application, received.claims)),
        },
    )


def _check_types(wanted: ExchangeRequest) -> None:
    if wanted.token_type != ACCESS_TOKEN or wanted.requested_type not in ("", ACCESS_TOKEN):
        raise InvalidRequest("Only access tokens are exchanged, for access tokens.")
    if wanted.has_actor:
        raise InvalidRequest("The client itself is the actor. Send no actor_token.")
    if not wanted.audiences:
        raise InvalidTarget("Name the resource that the token shall be for.")
