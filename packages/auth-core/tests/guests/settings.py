"""A site that had users before the packages came, with its own user model: `GUEST_USERS` names it."""

import os

from auth_core.testing.settings import *

AUTH_USER_MODEL = os.environ.get("GUEST_USERS", "auth.User")
ROOT_URLCONF = "guests.urls"
INSTALLED_APPS = [*ADMIN_APPS, *INSTALLED_APPS, "django.contrib.staticfiles"]
if not AUTH_USER_MODEL.startswith("auth."):
    INSTALLED_APPS = [*INSTALLED_APPS, f"guests.{AUTH_USER_MODEL.partition('.')[0]}"]
MIDDLEWARE = [*MIDDLEWARE, *ADMIN_MIDDLEWARE]
TEMPLATES = ADMIN_TEMPLATES
PASSWORD_HASHERS = [*PASSWORD_HASHERS, "django.contrib.auth.hashers.MD5PasswordHasher"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
