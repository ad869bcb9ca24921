"""Settings for tests: real components, small hashes, no background work."""

from datetime import timedelta

from auth_core.testing.settings import databases, redis_url
from enterprise_auth.settings.base import *

DEBUG = False
SECRET_KEY = "test-only-" + "k" * 50
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PUBLIC_URL = "https://auth.example.org"
DATABASES = databases()
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
globals().update(mail_settings("locmem"))
AUTH_CORE = {
    **AUTH_CORE,
    "PUBLIC_URL": PUBLIC_URL,
    # Real argon2id with low cost. The tests do not measure its duration.
    "PASSWORD_TIME_COST": 1,
    "PASSWORD_MEMORY_COST": 64,
    "FIELD_KEYS": {"test": "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI"},
    "REDIS_URL": redis_url(),
    "REDIS_TIMEOUT": timedelta(milliseconds=500),
    "OUTBOX_RELAY": "manual",
}
AUTH_SESSIONS = {}
AUTH_MFA = {}
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "auth_sessions.W001"]
# The tests need pytest. Django's own runner would find none and succeed.
TEST_RUNNER = "enterprise_auth.test_runner.PytestRunner"
# Static files are not collected for tests.
WHITENOISE_AUTOREFRESH = True
