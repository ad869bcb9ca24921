"""Mail settings: ``MAILERS`` in Django 6.1 and later, ``EMAIL_*`` before."""

from typing import Any

import django

_BACKENDS = "django.core.mail.backends"

#: Options of the backends, with the settings they replace.
_OLD_SETTINGS = {
    "host": "EMAIL_HOST",
    "port": "EMAIL_PORT",
    "username": "EMAIL_HOST_USER",
    "password": "EMAIL_HOST_PASSWORD",
    "use_tls": "EMAIL_USE_TLS",
    "timeout": "EMAIL_TIMEOUT",
    "file_path": "EMAIL_FILE_PATH",
}


def mail_settings(kind: str, **options: Any) -> dict[str, Any]:
    """Return the settings of a mail backend.

    Args:
        kind: ``smtp``, ``console``, ``locmem`` …
        options: Options of Django's backend.
    """
    backend = f"{_BACKENDS}.{kind}.EmailBackend"
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": backend, **({"OPTIONS": options} if options else {})}}}
    return {"EMAIL_BACKEND": backend, **{_OLD_SETTINGS[name]: value for name, value in options.items()}}
