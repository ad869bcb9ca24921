"""``LOGGING``: every record passes the context's and the redacting filter, whoever wrote it."""

from typing import Any

_FORMATTERS: dict[str, dict[str, Any]] = {
    "json": {
        "()": "pythonjsonlogger.orjson.OrjsonFormatter",
        "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        "rename_fields": {"asctime": "time", "levelname": "level", "name": "logger"},
    },
    "readable": {"()": "auth_core.observability.logs.ReadableFormatter"},
}


def logging_config(*, level: str, style: str) -> dict[str, Any]:
    """Return Django's ``LOGGING``.

    Four loggers have names of their own, so that an operator may send each to another
    place: ``auth_core.security``, ``auth_core.audit``, ``auth_core.request`` and
    ``django.request`` for errors.

    Args:
        level: The least that is written.
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
                "class": "logging.StreamHandler",
                "formatter": "line",
                "filters": ["context", "redaction"],
            }
        },
        "root": {"handlers": ["stream"], "level": level},
        "loggers": {
            # Django's own handlers would write past our filters.
            "django": {"handlers": [], "level": level, "propagate": True},
            "django.server": {"handlers": [], "level": "WARNING", "propagate": True},
            # What it writes at DEBUG of a name that a template asks for in vain is the whole context: codes and links.
            "django.template": {"level": "INFO"},
            "auth_core": {"level": level},
        },
    }
