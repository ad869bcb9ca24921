"""A site with Django's user model, the login of auth_core and the sessions of auth_sessions."""

from auth_core.testing.settings import *

SESSION_ENGINE = "auth_sessions.engine"
INSTALLED_APPS = [*ADMIN_APPS, *INSTALLED_APPS, "auth_sessions"]
MIDDLEWARE = [
    "auth_sessions.middleware.AuthenticationMiddleware" if name.endswith(".AuthenticationMiddleware") else name
    for name in [*MIDDLEWARE, *ADMIN_MIDDLEWARE]
]
TEMPLATES = ADMIN_TEMPLATES
AUTH_CORE = {
    **AUTH_CORE,
    "GRANT_ISSUER": "auth_sessions.login.OpenSession",
    "AUTHENTICATION_CLASSES": [
        "auth_sessions.api.authentication.SessionTokenAuthentication",
        "auth_core.api.authentication.CookieAuthentication",
    ],
}
SILENCED_SYSTEM_CHECKS = ["auth_sessions.W001"]
