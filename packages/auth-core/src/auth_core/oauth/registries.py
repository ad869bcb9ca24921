"""What packages and the site publish for this provider: scopes, and the claims about a person."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.module_loading import import_string

from auth_core.oauth.conf import oauth
from auth_core.registries import Registry

#: The scope of OpenID Connect, and the one that outlives a session.
OPENID = "openid"
OFFLINE_ACCESS = "offline_access"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scope:
    """A scope.

    Args:
        sentence: What people read before they consent, translated when shown.
        claims: Claims about the person that it opens at userinfo.
        is_for_people: Whether it is about a person. An application that acts for itself cannot have it.
        is_open: Whether every application may ask for it. Others must be listed in the policy of the application.
    """

    sentence: Any
    claims: tuple[str, ...] = ()
    is_for_people: bool = True
    is_open: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """A claim about a person.

    Args:
        value: Returns it for a user. ``None``: nothing is known, and the claim is left out.
        is_granted_by_name: Whether the parameter ``claims`` may ask for it without its scope.
    """

    value: Callable[[Any], Any]
    is_granted_by_name: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class DetailType:
    """A type of authorization details (RFC 9396 section 2).

    Args:
        sentence: What people read before they consent, translated when shown. The values of the details follow it.
        fields: Names of its own fields, besides the common ones of section 2.2.
        is_valid: Whether details of this type are right. They have no other fields, and are bounded in size and depth.
        describe: Returns what people read instead of `sentence` and the values. ``None``: those.
    """

    sentence: Any
    fields: frozenset[str] = frozenset()
    is_valid: Callable[[Mapping[str, Any]], bool] = bool
    describe: Callable[[Mapping[str, Any]], str] | None = None


#: Types of authorization details by name. `AUTH_OAUTH['AUTHORIZATION_DETAILS_TYPES']` adds to them.
detail_types: Registry[DetailType] = Registry("Type of authorization details")

#: Scopes by name. `AUTH_OAUTH['SCOPES']` and the resources add to them.
scopes: Registry[Scope] = Registry("Scope")

#: Claims by name. `AUTH_OAUTH['CLAIMS']` adds to them. What no one provides is absent.
claims: Registry[Claim] = Registry("Claim")


def find_scope(name: str) -> Scope | None:
    """Return the scope of that name, from the packages or from the site."""
    sentence = oauth.SCOPES.get(name)
    return scopes.get(name) if sentence is None else Scope(sentence=sentence, is_for_people=False)


def all_scopes() -> dict[str, Scope]:
    """Return every scope by its name, those of resources apart."""
    return {
        **dict(scopes.items()),
        **{name: Scope(sentence=text, is_for_people=False) for name, text in oauth.SCOPES.items()},
    }


def all_detail_types() -> dict[str, DetailType]:
    """Return every type of authorization details by its name."""
    of_site = {name: DetailType(sentence=text) for name, text in oauth.AUTHORIZATION_DETAILS_TYPES.items()}
    return {**dict(detail_types.items()), **of_site}


def all_claims() -> dict[str, Claim]:
    """Return every claim by its name."""
    of_site = {name: Claim(value=import_string(path)) for name, path in oauth.CLAIMS.items()}
    return {**dict(claims.items()), **of_site}
