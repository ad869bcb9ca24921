"""``LOGGING``: every record passes the context filter and the redaction filter."""

from typing import Any

_FORMATTERS: dict[str, dict[str, Any]] = {
    "json": {
        "()": "enterprise_auth.core.log_lines.JsonFormatter",
        "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
    },
    "readable": {"()": "auth_core.observability.logs.ReadableFormatter"},
}


def logging_config(*, level: str, style: str) -> dict[str, Any]:
    """Return Django's ``LOGGING``.

    Four loggers have their own names, so that an operator can send each elsewhere: ``auth_core.security``,
    ``auth_core.audit``, ``auth_core.request`` and ``django.request`` for errors.

    Args:
        level: The minimum level.
        style: ``json`` for machines, ``readable`` for people.
    """
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "filters": {
            "context": {"()": "auth_core.observability.logs.ContextFilter"},
            "redaction": {"()": "auth_core.observability.logs.RedactingFilter"},
        },
        "formatters": {"line": _FORMATTERS["readable" if style == "readable" else "json"]},
        "handlers": {
            "stream": {
                "class": "auth_core.observability.logs.LineHandler",
                "formatter": "line",
                "filters": ["context", "redaction"],
            }
        },
        "root": {"handlers": ["stream"], "level": level},
        "loggers": {
            # Django's own handlers would bypass the filters.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # At DEBUG it logs the whole template context, with codes and links, for each undefined variable.
            "django.template": {"level": "INFO"},
            "auth_core": {"level": level},
        },
    }
