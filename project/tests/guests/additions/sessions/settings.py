INSTALLED_APPS += ["auth_sessions"]
if not os.environ.get("GUEST_SESSION_ENGINE"):
    SESSION_ENGINE = "auth_sessions.engine"
    AUTH_CORE |= {"GRANT_ISSUER": "auth_sessions.login.OpenSession"}
MIDDLEWARE[MIDDLEWARE.index("django.contrib.auth.middleware.AuthenticationMiddleware")] = (
    "auth_sessions.middleware.AuthenticationMiddleware"
)
