"""A site with auth_core and the provider, and Django's own sessions."""

from auth_core.oauth.testing.keys import SIGNING_KEYS
from auth_core.oauth.toolkit import toolkit_settings
from auth_core.testing.settings import *

AUTH_USER_MODEL = "auth_accounts.User"
PASSWORD_HASHERS = [*PASSWORD_HASHERS, "auth_core.oauth.hashers.ClientSecretHasher"]
INSTALLED_APPS = [
    *ADMIN_APPS,
    *INSTALLED_APPS,
    "auth_core.accounts",
    "oauth2_provider",
    "auth_core.oauth",
    "auth_core.oauth_resource",
    "django.contrib.staticfiles",
]
AUTH_RESOURCE = {"RESOURCE": "https://api.example.org", "SCOPES": ["notes:read"]}
MIDDLEWARE = [*MIDDLEWARE, *ADMIN_MIDDLEWARE, "auth_core.pages.administration.AdministrationMiddleware"]
TEMPLATES = ADMIN_TEMPLATES
AUTH_OAUTH = {"SIGNING_KEYS": SIGNING_KEYS}
OAUTH2_PROVIDER = toolkit_settings("https://auth.example.org")
ALLOWED_HOSTS = ["testserver", "auth.example.org"]
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"
AUTH_CORE = {
    **AUTH_CORE,
    "AUTHENTICATION_CLASSES": [
        "auth_core.oauth.api.authentication.BearerAuthentication",
        "auth_core.api.authentication.CookieAuthentication",
    ],
}
