"""System checks of this app. They run in a plain ``manage.py check``."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's name
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from auth_core.oauth_resource.conf import resource
from auth_core.oauth_resource.issuers.introspection import LONGEST_CACHE
from auth_core.oauth_resource.issuers.issuer import configured_issuers, is_safe_url, problems
from auth_core.oauth_resource.metadata.document import OFFLINE_ACCESS, metadata_path
from auth_core.oauth_resource.registries import token_store


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse unknown keys of ``AUTH_RESOURCE``."""
    return resource.unknown_key_errors("auth_oauth_resource.E001")


@register()
def check_resource(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a site that does not say which resource server it is: it would accept no token."""
    if is_safe_url(resource.RESOURCE):
        return []
    hint = "Set it to the address that clients use, such as 'https://api.example.org'. It is the audience of tokens."
    message = f"AUTH_RESOURCE['RESOURCE'] is {resource.RESOURCE!r}, which is not an https URL."
    return [Error(message, hint=hint, id="auth_oauth_resource.E002")]


@register()
def check_issuers(**kwargs: Any) -> list[CheckMessage]:
    """Refuse issuers that cannot be used, and a site without one."""
    hint = "For example {'https://auth.example.org': {}}, exactly as in the claim `iss`."
    return [
        Error(f"AUTH_RESOURCE['ISSUERS']: {problem}.", hint=hint, id="auth_oauth_resource.E003")
        for problem in problems()
    ]


@register()
def check_person(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a function that cannot be imported, because the first request with a token would fail."""
    if not resource.PERSON:
        return []
    try:
        found: Callable[..., Any] = import_string(resource.PERSON)
    except ImportError as problem:
        return [Error(f"AUTH_RESOURCE['PERSON']: {problem}.", id="auth_oauth_resource.E004")]
    if callable(found):
        return []
    return [Error("AUTH_RESOURCE['PERSON'] is not a function.", id="auth_oauth_resource.E004")]


@register()
def check_values(**kwargs: Any) -> list[CheckMessage]:
    """Refuse values that would weaken what they configure."""
    return [Error(message, hint=hint, id="auth_oauth_resource.E005") for message, hint in _values()]


@register()
def check_opaque_tokens(**kwargs: Any) -> list[CheckMessage]:
    """Warn of several issuers that are asked about tokens: an opaque one does not say whose it is."""
    if list(problems()):
        return []
    introspecting = [issuer.url for issuer in configured_issuers().values() if issuer.is_introspecting]
    if len(introspecting) < 2:  # noqa: PLR2004 - one is enough to know whose a token is
        return []
    hint = "Let all but one of them issue JWTs."
    message = f"Opaque tokens are refused, because several issuers have introspection: {', '.join(introspecting)}."
    return [Warning(message, hint=hint, id="auth_oauth_resource.W001")]


@register()
def check_metadata_address(**kwargs: Any) -> list[CheckMessage]:
    """Warn of metadata that no address leads to. Every challenge names it (RFC 9728 section 5.1)."""
    if check_resource():
        return []
    try:
        name = "metadata" if urlsplit(resource.RESOURCE).path in ("", "/") else "metadata-of-path"
        inserted = metadata_path().partition("oauth-protected-resource/")[2]
        found = reverse(f"oauth-resource:{name}", kwargs={"inserted": inserted} if inserted else {})
    except NoReverseMatch:
        found = ""
    if found.endswith(metadata_path()):
        return []
    hint = "Add path('', include('auth_core.oauth_resource.urls')) to the URLconf of the site."
    return [Warning(f"Nothing answers {metadata_path()}.", hint=hint, id="auth_oauth_resource.W002")]


def _values() -> Iterator[tuple[str, str]]:
    if OFFLINE_ACCESS in resource.SCOPES:
        yield (
            f"AUTH_RESOURCE['SCOPES'] lists {OFFLINE_ACCESS}.",
            "Remove it: it is between the client and the issuer, and the metadata never lists it.",
        )
    if not resource.DPOP_NONCE_REQUIRED and token_store() is None:
        yield (
            "AUTH_RESOURCE['DPOP_NONCE_REQUIRED'] is off, and there is no provider in this site.",
            "Remove it: nothing else limits how often a proof is used. Proofs need a nonce regardless.",
        )
    if not 0 <= resource.INTROSPECTION_CACHE.total_seconds() <= LONGEST_CACHE.total_seconds():
        yield (
            "AUTH_RESOURCE['INTROSPECTION_CACHE'] is not between 0 and 30 seconds.",
            "A revocation is seen after it. With 0 each request asks the issuer.",
        )
