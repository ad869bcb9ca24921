"""Filters that show the key of an authenticator app."""

import base64

from django import template

register = template.Library()

_GROUP = 4


@register.filter
def as_image(svg: str) -> str:
    """Return *svg* as a data URL, so that the Content Security Policy needs no inline styles."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


@register.filter
def in_fours(key: str) -> str:
    """Return *key* in groups of four, which are easier to type."""
    return " ".join(key[start : start + _GROUP] for start in range(0, len(key), _GROUP))
