INSTALLED_APPS += ["auth_mfa"]
MIDDLEWARE.insert(
    MIDDLEWARE.index("django.contrib.auth.middleware.AuthenticationMiddleware") + 1,
    "auth_mfa.site_login.middleware.SecondFactorMiddleware",
)
AUTH_CORE |= {"LOGIN_STEPS": ["auth_mfa.login.SecondFactor"], "LOGIN_COOKIE": "login" if DEBUG else "__Host-login"}
