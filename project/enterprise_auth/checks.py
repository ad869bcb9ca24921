"""System checks of the composed service."""

from typing import Any

from django.core.checks import CheckMessage, Warning, register  # noqa: A004 - Django's name

from enterprise_auth.core.conf import site
from enterprise_auth.core.demands import HSTS_YEAR


@register(deploy=True)
def check_hsts(**kwargs: Any) -> list[CheckMessage]:
    """Warn if browsers soon accept HTTP again. A low value is for the first days of a site."""
    if site.hsts_seconds >= HSTS_YEAR:
        return []
    hint = f"Set HSTS_SECONDS to {HSTS_YEAR} when every page works over HTTPS."
    message = f"Browsers remember for only {site.hsts_seconds} seconds to use HTTPS only."
    return [Warning(message, hint=hint, id="enterprise_auth.W001")]
