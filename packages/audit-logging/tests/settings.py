"""A site with Django's own user model, its admin, and the trail."""

from auth_core.testing.settings import databases, mails, redis_url

SECRET_KEY = "test-only-" + "k" * 50
DATABASES = databases()
globals().update(mails())
USE_TZ = True
ROOT_URLCONF = "urls"
AUTHENTICATION_BACKENDS = ["auth_core.backends.IdentifierBackend"]
PASSWORD_HASHERS = ["auth_core.hashers.Argon2idHasher"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "rest_framework",
    "auth_core",
    "auth_audit",
]
MIDDLEWARE = [
    "auth_core.middleware.RequestContextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "auth_audit.middleware.AdminChangesMiddleware",
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
STATIC_URL = "/static/"
AUTH_CORE = {
    "PASSWORD_TIME_COST": 1,
    "PASSWORD_MEMORY_COST": 64,
    "FIELD_KEYS": {"test": "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI"},
    "REDIS_URL": redis_url(),
}
