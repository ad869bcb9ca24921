"""The settings of the Django peers, as each one's documentation has them for production."""

import os

PEER = os.environ["PEER"]

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["localhost"]
DEBUG = False
USE_TZ = True
ROOT_URLCONF = "django_peers.urls"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

#: The cost of a hash is that of the product.
PASSWORD_HASHERS = ["django_peers.hashers.SameCost"]

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": os.environ["DB_NAME"],
        "USER": "postgres",
        "HOST": "127.0.0.1",
        "PORT": os.environ["DB_PORT"],
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 4}},
    }
}
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        "LOCATION": [os.environ["REDIS_URL"]],
    }
}
# Sessions are rows, and a cache answers reads: they survive the loss of Redis, as the product's do.
SESSION_ENGINE = "django.contrib.sessions.backends.cached_db"

_OF_PEER = {
    "allauth": ["django.contrib.sessions", "django.contrib.messages", "allauth", "allauth.account", "allauth.headless"],
    "simplejwt": ["rest_framework", "rest_framework_simplejwt", "rest_framework_simplejwt.token_blacklist"],
    "guardian": ["rest_framework", "rest_framework_simplejwt", "guardian"],
    "oauth": ["rest_framework", "oauth2_provider"],
    "floor": [],
}
INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth", *_OF_PEER[PEER]]

_STOCK = ["django.middleware.security.SecurityMiddleware", "django.middleware.common.CommonMiddleware"]
MIDDLEWARE = [] if PEER == "floor" else _STOCK
if PEER == "allauth":
    MIDDLEWARE = [
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
        "django.contrib.messages.middleware.MessageMiddleware",
        "allauth.account.middleware.AccountMiddleware",
    ]
    AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
    TEMPLATES = [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "APP_DIRS": True,
            "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
        }
    ]
    ACCOUNT_LOGIN_METHODS = {"email"}
    ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
    ACCOUNT_EMAIL_VERIFICATION = "optional"
    ALLAUTH_TRUSTED_PROXY_COUNT = 1
    HEADLESS_ONLY = True
    HEADLESS_CLIENTS = ("app",)
    HEADLESS_FRONTEND_URLS = {
        "account_confirm_email": "https://localhost/verify/{key}",
        "account_reset_password": "https://localhost/password",
        "account_reset_password_from_key": "https://localhost/password/{key}",
        "account_signup": "https://localhost/signup",
    }
elif PEER == "guardian":
    AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "guardian.backends.ObjectPermissionBackend"]
    ANONYMOUS_USER_NAME = None

if PEER == "oauth":
    # As its documentation has it. Only the secret of clients is plain, because its hash would cost as much as that of a password.
    OAUTH2_PROVIDER = {
        "OIDC_ENABLED": True,
        "OIDC_RSA_PRIVATE_KEY": os.environ.get("OIDC_KEY", ""),
        "SCOPES": {"openid": "OpenID", "profile": "Profile", "read": "Read"},
    }
elif PEER == "simplejwt":
    SIMPLE_JWT = {"ROTATE_REFRESH_TOKENS": True, "BLACKLIST_AFTER_ROTATION": True}

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "oauth2_provider.contrib.rest_framework.OAuth2Authentication"
        if PEER == "oauth"
        else "rest_framework_simplejwt.authentication.JWTAuthentication"
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser", "rest_framework.parsers.FormParser"],
}
