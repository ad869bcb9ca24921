"""A site with Django's user model, the login of auth_core and the sessions of auth_sessions."""

from auth_core.testing.settings import databases, mails, redis_url

SECRET_KEY = "test-only-" + "k" * 50
DATABASES = databases()
globals().update(mails())
USE_TZ = True
ROOT_URLCONF = "urls"
AUTHENTICATION_BACKENDS = ["auth_core.backends.IdentifierBackend"]
PASSWORD_HASHERS = ["auth_core.hashers.Argon2idHasher"]
SESSION_ENGINE = "auth_sessions.engine"
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "rest_framework",
    "auth_core",
    "auth_sessions",
]
MIDDLEWARE = [
    "auth_core.middleware.RequestContextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "auth_sessions.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]
AUTH_CORE = {
    "PASSWORD_TIME_COST": 1,
    "PASSWORD_MEMORY_COST": 64,
    "FIELD_KEYS": {"test": "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI"},
    "REDIS_URL": redis_url(),
    "GRANT_ISSUER": "auth_sessions.login.OpenSession",
    "AUTHENTICATION_CLASSES": [
        "auth_sessions.api.authentication.SessionTokenAuthentication",
        "auth_core.api.authentication.CookieAuthentication",
    ],
}
SILENCED_SYSTEM_CHECKS = ["auth_sessions.W001"]
