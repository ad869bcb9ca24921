"""What a stored request asks for, checked.

Source: OAuth 2.1 section 4.1.1, OpenID Connect Core section 3.1.2.1, RFC 7636, RFC 8707, RFC 9396.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from auth_core.assurance.levels import Assurance
from auth_core.oauth.authorization.claims_parameter import essential_values, parse_claims
from auth_core.oauth.authorization.errors import (
    RequestNotSupported,
    RequestUriNotSupported,
    UnsupportedResponseType,
)
from auth_core.oauth.authorization.parameters import RESOURCE, text_of
from auth_core.oauth.clients.authorization_details import details_for_person, parse_details
from auth_core.oauth.clients.registry import AUTHORIZATION_CODE, RegisteredApplication
from auth_core.oauth.clients.scopes import canonical, find_resources, scopes_for_person, split_scope
from auth_core.oauth.errors import InvalidRequest, UnauthorizedClient
from auth_core.oauth.grants.code import CHALLENGE
from auth_core.oauth.models import AuthorizationRequest, DeviceRequest, Resource
from auth_core.oauth.tokens import signatures
from auth_core.text import Pattern

NONE, LOGIN, CONSENT, SELECT_ACCOUNT = "none", "login", "consent", "select_account"
_PROMPTS = frozenset({NONE, LOGIN, CONSENT, SELECT_ACCOUNT})

RESPONSE_MODES = ("query", "form_post")

#: Seconds, up to some 30 years.
_SECONDS = Pattern(r"[0-9]{1,9}", at_most=9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What a request asks for.

    Args:
        scopes: The scopes that a person may give to this application, in the order of the request.
        resource_uris: What tokens shall be for, in canonical form.
        resources: The rows of those that are not the issuer itself.
        prompts: What the client wants the person to be asked.
        max_age: How old the login of the person may be.
        levels: The voluntary levels of assurance. Any of them suffices.
        essential_levels: The levels of which one must be reached. ``None``: none must.
        claims: The parameter of that name.
        hint_subject: The person that the client expects, as it knows them.
        authorization_details: The parameter of that name, whose types the application may ask for.
    """

    row: AuthorizationRequest | DeviceRequest
    application: RegisteredApplication
    scopes: tuple[str, ...]
    resource_uris: tuple[str, ...] = ()
    resources: Sequence[Resource] = ()
    prompts: frozenset[str] = frozenset()
    max_age: timedelta | None = None
    levels: tuple[Assurance, ...] = ()
    essential_levels: tuple[Assurance, ...] | None = None
    claims: dict[str, Any] = field(default_factory=dict)
    hint_subject: str = ""
    authorization_details: Sequence[dict[str, Any]] = ()


def is_silent(parameters: Mapping[str, Any]) -> bool:
    """Return whether the client forbids every page (``prompt=none``)."""
    return NONE in text_of(parameters, "prompt").split()


def read_details(row: AuthorizationRequest, application: RegisteredApplication) -> Details:
    """Return what *row* asks for, by the rules and the rows of now.

    Raises:
        OAuthError: a parameter is missing, invalid or not supported.
    """
    parameters = row.parameters
    _check_protocol(parameters, application)
    resources = find_resources(uris := parameters.get(RESOURCE, []))
    claims = parse_claims(text_of(parameters, "claims"))
    essential = essential_values(claims, "acr")
    resource_uris = tuple(dict.fromkeys(map(canonical, uris)))
    authorization_details = parse_details(text_of(parameters, "authorization_details"))
    details_for_person(application, authorization_details, resource_uris)
    return Details(
        row=row,
        application=application,
        scopes=tuple(scopes_for_person(application, split_scope(text_of(parameters, "scope")), resources)),
        resource_uris=resource_uris,
        resources=resources,
        prompts=_prompts(parameters),
        max_age=_max_age(parameters),
        levels=_levels(text_of(parameters, "acr_values").split()),
        essential_levels=None if essential is None else _levels(essential),
        claims=claims,
        hint_subject=_hint_subject(parameters, application),
        authorization_details=authorization_details,
    )


def _check_protocol(parameters: Mapping[str, Any], application: RegisteredApplication) -> None:
    """Check what does not depend on the person.

    Raises:
        UnauthorizedClient, UnsupportedResponseType, RequestNotSupported, RequestUriNotSupported, InvalidRequest: see there.
    """
    if AUTHORIZATION_CODE not in application.grants:
        raise UnauthorizedClient
    if text_of(parameters, "request"):
        raise RequestNotSupported
    if text_of(parameters, "request_uri"):
        raise RequestUriNotSupported
    response_type = text_of(parameters, "response_type")
    if not response_type:
        raise InvalidRequest("The parameter response_type is missing.")
    if response_type != "code":
        raise UnsupportedResponseType
    if text_of(parameters, "response_mode") not in ("", *RESPONSE_MODES):
        raise InvalidRequest("The response mode is not supported.")
    if text_of(parameters, "dpop_jkt") and not CHALLENGE.fullmatch(text_of(parameters, "dpop_jkt")):
        raise InvalidRequest("The parameter dpop_jkt is not the thumbprint of a key.")
    _check_challenge(parameters)


def _check_challenge(parameters: Mapping[str, Any]) -> None:
    """Check the proof that binds the code to the client (RFC 7636). No client goes without it.

    Raises:
        InvalidRequest: it is missing, malformed or ``plain``.
    """
    if text_of(parameters, "code_challenge_method") != "S256":
        raise InvalidRequest("Send a code_challenge with the method S256.")
    if not CHALLENGE.fullmatch(text_of(parameters, "code_challenge")):
        raise InvalidRequest("The code_challenge is not one of S256.")


def _prompts(parameters: Mapping[str, Any]) -> frozenset[str]:
    prompts = frozenset(text_of(parameters, "prompt").split())
    if not prompts <= _PROMPTS or (NONE in prompts and len(prompts) > 1):
        raise InvalidRequest("The parameter prompt is not valid.")
    return prompts


def _max_age(parameters: Mapping[str, Any]) -> timedelta | None:
    text = text_of(parameters, "max_age")
    if not text:
        return None
    if not _SECONDS.fullmatch(text):
        raise InvalidRequest("The parameter max_age is not a number of seconds.")
    return timedelta(seconds=int(text))


def _levels(names: Sequence[str]) -> tuple[Assurance, ...]:
    """Return the known levels among *names*. Clients may list those of other providers."""
    levels = {level.acr: level for level in Assurance if level}
    return tuple(levels[name] for name in names if name in levels)


def _hint_subject(parameters: Mapping[str, Any], application: RegisteredApplication) -> str:
    """Return the person that an ID token of ours names. It may have expired.

    Raises:
        InvalidRequest: it is not one that this application got.
    """
    hint = text_of(parameters, "id_token_hint")
    if not hint:
        return ""
    claims = signatures.read(hint, type_=signatures.ID, is_expiry_checked=False)
    if claims is None or claims.get("aud") != application.client_id:
        raise InvalidRequest("The id_token_hint is not an ID token for this client.")
    return str(claims.get("sub", ""))
