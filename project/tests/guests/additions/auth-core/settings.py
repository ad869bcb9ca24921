INSTALLED_APPS = [*dict.fromkeys([*INSTALLED_APPS, "rest_framework", "auth_core"])]
AUTHENTICATION_BACKENDS = [
    "auth_core.backends.IdentifierBackend",
    *globals().get("AUTHENTICATION_BACKENDS", ["django.contrib.auth.backends.ModelBackend"]),
]
PASSWORD_HASHERS = ["auth_core.hashers.Argon2idHasher", *PASSWORD_HASHERS]
MIDDLEWARE = ["auth_core.middleware.HealthMiddleware", "auth_core.middleware.RequestContextMiddleware", *MIDDLEWARE]
AUTH_CORE = {"FIELD_KEYS": {"2026-11": "<field key>"}, "PUBLIC_URL": "https://site.example.org", "SIGNUP": "closed"}
AUTH_CORE |= {"PASSWORD_TIME_COST": 1, "PASSWORD_MEMORY_COST": 1024}  # quick hashes, for tests alone
