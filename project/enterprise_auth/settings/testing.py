"""Settings for tests: real components, small hashes, no background work."""

from auth_core.oauth.testing.keys import SIGNING_KEYS
from auth_core.testing import settings as kit
from enterprise_auth.settings.base import *

DEBUG = False
SECRET_KEY = kit.SECRET_KEY
ALLOWED_HOSTS = ["testserver", "localhost", "127.0.0.1"]
PUBLIC_URL = kit.AUTH_CORE["PUBLIC_URL"]
DATABASES = kit.DATABASES
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
globals().update(mail_settings("locmem"))
AUTH_CORE = {**AUTH_CORE, **kit.AUTH_CORE}
AUTH_SESSIONS = {}
AUTH_MFA = {}
AUTH_OAUTH = {"SIGNING_KEYS": SIGNING_KEYS}
OAUTH2_PROVIDER = toolkit_settings(PUBLIC_URL)
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "auth_sessions.W001"]
# The tests need pytest. Django's own runner would find none and succeed.
TEST_RUNNER = "enterprise_auth.test_runner.PytestRunner"
# Static files are not collected for tests.
WHITENOISE_AUTOREFRESH = True
