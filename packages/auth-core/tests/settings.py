"""A site with auth_core and its user model, without the other packages."""

from datetime import timedelta

from auth_core.testing.settings import databases, mails, redis_url

SECRET_KEY = "test-only-" + "k" * 50
DATABASES = databases()
globals().update(mails())
USE_TZ = True
ROOT_URLCONF = "urls"
AUTH_USER_MODEL = "auth_accounts.User"
AUTHENTICATION_BACKENDS = ["auth_core.backends.IdentifierBackend"]
PASSWORD_HASHERS = [
    "auth_core.hashers.Argon2idHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "auth_core.validators.LengthValidator"},
    {"NAME": "auth_core.validators.ContextValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "rest_framework",
    "auth_core",
    "auth_core.accounts",
]
MIDDLEWARE = [
    "auth_core.middleware.HealthMiddleware",
    "auth_core.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
TEMPLATES = [{"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}]
AUTH_CORE = {
    # Real argon2id with low costs, because the tests check what is hashed and not how long it takes.
    "PASSWORD_TIME_COST": 1,
    "PASSWORD_MEMORY_COST": 64,
    "FIELD_KEYS": {"test": "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI"},
    "REDIS_URL": redis_url(),
    "REDIS_TIMEOUT": timedelta(milliseconds=500),
    "OUTBOX_RELAY": "manual",
    "PUBLIC_URL": "https://auth.example.org",
}
STATIC_URL = "/static/"
CSRF_FAILURE_VIEW = "auth_core.api.problems.csrf_failure"
