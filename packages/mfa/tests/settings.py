"""A site with auth_core, this package and Django's own users, without sibling packages."""

from datetime import timedelta

from auth_core.testing.settings import databases, mails, redis_url

SECRET_KEY = "test-only-" + "k" * 50
DATABASES = databases()
globals().update(mails())
USE_TZ = True
ROOT_URLCONF = "urls"
AUTHENTICATION_BACKENDS = ["auth_core.backends.IdentifierBackend"]
PASSWORD_HASHERS = ["auth_core.hashers.Argon2idHasher"]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "rest_framework",
    "auth_core",
    "auth_mfa",
]
MIDDLEWARE = [
    "auth_core.middleware.RequestContextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
AUTH_CORE = {
    "FIELD_KEYS": {"test": "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI"},
    "PASSWORD_TIME_COST": 1,
    "PASSWORD_MEMORY_COST": 64,
    "LOGIN_STEPS": ["auth_mfa.login.SecondFactor"],
    "OUTBOX_RELAY": "manual",
    "PUBLIC_URL": "https://auth.example.org",
    "REDIS_URL": redis_url(),
    "REDIS_TIMEOUT": timedelta(milliseconds=500),
}
