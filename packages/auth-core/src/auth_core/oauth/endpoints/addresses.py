"""The addresses of the provider, as clients know them. The Host header decides nothing in them."""

from django.urls import NoReverseMatch, get_script_prefix, reverse

from auth_core.oauth.conf import oauth


def address_of(name: str, *arguments: str) -> str:
    """Return the address of the route *name* below the issuer. Empty if the site does not route it.

    Args:
        arguments: The variable parts of the route.
    """
    try:
        path = reverse(f"oauth:{name}", args=arguments)
    except NoReverseMatch:
        return ""
    return f"{oauth.issuer}/{path.removeprefix(get_script_prefix())}"
