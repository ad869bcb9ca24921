"""Settings with ten faults for `check_setup`."""

from datetime import timedelta

from enterprise_auth.settings.testing import *

DEBUG = False
SECRET_KEY = "short-and-weak-and-secret"
ALLOWED_HOSTS = ["elsewhere.example"]
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "nowhere",
        "HOST": "127.0.0.1",
        "PORT": "1",
        "PASSWORD": "pw-of-the-database",
        "OPTIONS": {"connect_timeout": 2},
    }
}
CELERY_BROKER_URL = "amqp://user:pw-of-the-broker@127.0.0.1:1//"
globals().update(mail_settings("smtp", host="127.0.0.1", port=1, password="pw-of-the-mail"))
AUTH_CORE = {
    **AUTH_CORE,
    "REDIS_URL": "redis://user:pw-of-the-cache@127.0.0.1:1/0",
    "OUTBOX_RELAY": "celery",
    "FIELD_KEYS": {"test": "dG9vLXNob3J0"},
    "TRUSTED_PROXIES": ["0.0.0.0/0", "intranet"],
}
AUTH_SESSIONS = {"LIFETIMES": {"aal1": (timedelta(days=2), timedelta(days=1))}}
SESSION_COOKIE_SECURE = False
