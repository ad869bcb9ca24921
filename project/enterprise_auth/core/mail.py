"""How mails leave: Django 6.1 has ``MAILERS``, the others have ``EMAIL_*``."""

from typing import Any

import django

_BACKENDS = "django.core.mail.backends"

#: Options of the backends, and the settings that they were before.
_FORMERLY = {
    "host": "EMAIL_HOST",
    "port": "EMAIL_PORT",
    "username": "EMAIL_HOST_USER",
    "password": "EMAIL_HOST_PASSWORD",
    "use_tls": "EMAIL_USE_TLS",
    "timeout": "EMAIL_TIMEOUT",
    "file_path": "EMAIL_FILE_PATH",
}


def mail_settings(kind: str, **options: Any) -> dict[str, Any]:
    """Return the settings for one way of sending.

    Args:
        kind: ``smtp``, ``console``, ``locmem`` …
        options: Of that backend of Django's.
    """
    backend = f"{_BACKENDS}.{kind}.EmailBackend"
    if django.VERSION >= (6, 1):
        return {"MAILERS": {"default": {"BACKEND": backend, **({"OPTIONS": options} if options else {})}}}
    return {"EMAIL_BACKEND": backend, **{_FORMERLY[name]: value for name, value in options.items()}}
