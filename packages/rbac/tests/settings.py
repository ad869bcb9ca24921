"""A site with auth_core and this package, and none of its siblings."""

from auth_core.testing.settings import databases

SECRET_KEY = "test-only-" + "k" * 50
DATABASES = databases()
USE_TZ = True
INSTALLED_APPS = ["django.contrib.auth", "django.contrib.contenttypes", "auth_core", "auth_rbac"]
AUTH_CORE = {"FIELD_KEYS": {"test": "dGVzdC1vbmx5LXRlc3Qtb25seS10ZXN0LW9ubHktMzI"}}
