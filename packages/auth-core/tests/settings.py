"""A site with auth_core and its user model, without the other packages."""

from auth_core.testing.settings import *

AUTH_USER_MODEL = "auth_accounts.User"
PASSWORD_HASHERS = [*PASSWORD_HASHERS, "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "auth_core.validators.LengthValidator"},
    {"NAME": "auth_core.validators.ContextValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
INSTALLED_APPS = [*INSTALLED_APPS, "auth_core.accounts", "django.contrib.staticfiles"]
MIDDLEWARE = [
    "auth_core.middleware.HealthMiddleware",
    MIDDLEWARE[0],
    "django.middleware.security.SecurityMiddleware",
    *MIDDLEWARE[1:],
]
CSRF_FAILURE_VIEW = "auth_core.api.problems.csrf_failure"
