"""What clients read first: discovery and the public keys.

Everything is generated from what is on: an endpoint is listed if it is routed, a scope if something provides its claims.

Source: OpenID Connect Discovery section 3, RFC 8414, RFC 8628, RFC 9126, RFC 9207, RFC 9396, RFC 9449.
"""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_core.assurance.levels import Assurance
from auth_core.crypto.signature_algorithms import STRONG_ALGORITHMS
from auth_core.oauth.conf import oauth
from auth_core.oauth.endpoints.answers import address_of, endpoint, public_answer
from auth_core.oauth.endpoints.token import offered_grants
from auth_core.oauth.keys.key_set import key_set
from auth_core.oauth.keys.subjects import has_subject_key
from auth_core.oauth.models.application_policy import AuthMethod, SubjectType
from auth_core.oauth.proofs import assertions
from auth_core.oauth.registries import all_claims, all_detail_types, all_scopes
from auth_core.oauth_resource.proofs import dpop

_LIFETIME = timedelta(hours=1)

#: Members of the metadata, by the name of the route. Other modules of this app add theirs by routing them.
_ENDPOINTS = {
    "authorize": "authorization_endpoint",
    "par": "pushed_authorization_request_endpoint",
    "token": "token_endpoint",
    "device-authorization": "device_authorization_endpoint",
    "introspect": "introspection_endpoint",
    "revoke": "revocation_endpoint",
    "userinfo": "userinfo_endpoint",
    "jwks": "jwks_uri",
    "logout": "end_session_endpoint",
    "register": "registration_endpoint",
}  # fmt: skip

#: What has been decided for every client. The claims of a token itself are those of ID tokens.
_OF_ID_TOKENS = ("sub", "iss", "aud", "exp", "iat", "auth_time", "nonce", "acr", "amr", "sid", "at_hash")


@endpoint("GET", "HEAD")
def jwks(request: HttpRequest) -> HttpResponseBase:
    """Return the keys that verify tokens. Any cache may keep them for `JWKS_LIFETIME`."""
    return public_answer(provider_keys(), lifetime=oauth.JWKS_LIFETIME)


@endpoint("GET", "HEAD")
def metadata(request: HttpRequest) -> HttpResponseBase:
    """Return the metadata. Both addresses have the same members, because each specification allows those of the other."""
    return public_answer(provider_metadata(), lifetime=_LIFETIME)


def provider_keys() -> Mapping[str, Any]:
    """Return the public keys of this provider, as clients read them."""
    return key_set().jwks


def provider_metadata() -> Mapping[str, Any]:
    """Return the metadata of this provider. The Host header decides nothing in it."""
    endpoints = {member: url for name, member in _ENDPOINTS.items() if _is_on(name) and (url := address_of(name))}
    methods, algorithms = _methods(), _assertion_algorithms()
    return {
        "issuer": oauth.issuer,
        **endpoints,
        "grant_types_supported": list(offered_grants()),
        "response_types_supported": ["code"],
        "subject_types_supported": _subject_types(),
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": [*methods, *_public()],
        "token_endpoint_auth_signing_alg_values_supported": algorithms,
        "introspection_endpoint_auth_methods_supported": methods,
        "introspection_endpoint_auth_signing_alg_values_supported": algorithms,
        "revocation_endpoint_auth_methods_supported": [*methods, *_public()],
        "revocation_endpoint_auth_signing_alg_values_supported": algorithms,
        "dpop_signing_alg_values_supported": list(dpop.ALGORITHMS),
        "id_token_signing_alg_values_supported": _id_token_algorithms(),
        **(
            {"userinfo_signing_alg_values_supported": _id_token_algorithms()}
            if "userinfo_endpoint" in endpoints
            else {}
        ),
        "scopes_supported": _scopes(),
        "claims_supported": sorted({*_OF_ID_TOKENS, *all_claims()}),
        "claim_types_supported": ["normal"],
        "claims_parameter_supported": True,
        "acr_values_supported": [level.acr for level in Assurance if level],
        # Absent means true for the second.
        "request_parameter_supported": False,
        "request_uri_parameter_supported": False,
        **(_of_pushed() if "pushed_authorization_request_endpoint" in endpoints else {}),
        **(_of_authorization() if "authorization_endpoint" in endpoints else {}),
        **(_of_logout() if "end_session_endpoint" in endpoints else {}),
    }


def _subject_types() -> list[str]:
    """Return which ids of people an application may have. Without its key none are pairwise."""
    return [each.value for each in SubjectType if each != SubjectType.PAIRWISE or has_subject_key()]


def _methods() -> list[str]:
    """Return how an application with credentials authenticates."""
    with_secret = [] if oauth.is_high else [AuthMethod.BASIC.value, AuthMethod.POST.value]
    return [*with_secret, AuthMethod.PRIVATE_KEY.value]


def _public() -> list[str]:
    return [] if oauth.is_high else [AuthMethod.NONE.value]


def _assertion_algorithms() -> list[str]:
    return list(STRONG_ALGORITHMS if oauth.is_high else assertions.ALGORITHMS)


def _id_token_algorithms() -> list[str]:
    algorithms = key_set().algorithms
    return [name for name in algorithms if name in STRONG_ALGORITHMS] if oauth.is_high else algorithms


def _of_pushed() -> dict[str, Any]:
    """Say whether every application must push its requests. One that must by its own policy knows it."""
    return {"require_pushed_authorization_requests": oauth.is_high}


def _of_authorization() -> dict[str, Any]:
    return {
        "response_modes_supported": ["query", "form_post"],
        "prompt_values_supported": ["none", "login", "consent", "select_account"],
        "display_values_supported": ["page"],
        "authorization_response_iss_parameter_supported": True,
        **({"client_id_metadata_document_supported": True} if oauth.accepts_documents else {}),
        **({"authorization_details_types_supported": sorted(types)} if (types := all_detail_types()) else {}),
    }


def _of_logout() -> dict[str, Any]:
    """Front-channel logout is not offered: browsers keep the cookies of other sites from its frames."""
    return {"backchannel_logout_supported": True, "backchannel_logout_session_supported": True}


def _scopes() -> list[str]:
    """Return the scopes that open something. One whose claims no package and no site provides is accepted, and not listed."""
    provided = {"sub", *all_claims()}
    return [name for name, scope in all_scopes().items() if not scope.claims or provided.intersection(scope.claims)]


def _is_on(name: str) -> bool:
    """Return whether the endpoint *name* answers, if it is routed."""
    return {"register": oauth.DYNAMIC_REGISTRATION, "device-authorization": oauth.has_device_grant}.get(name, True)
