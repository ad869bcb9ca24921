"""What the templates of this app ask for."""

from typing import Any

from django import template

from auth_core.federation.pages.buttons import shown_providers
from auth_core.federation.providers.base import Provider

register = template.Library()


@register.simple_tag(takes_context=True)
def providers(context: Any) -> list[Provider]:
    """Return the providers that sign people in."""
    return shown_providers(context["request"])
