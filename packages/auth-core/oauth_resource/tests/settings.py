"""A site of Django that accepts access tokens. It has its own users, and no other app of this package."""

from auth_core.testing.settings import databases

SECRET_KEY = "test-only-" + "k" * 50
DATABASES = databases()
USE_TZ = True
ROOT_URLCONF = "urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "rest_framework",
    "auth_core.oauth_resource",
]
MIDDLEWARE = ["django.middleware.common.CommonMiddleware", "django.middleware.csrf.CsrfViewMiddleware"]
AUTH_CORE = {"OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"]}
#: Each test names its issuers.
AUTH_RESOURCE = {
    "RESOURCE": "https://api.example.org/notes",
    "SCOPES": ["notes:read", "notes:write"],
    "ISSUERS": {"https://auth.example.org": {}},
}
