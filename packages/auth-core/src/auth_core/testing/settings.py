"""Where tests of any package find their database and their Redis; the only other reader of the environment."""

import os
from typing import Any
from urllib.parse import unquote, urlsplit

import django


def databases() -> dict[str, dict[str, Any]]:
    """Return ``DATABASES``: PostgreSQL when ``TEST_DATABASE_URL`` names one, else SQLite in memory.

    The database of a run is its own: ``test_<pid>`` on PostgreSQL.
    """
    url = os.environ.get("TEST_DATABASE_URL", "")
    return {"default": _postgresql(url) if url else _sqlite()}


def redis_url() -> str:
    """Return the URL of a Redis that belongs to this run alone; empty: none."""
    return os.environ.get("TEST_REDIS_URL", "")


def mails() -> dict[str, Any]:
    """Return the settings with which mails stay in memory: ``MAILERS`` where Django has it, else its own default."""
    if django.VERSION < (6, 1):
        return {}
    return {"MAILERS": {"default": {"BACKEND": "django.core.mail.backends.locmem.EmailBackend"}}}


def _sqlite() -> dict[str, Any]:
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": ":memory:",
        "OPTIONS": {"transaction_mode": "IMMEDIATE", "timeout": 20},
    }


def _postgresql(url: str) -> dict[str, Any]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.path.lstrip("/") or "postgres",
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or ""),
        # A test loses nothing that a crash could take, and most of its time went into waiting for the disk.
        "OPTIONS": {"options": "-c synchronous_commit=off"},
        "TEST": {"NAME": f"test_{os.getpid()}"},
    }
