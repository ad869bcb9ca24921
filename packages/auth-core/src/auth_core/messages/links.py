"""Links that leave the house: always under `PUBLIC_URL`, never under what a request calls its host.

A reset link made from the ``Host`` header would carry its token to whoever forged it
(CVE-2017-8295, CVE-2025-64101; ASVS 14.2.1).
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from auth_core.conf import core
from auth_core.registries import link_paths

#: Where our own pages take each kind of link.
PATHS: Mapping[str, str] = MappingProxyType(
    {
        "signup": "/signup/confirm/{token}/",
        "verification": "/email/verify/{token}/",
        "reset": "/password/reset/{token}/",
        "invitation": "/invite/{token}/",
        "bootstrap": "/setup/{token}/",
    }
)


def link_to(kind: str, token: str = "") -> str:
    """Return the address under which *token* is spent.

    Args:
        kind: A key of `PATHS`, or one that a package has registered (`auth_core.registries.link_paths`).
        token: Letters, digits, ``-`` and ``_``; needs no quoting.

    Raises:
        ImproperlyConfigured: `PUBLIC_URL` is empty.
    """
    path = {**PATHS, **dict(link_paths.items()), **core.LINK_PATHS}[kind].format(token=token)
    return path if urlsplit(path).scheme else f"{public_url()}{path}"


def public_url() -> str:
    """Return `PUBLIC_URL` without the slash at its end.

    Raises:
        ImproperlyConfigured: it is empty; a link made from anything else could be an attacker's.
    """
    if not core.PUBLIC_URL:
        raise ImproperlyConfigured("AUTH_CORE['PUBLIC_URL'] is empty: no link can be made.")
    return core.PUBLIC_URL.rstrip("/")


def site_name() -> str:
    """Return what mails and pages call the site."""
    return core.SITE_NAME or urlsplit(core.PUBLIC_URL).hostname or "Enterprise Auth"
