"""The providers that the site has configured, in their order."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.utils.module_loading import import_string
from django.utils.translation import gettext as _

from auth_core.federation.conf import federation
from auth_core.federation.providers.apple import AppleProvider
from auth_core.federation.providers.base import LISTS, OPTIONS, Provider, text_options
from auth_core.federation.providers.github import GitHubProvider
from auth_core.federation.providers.gitlab import GitLabProvider
from auth_core.federation.providers.google import GoogleProvider
from auth_core.federation.providers.linkedin import LinkedInProvider
from auth_core.federation.providers.microsoft import MicrosoftProvider
from auth_core.federation.providers.oauth2 import OAuth2Provider
from auth_core.federation.providers.openid import OpenIDProvider
from auth_core.text import Pattern

#: The kinds that have a short name.
KINDS: Mapping[str, type[Provider]] = {
    "apple": AppleProvider,
    "github": GitHubProvider,
    "gitlab": GitLabProvider,
    "google": GoogleProvider,
    "linkedin": LinkedInProvider,
    "microsoft": MicrosoftProvider,
    "oauth2": OAuth2Provider,
    "openid": OpenIDProvider,
}

_SLUG = Pattern(r"[a-z0-9]+(?:-[a-z0-9]+)*", at_most=64)
_TYPES: Mapping[str, type] = {"enabled": bool, "sign_up": bool, "order": int}


def find_provider(slug: str) -> Provider | None:
    """Return the provider with this name, whether it is enabled or not. ``None``: there is none."""
    options = federation.PROVIDERS.get(slug)
    return None if options is None else _provider(slug, options)


def usable_provider(slug: str) -> Provider | None:
    """Return the provider with this name, or ``None`` if it signs no one in."""
    provider = find_provider(slug)
    return provider if provider is not None and provider.is_active else None


def usable_providers() -> list[Provider]:
    """Return the providers that sign people in, in their order."""
    providers = (_provider(slug, options) for slug, options in federation.PROVIDERS.items())
    return sorted((each for each in providers if each.is_active), key=lambda each: each.options.order)


def is_usable(slug: str) -> bool:
    """Return whether the provider with this name signs people in."""
    return usable_provider(slug) is not None


def name_of(slug: str) -> str:
    """Return what people read as the name of a provider, also of one that is gone."""
    provider = find_provider(slug)
    return slug if provider is None else provider.name


def name_in_mail(slug: str) -> str:
    """Return the name of a provider for a mail. It comes from the settings, and never from the event."""
    provider = find_provider(slug)
    return _("an identity provider") if provider is None else provider.name


def problems() -> Iterator[tuple[str, str]]:
    """Yield the name of each provider that cannot work, and what is wrong with it."""
    for slug, options in federation.PROVIDERS.items():
        yield from ((slug, problem) for problem in _problems(slug, options))


def _problems(slug: str, options: Mapping[str, Any]) -> Iterator[str]:
    if not _SLUG.fullmatch(slug):
        yield "the name is not made of small letters, digits and hyphens"
    if unknown := sorted(set(options) - OPTIONS):
        yield f"unknown options: {', '.join(unknown)}"
    wrong = sorted(name for name, value in options.items() if name in OPTIONS and not _is_of_type(name, value))
    yield from (f"{name} has the wrong type" for name in wrong)
    try:
        _class_of(str(options.get("kind", "")))
    except ImportError:
        yield f"unknown kind. Known: {', '.join(KINDS)}, or the dotted path of a class"
        return
    if not unknown and not wrong:
        yield from _provider(slug, {"client_id": "", **options}).problems()


def _is_of_type(name: str, value: Any) -> bool:
    if name in LISTS:
        return isinstance(value, list | tuple) and all(isinstance(each, str) for each in value)
    return isinstance(value, _TYPES.get(name, str))


def _provider(slug: str, options: Mapping[str, Any]) -> Provider:
    return _class_of(options["kind"])(slug, text_options(options))


def _class_of(kind: str) -> type[Provider]:
    """Return the class of a kind.

    Raises:
        ImportError: there is none.
    """
    named = KINDS.get(kind)
    if named is not None:
        return named
    found: type[Provider] = import_string(kind)
    return found
