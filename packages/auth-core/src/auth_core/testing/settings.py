"""Settings of a small site with auth_core, for the tests of a package, and the servers of a test run.

The settings module of a package's tests begins with ``from auth_core.testing.settings import *``
and then sets what differs. A site with its own settings takes ``AUTH_CORE`` and ``DATABASES``.
Besides ``env.py``, only this module reads the environment.
"""

import os
from datetime import timedelta
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


def templates(*context_processors: str) -> list[dict[str, Any]]:
    """Return ``TEMPLATES`` with the templates of the apps and these context processors."""
    engine: dict[str, Any] = {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
    return [{**engine, "OPTIONS": {"context_processors": list(context_processors)}} if context_processors else engine]


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


SECRET_KEY = "test-only-" + "k" * 50
DATABASES = databases()
globals().update(mails())
USE_TZ = True
ROOT_URLCONF = "urls"
STATIC_URL = "/static/"
AUTHENTICATION_BACKENDS = ["auth_core.backends.IdentifierBackend"]
PASSWORD_HASHERS = ["auth_core.hashers.Argon2idHasher"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "auth_core",
]
MIDDLEWARE = [
    "auth_core.middleware.RequestContextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = templates()
AUTH_CORE: dict[str, Any] = {
    # Real argon2id with low costs, because tests check what is hashed and not how long it takes.
    "PASSWORD_TIME_COST": 1,
    "PASSWORD_MEMORY_COST": 64,
    "FIELD_KEYS": {"test": "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI"},
    "PUBLIC_URL": "https://auth.example.org",
    "OUTBOX_RELAY": "manual",
    "REDIS_URL": redis_url(),
    "REDIS_TIMEOUT": timedelta(milliseconds=500),
}

#: What a site with Django's admin has besides: apps, which stand first, middleware, which stands last, and templates.
ADMIN_APPS = ["django.contrib.admin", "django.contrib.messages"]
ADMIN_MIDDLEWARE = ["django.contrib.messages.middleware.MessageMiddleware"]
ADMIN_TEMPLATES = templates(
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
)
