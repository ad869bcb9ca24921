"""Which scopes and resources an application gets of those that it asks for."""

from collections.abc import Iterable, Sequence

from auth_core.oauth.clients.redirect_uris import why_not_allowed
from auth_core.oauth.clients.registry import REFRESH_TOKEN, RegisteredApplication
from auth_core.oauth.conf import oauth
from auth_core.oauth.errors import InvalidScope, InvalidTarget
from auth_core.oauth.models import Resource
from auth_core.oauth.registries import OFFLINE_ACCESS, find_scope
from auth_core.oauth_resource.tokens.claims import canonical_resource
from auth_core.text import Pattern

#: RFC 6749 section 3.3.
_SCOPE = Pattern(r"[\x21\x23-\x5B\x5D-\x7E]+", at_most=128)

#: Most scopes and resources of one request.
_MOST = 64


def is_scope(name: str) -> bool:
    """Return whether *name* can be a scope."""
    return _SCOPE.fullmatch(name) is not None


def split_scope(text: str) -> list[str]:
    """Return the scopes in a parameter, each once.

    Raises:
        InvalidScope: one is malformed, or there are too many.
    """
    names = list(dict.fromkeys(text.split(" "))) if text else []
    if len(names) > _MOST or not all(map(is_scope, names)):
        raise InvalidScope
    return names


def scopes_for_person(
    application: RegisteredApplication, wanted: Iterable[str], resources: Sequence[Resource] = ()
) -> list[str]:
    """Return the scopes of *wanted* that a person may give to *application*.

    Unknown scopes, and those that the application may not have, are left out (OpenID Connect Core section 3.1.2.1).
    """
    return [name for name in wanted if _may_have(application, name, resources)]


def scopes_for_itself(
    application: RegisteredApplication, wanted: Iterable[str], resources: Sequence[Resource] = ()
) -> list[str]:
    """Return *wanted*, or all scopes that *application* may use for itself if it asks for none.

    Raises:
        InvalidScope: it asks for one that is about a person, that is unknown, or that it may not have.
    """
    names = list(wanted)
    if not names:
        return sorted(name for name in application.own_scopes if _is_for_itself(application, name, resources))
    if not all(_is_for_itself(application, name, resources) for name in names):
        raise InvalidScope
    return names


def narrowed(granted: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Return *wanted*, or *granted* if nothing was asked for.

    Raises:
        InvalidScope: it asks for more than was granted (RFC 6749 section 6).
    """
    if not set(wanted) <= set(granted):
        raise InvalidScope
    return list(wanted or granted)


def find_resources(uris: Sequence[str]) -> list[Resource]:
    """Return the resources with these URIs, in order. The issuer itself is one, and has no row.

    Raises:
        InvalidTarget: one is unknown or disabled.
    """
    wanted = [uri for uri in dict.fromkeys(map(canonical, uris)) if uri != oauth.issuer]
    if not wanted:
        return []
    if len(wanted) > _MOST:
        raise InvalidTarget
    rows = {row.uri: row for row in Resource.objects.filter(uri__in=wanted, is_active=True)}
    if set(wanted) - set(rows):
        raise InvalidTarget
    return [rows[uri] for uri in wanted]


def canonical(uri: str) -> str:
    """Return a resource URI as it is stored: ``https://h`` and ``https://h/`` are one.

    Raises:
        InvalidTarget: it is no absolute URI, or it has a fragment (RFC 8707 section 2).
    """
    if "#" in uri or "://" not in uri or len(uri) > 512:  # noqa: PLR2004 - the width of the column
        raise InvalidTarget
    return canonical_resource(uri)


def why_no_audience(uri: str) -> str:
    """Return why no token is exchanged for *uri*. Empty if one may be.

    The issuer is none: what a person does at this service itself, they do themselves.
    """
    try:
        is_canonical = canonical(uri) == uri
    except InvalidTarget:
        is_canonical = False
    if not is_canonical or uri == oauth.issuer or not uri.startswith(("https://", "http://")):
        return "invalid"
    return why_not_allowed(uri)


def _may_have(application: RegisteredApplication, name: str, resources: Sequence[Resource]) -> bool:
    scope = find_scope(name)
    if name == OFFLINE_ACCESS:
        return REFRESH_TOKEN in application.grants
    if scope is not None and scope.is_open:
        return True
    is_defined = scope is not None or any(name in resource.scopes for resource in resources)
    return is_defined and name in application.own_scopes


def _is_for_itself(application: RegisteredApplication, name: str, resources: Sequence[Resource]) -> bool:
    scope = find_scope(name)
    if scope is not None and scope.is_for_people:
        return False
    return _may_have(application, name, resources)
