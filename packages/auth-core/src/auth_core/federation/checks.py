"""System checks of this app."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured
from django.urls import NoReverseMatch

from auth_core.federation.conf import federation
from auth_core.federation.connections.callback import callback_address
from auth_core.federation.providers.configuration import problems


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse unknown settings."""
    return federation.unknown_key_errors("auth_federation.E001")


@register()
def check_providers(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a provider that cannot work, and name the address to register there."""
    return [
        Error(f"AUTH_FEDERATION['PROVIDERS'][{slug!r}]: {problem}.", hint=_hint(slug), id="auth_federation.E002")
        for slug, problem in problems()
    ]


@register()
def check_addresses(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a site without the pages, or without an address that providers may send people back to."""
    try:
        callback_address("any")
    except NoReverseMatch:
        hint = "Add path('', include('auth_core.federation.urls')) to the URLs at the root of the site."
        return [Error("The pages of auth_core.federation have no address.", hint=hint, id="auth_federation.E003")]
    except ImproperlyConfigured as problem:
        return [Error(str(problem), hint="Providers send people back to it.", id="auth_federation.E004")]
    return []


def _hint(slug: str) -> str:
    try:
        return f"The callback address to register at the provider is {callback_address(slug)}"
    except (NoReverseMatch, ImproperlyConfigured):
        return "Set AUTH_CORE['PUBLIC_URL'] and include auth_core.federation.urls."
