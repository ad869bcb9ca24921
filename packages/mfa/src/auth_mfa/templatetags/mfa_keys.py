"""How the key of an authenticator app is shown."""

import base64

from django import template

register = template.Library()

_GROUP = 4


@register.filter
def as_image(svg: str) -> str:
    """Return *svg* as the address of an image, so that the policy needs to allow nothing inside the page."""
    return "data:image/svg+xml;base64," + base64.b64encode(svg.encode()).decode()


@register.filter
def in_fours(key: str) -> str:
    """Return *key* in groups of four, as it is typed."""
    return " ".join(key[start : start + _GROUP] for start in range(0, len(key), _GROUP))
