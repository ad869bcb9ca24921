"""System checks, each with an id and a remedy."""

from typing import Any

from django.core.checks import CheckMessage, Warning, register  # noqa: A004 - Django's name

from auth_rbac.conf import BACKEND, authentication_backends


@register()
def check_backend(**kwargs: Any) -> list[CheckMessage]:
    """Warn where roles would be held and mean nothing, or be asked after somebody else has said yes."""
    if authentication_backends()[:1] == [BACKEND]:
        return []
    hint = f"Let {BACKEND!r} be the first of AUTHENTICATION_BACKENDS."
    return [Warning("Roles do not answer first what somebody may do.", hint=hint, id="auth_rbac.W001")]
