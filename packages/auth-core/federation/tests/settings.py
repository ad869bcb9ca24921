"""A site with auth_core and federation, and Django's own sessions."""

from auth_core.testing.settings import *

AUTH_USER_MODEL = "auth_accounts.User"
INSTALLED_APPS = [
    *ADMIN_APPS,
    *INSTALLED_APPS,
    "auth_core.accounts",
    "auth_core.federation",
    "django.contrib.staticfiles",
]
MIDDLEWARE = [*MIDDLEWARE, *ADMIN_MIDDLEWARE, "auth_core.pages.administration.AdministrationMiddleware"]
TEMPLATES = ADMIN_TEMPLATES
ALLOWED_HOSTS = ["testserver", "auth.example.org"]
#: The providers of the tests are on this machine.
AUTH_CORE = {**AUTH_CORE, "OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"]}
