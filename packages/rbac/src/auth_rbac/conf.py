"""What this package is called where settings name it."""

from django.conf import settings

#: What answers `user.has_perm`.
BACKEND = "auth_rbac.backends.RoleBackend"


def authentication_backends() -> list[str]:
    """Return the host's ``AUTHENTICATION_BACKENDS``, in their order."""
    return list(settings.AUTHENTICATION_BACKENDS)
