"""The database and Redis settings of all test suites. Besides ``env.py``, only this module reads the environment."""

import os
from typing import Any
from urllib.parse import unquote, urlsplit

import django


def databases() -> dict[str, dict[str, Any]]:
    """Return ``DATABASES``: PostgreSQL if ``TEST_DATABASE_URL`` is set, else SQLite in memory.

    On PostgreSQL each run has its own database, ``test_<pid>``.
    """
    url = os.environ.get("TEST_DATABASE_URL", "")
    return {"default": _postgresql(url) if url else _sqlite()}


def redis_url() -> str:
    """Return the URL of the Redis server for this run, or an empty string."""
    return os.environ.get("TEST_REDIS_URL", "")


def mails() -> dict[str, Any]:
    """Return the settings that keep mails in memory: ``MAILERS`` since Django 6.1, else Django's default."""
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
        # Tests need no durability, and waiting for the disk took most of their time.
        "OPTIONS": {"options": "-c synchronous_commit=off"},
        "TEST": {"NAME": f"test_{os.getpid()}"},
    }
