"""A site with auth_core and this package only. Its users are Django's own."""

from datetime import timedelta

from auth_core.testing.settings import databases, mails, redis_url

SECRET_KEY = "test-only-" + "k" * 50
DATABASES = databases()
globals().update(mails())
USE_TZ = True
ROOT_URLCONF = "urls"
AUTHENTICATION_BACKENDS = [
    "auth_rbac.backends.RoleBackend",
    "auth_core.backends.IdentifierBackend",
]
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
PASSWORD_HASHERS = ["auth_core.hashers.Argon2idHasher"]
INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "rest_framework",
    "guardian",
    "auth_core",
    "auth_rbac",
    "shop",
]
MIDDLEWARE = [
    "auth_core.middleware.RequestContextMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
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
STATIC_URL = "/static/"
AUTH_CORE = {
    "FIELD_KEYS": {"test": "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI"},
    "PASSWORD_TIME_COST": 1,
    "PASSWORD_MEMORY_COST": 64,
    "OUTBOX_RELAY": "manual",
    "REDIS_URL": redis_url(),
    "REDIS_TIMEOUT": timedelta(milliseconds=500),
}
AUTH_RBAC = {
    "PERMISSIONS": {"shop.order.export": "Can export orders"},
    "SCOPES": {"shop.order": ["branch", "branch__company"], "shop.branch": ["company"]},
}
