"""The metadata of a client as JSON, and the settings of an application that it stands for.

Source: RFC 7591 section 2, OpenID Connect Dynamic Client Registration section 2. Members that are not here are left out of the
registration, and the answer has what was registered.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from auth_core.errors import FieldError
from auth_core.oauth.clients.application_values import ApplicationValues
from auth_core.oauth.clients.registry import AUTHORIZATION_CODE
from auth_core.oauth.conf import HIGH
from auth_core.oauth.errors import (
    InvalidClientMetadata,
    InvalidRedirectUri,
    InvalidSoftwareStatement,
    UnapprovedSoftwareStatement,
)
from auth_core.oauth.models.application_policy import AuthMethod, SubjectType
from auth_core.oauth.proofs.assertions import ALGORITHMS
from auth_core.oauth_resource.tokens.compact import read_compact
from auth_core.oauth_resource.tokens.members import is_encodable

#: Members that are a text, a list of texts, or a flag, each with the setting of an application that it is.
_TEXTS = {
    "client_name": "name",
    "client_uri": "client_uri",
    "logo_uri": "logo_uri",
    "policy_uri": "policy_uri",
    "tos_uri": "tos_uri",
    "jwks_uri": "jwks_uri",
    "id_token_signed_response_alg": "id_token_algorithm",
    "userinfo_signed_response_alg": "userinfo_signed_response_alg",
    "sector_identifier_uri": "sector_identifier_uri",
    "backchannel_logout_uri": "backchannel_logout_uri",
}
_LISTS = {
    "redirect_uris": "redirect_uris",
    "post_logout_redirect_uris": "post_logout_redirect_uris",
    "grant_types": "grants",
    "authorization_details_types": "authorization_details_types",
}
_FLAGS = {
    "backchannel_logout_session_required": "backchannel_session_required",
    "require_pushed_authorization_requests": "require_par",
    "dpop_bound_access_tokens": "require_dpop",
}

#: Members that choose something of which there is one kind here, with what may be chosen. Left out is the same.
_FIXED: Mapping[str, tuple[str, ...]] = {
    "application_type": ("web", "native"),
    "token_endpoint_auth_signing_alg": ALGORITHMS,
}

#: Members that ask for what is not built. They are refused, because a client that left them out of the answer unread would
#: expect encrypted or signed messages, or accept others.
_NOT_BUILT = frozenset(
    {
        "id_token_encrypted_response_alg", "id_token_encrypted_response_enc", "userinfo_encrypted_response_alg",
        "userinfo_encrypted_response_enc", "tls_client_certificate_bound_access_tokens", "authorization_signed_response_alg",
    }
)  # fmt: skip

#: What the rules call a setting, and how metadata calls it.
_NAMES = {
    **{setting: member for members in (_TEXTS, _LISTS, _FLAGS) for member, setting in members.items()},
    "auth_method": "token_endpoint_auth_method",
    "jwks": "jwks",
    "scopes": "scope",
    "subject_type": "subject_type",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMetadata:
    """What a client wants to register.

    Args:
        settings: Of the application. Nothing but their types and bounds was checked.
        is_public: Whether it cannot keep a secret.
    """

    settings: dict[str, Any]
    is_public: bool


def read_metadata(
    members: Mapping[str, Any], *, allowed_scopes: Sequence[str], allowed_types: Sequence[str]
) -> ClientMetadata:
    """Return what *members* ask for. What is left out has its default, also on an update (RFC 7592 section 2.2).

    Args:
        allowed_scopes: The scopes that the application may have besides the open ones. Others are left out.
        allowed_types: The types of authorization details that it may ask for. Others are left out.

    Raises:
        InvalidClientMetadata: a member has a wrong type or value.
        InvalidSoftwareStatement, UnapprovedSoftwareStatement: there is a software statement.
    """
    _refuse_statement(members)
    for member in _NOT_BUILT & members.keys():
        raise InvalidClientMetadata(f"{member} is not supported.")
    for member, choices in _FIXED.items():
        if _text(members, member) not in ("", *choices):
            raise InvalidClientMetadata(f"{member} has a value that is not supported.")
    method = _text(members, "token_endpoint_auth_method") or AuthMethod.BASIC.value
    settings: dict[str, Any] = {setting: _text(members, member) for member, setting in _TEXTS.items()}
    settings |= {setting: _texts(members, member) for member, setting in _LISTS.items()}
    settings |= {setting: _flag(members, member, setting) for member, setting in _FLAGS.items()}
    settings["grants"] = settings["grants"] or [AUTHORIZATION_CODE]
    _check_response_types(_texts(members, "response_types"), settings["grants"])
    settings["scopes"] = [name for name in _text(members, "scope").split() if name in set(allowed_scopes)]
    types = settings["authorization_details_types"]
    settings["authorization_details_types"] = [name for name in types if name in set(allowed_types)]
    settings["subject_type"] = _text(members, "subject_type") or SubjectType.PUBLIC.value
    settings["auth_method"], settings["jwks"] = method, _jwks(members)
    settings["name"] = settings["name"] or _name_of(settings)
    if settings["jwks"] and settings["jwks_uri"]:
        raise InvalidClientMetadata("Send either jwks or jwks_uri.")
    return ClientMetadata(settings=settings, is_public=method == AuthMethod.NONE)


def metadata_of(values: ApplicationValues) -> dict[str, Any]:
    """Return the metadata of an application, as registered. Empty members are left out."""
    named: Mapping[str, Any] = values
    grants = list(values["grants"])
    members: dict[str, Any] = {
        member: named[setting]
        for mapping in (_TEXTS, _LISTS, _FLAGS)
        for member, setting in mapping.items()
        if named[setting] not in ("", [])
    }
    members |= {
        "token_endpoint_auth_method": AuthMethod.NONE.value
        if values["is_public"]
        else values["auth_method"] or AuthMethod.BASIC.value,
        "response_types": ["code"] if AUTHORIZATION_CODE in grants else [],
        "subject_type": values["subject_type"],
        "id_token_signed_response_alg": values["id_token_algorithm"]
        or ("ES256" if values["profile"] == HIGH else "RS256"),
    }
    if values["scopes"]:
        members["scope"] = " ".join(values["scopes"])
    if values["jwks"]:
        members["jwks"] = json.loads(values["jwks"])
    return members


def refuse(errors: Sequence[FieldError]) -> NoReturn:
    """Refuse metadata that breaks rules of registrations, under its own names.

    Raises:
        InvalidRedirectUri: a redirect address is among them.
        InvalidClientMetadata: otherwise.
    """
    sentences = [f"{_NAMES.get(error.field, error.field)}: {error.detail}" for error in errors]
    problem = InvalidRedirectUri if any(error.field == "redirect_uris" for error in errors) else InvalidClientMetadata
    raise problem(" ".join(sentences))


def _refuse_statement(members: Mapping[str, Any]) -> None:
    """Refuse a software statement: nobody here is trusted to sign one (section 2.3).

    Raises:
        InvalidSoftwareStatement: it is none.
        UnapprovedSoftwareStatement: it is one.
    """
    if "software_statement" not in members:
        return
    statement = members["software_statement"]
    if not isinstance(statement, str) or read_compact(statement) is None:
        raise InvalidSoftwareStatement
    raise UnapprovedSoftwareStatement


def _check_response_types(types: Sequence[str], grants: Sequence[str]) -> None:
    """Check that the response types fit the grant types (section 2.1).

    Raises:
        InvalidClientMetadata: they do not.
    """
    if set(types) - {"code"} or (types and AUTHORIZATION_CODE not in grants):
        raise InvalidClientMetadata("response_types do not fit grant_types. The only one is code.")


def _name_of(settings: Mapping[str, Any]) -> str:
    """Return the name of a client that states none: the host of its redirect address, which people see anyway."""
    first = next(iter(settings["redirect_uris"]), "")
    return first.partition("//")[2].partition("/")[0][:64] or "Application"


def _jwks(members: Mapping[str, Any]) -> str:
    stated = members.get("jwks")
    if stated is None:
        return ""
    if not isinstance(stated, dict):
        raise InvalidClientMetadata("jwks is not an object.")
    return json.dumps(stated, separators=(",", ":"))


def _text(members: Mapping[str, Any], member: str) -> str:
    value = members.get(member)
    if value is None:
        return ""
    if not _is_text(value):
        raise InvalidClientMetadata(f"{member} is not a text.")
    return str(value)


def _texts(members: Mapping[str, Any], member: str) -> list[str]:
    value = members.get(member)
    if value is None:
        return []
    if not isinstance(value, list) or not all(map(_is_text, value)):
        raise InvalidClientMetadata(f"{member} is not a list of texts.")
    return list(dict.fromkeys(value))


def _flag(members: Mapping[str, Any], member: str, setting: str) -> bool:
    value = members.get(member)
    if value is None:
        # An application is told the session unless it says otherwise, as by the other ways to register one.
        return setting == "backchannel_session_required"
    if not isinstance(value, bool):
        raise InvalidClientMetadata(f"{member} is neither true nor false.")
    return value


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\x00" not in value and is_encodable(value)
