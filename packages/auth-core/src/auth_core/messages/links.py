"""Links in messages. They always start with `PUBLIC_URL`, never with the host of a request.

A reset link made from a forged ``Host`` header would send its token to the attacker (CVE-2017-8295, CVE-2025-64101;
ASVS 14.2.1).
"""

from collections.abc import Mapping
from types import MappingProxyType
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

from auth_core.conf import core
from auth_core.registries import link_paths

#: Paths of our own pages for each kind of link.
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
    """Return the link that spends *token*.

    Args:
        kind: A key of `PATHS`, or a registered one (`auth_core.registries.link_paths`).
        token: Letters, digits, ``-`` and ``_``. Needs no quoting.

    Raises:
        ImproperlyConfigured: `PUBLIC_URL` is empty.
    """
    path = {**PATHS, **dict(link_paths.items()), **core.LINK_PATHS}[kind].format(token=token)
    return path if urlsplit(path).scheme else f"{public_url()}{path}"


def public_url() -> str:
    """Return `PUBLIC_URL` without its trailing slash.

    Raises:
        ImproperlyConfigured: it is empty. A link made from anything else could be an attacker's.
    """
    if not core.PUBLIC_URL:
        raise ImproperlyConfigured("AUTH_CORE['PUBLIC_URL'] is empty, but links need it.")
    return core.PUBLIC_URL.rstrip("/")


def site_name() -> str:
    """Return the name of the site in mails and pages."""
    return core.SITE_NAME or urlsplit(core.PUBLIC_URL).hostname or "Enterprise Auth"
