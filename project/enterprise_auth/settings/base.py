"""Settings common to development, production and tests."""

from pathlib import Path
from typing import Any

import django
from corsheaders.defaults import default_headers

from auth_core.conf import CoreSettings
from auth_core.oauth.toolkit import toolkit_settings  # noqa: F401 - for the settings modules that import this one
from enterprise_auth.core.identity_providers import identity_providers
from enterprise_auth.core.languages import offered_languages
from enterprise_auth.core.logging import logging_config
from enterprise_auth.core.mail import mail_settings  # noqa: F401 - for the settings modules that import this one
from enterprise_auth.core.profiles import administration, context_change, provider, required_of, second_factors
from enterprise_auth.core.public_url import prefix_of
from enterprise_auth.core.redis_servers import broker_problem, broker_settings
from enterprise_auth.env import ROOT, Environment

env = Environment()

PROJECT = ROOT / "project"
#: The only folder that the service itself writes to.
VAR = Path(env.text("VAR_PATH") or ROOT / "var")

#: The path below which the service is, such as /auth. Empty at the root of a host.
PREFIX = prefix_of(env.text("PUBLIC_URL"))
FORCE_SCRIPT_NAME = PREFIX or None

ROOT_URLCONF = "enterprise_auth.urls"
WSGI_APPLICATION = "enterprise_auth.wsgi.application"

INSTALLED_APPS = [
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.messages",
    "django.contrib.sessions",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "corsheaders",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "guardian",
    "oauth2_provider",
    "auth_core",
    "auth_core.accounts",
    "auth_sessions",
    "auth_audit",
    "auth_mfa",
    "auth_rbac",
    "auth_core.oauth",
    "auth_core.federation",
    "enterprise_auth",
]

#: Django 6 has its own Content-Security-Policy. On 5.2 django-csp sets the same policy.
HAS_OWN_CSP = django.VERSION >= (6, 0)

MIDDLEWARE = [
    "auth_core.middleware.HealthMiddleware",
    "auth_core.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "auth_core.middleware.SecurityHeadersMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware" if HAS_OWN_CSP else "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "auth_sessions.middleware.AuthenticationMiddleware",
    "auth_core.pages.administration.AdministrationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "auth_audit.middleware.AdminChangesMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [PROJECT / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ]
        },
    }
]

# --- Authentication --------------------------------------------------------

AUTH_USER_MODEL = "auth_accounts.User"
AUTHENTICATION_BACKENDS = ["auth_rbac.backends.RoleBackend", "auth_core.backends.IdentifierBackend"]
# RoleBackend reads the tables of django-guardian. guardian's own backend ignores denials and is not used.
ANONYMOUS_USER_NAME = None
GUARDIAN_MONKEY_PATCH_USER = False
SILENCED_SYSTEM_CHECKS = ["guardian.W001"]
SESSION_ENGINE = "auth_sessions.engine"
CSRF_FAILURE_VIEW = "auth_core.pages.errors.csrf_failure"

PASSWORD_HASHERS = [
    "auth_core.hashers.Argon2idHasher",
    # Only for reading: hashes of imported accounts are replaced at their first login.
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2SHA1PasswordHasher",
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    # Only for secrets of applications.
    "auth_core.oauth.hashers.ClientSecretHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "auth_core.validators.LengthValidator"},
    {"NAME": "auth_core.validators.ContextValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

ADMIN_ASSURANCE = env.one_of("ADMIN_ASSURANCE", "aal2", "aal3", "none")

AUTH_CORE: dict[str, Any] = {
    "LOGIN_STEPS": ["auth_mfa.login.SecondFactor", "auth_sessions.login.SessionLimit"],
    "GRANT_ISSUER": "auth_sessions.login.OpenSession",
    "RISK_ASSESSOR": "enterprise_auth.policies.AssessLogin",
    "AUTHENTICATION_CLASSES": [
        "auth_sessions.api.authentication.SessionTokenAuthentication",
        "auth_core.oauth.api.authentication.BearerAuthentication",
        "auth_core.api.authentication.CookieAuthentication",
    ],
    "ADMINISTRATION": administration(ADMIN_ASSURANCE),
    "PASSWORD_CONTEXT_WORDS": ["enterprise", "enterprise auth"],
    "TRUSTED_PROXIES": env.many("TRUSTED_PROXIES"),
    "REDIS_URL": env.text("REDIS_URL"),
    "SITE_NAME": "Enterprise Auth",
    "SMS_BACKEND": env.text("SMS_BACKEND"),
    "SMS_HTTP_URL": env.text("SMS_HTTP_URL"),
    "SMS_HTTP_TOKEN": env.text("SMS_HTTP_TOKEN"),
    "TWILIO_ACCOUNT_SID": env.text("TWILIO_ACCOUNT_SID"),
    "TWILIO_AUTH_TOKEN": env.text("TWILIO_AUTH_TOKEN"),
    "TWILIO_FROM": env.text("TWILIO_FROM"),
    "READINESS": [*CoreSettings.READINESS.default, "auth_core.oauth.keys.boot.signing_keys"],
    "OUTBOUND_CA_FILE": env.text("OUTBOUND_CA_FILE"),
    "OUTBOX_RELAY": "celery" if env.text("BROKER_URL") else "thread",
}
AUTH_PROFILE = env.one_of("AUTH_PROFILE", "default", "high")
AUTH_MFA = second_factors(
    AUTH_PROFILE,
    required_of=required_of(env.many("MFA_REQUIRED_OF"), ADMIN_ASSURANCE),
    sms_countries=env.many("MFA_SMS_COUNTRIES"),
)
AUTH_SESSIONS = {
    "REDIS_URL": env.text("REDIS_SESSION_URL"),
    "GEOIP_PATH": env.text("GEOIP_PATH"),
    **context_change(AUTH_PROFILE),
}

AUTH_OAUTH: dict[str, Any] = {
    "SIGNING_KEYS": env.text("JWT_SIGNING_KEYS"),
    "CLIENT_DOCUMENTS": env.one_of("CLIENT_DOCUMENTS", "none", "listed", "all"),
    "CLIENT_DOCUMENT_HOSTS": env.many("CLIENT_DOCUMENT_HOSTS"),
    "CLIENT_DOCUMENT_SCOPES": env.many("CLIENT_DOCUMENT_SCOPES"),
    "DEVICE_GRANT": env.flag("OAUTH_DEVICE_GRANT"),
    **provider(AUTH_PROFILE),
}
OAUTH2_PROVIDER_APPLICATION_MODEL = "oauth2_provider.Application"

AUTH_FEDERATION: dict[str, Any] = {"PROVIDERS": identity_providers(env)}

AUTH_AUDIT = {"SIGNING_KEYS": env.keys("AUDIT_SIGNING_KEYS")}

# --- The API ---------------------------------------------------------------

REST_FRAMEWORK = {
    "DEFAULT_SCHEMA_CLASS": "enterprise_auth.core.schema.ProblemSchema",
    "DEFAULT_AUTHENTICATION_CLASSES": AUTH_CORE["AUTHENTICATION_CLASSES"],
    "EXCEPTION_HANDLER": "auth_core.api.problems.handle",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Enterprise Auth",
    "DESCRIPTION": "Login, second factors, sessions, roles and the audit trail.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVERS": [{"url": PREFIX or "/"}],
    "SCHEMA_PATH_PREFIX": "/api/v1/",
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "COMPONENT_SPLIT_REQUEST": True,
}
CORS_ALLOWED_ORIGINS = env.many("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_HEADERS = [*default_headers, "dpop"]
CORS_EXPOSE_HEADERS = ["DPoP-Nonce", "WWW-Authenticate"]
CSRF_TRUSTED_ORIGINS = env.many("CSRF_TRUSTED_ORIGINS")
DATA_UPLOAD_MAX_MEMORY_SIZE = 256 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# --- Browser security ---------------------------------------------------------

CSP = {
    "default-src": ["'none'"],
    "script-src": ["'self'"],
    "style-src": ["'self'"],
    "img-src": ["'self'", "data:"],
    "font-src": ["'self'"],
    "connect-src": ["'self'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "object-src": ["'none'"],
    "frame-ancestors": ["'none'"],
}
SECURE_CSP = CSP
CONTENT_SECURITY_POLICY = {"DIRECTIVES": CSP}
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SAMESITE = "Lax"
# Scripts read the token from the response of csrf/, never from the cookie.
CSRF_COOKIE_HTTPONLY = True

# --- Language, time, files ----------------------------------------------------

LANGUAGE_CODE = "en"
LANGUAGES = offered_languages()
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = f"{PREFIX}/static/"
STATIC_ROOT = PROJECT / "staticfiles"
STATICFILES_DIRS = [PROJECT / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
DEFAULT_FROM_EMAIL = env.text("DEFAULT_FROM_EMAIL", "auth@localhost")

LOGGING = logging_config(level=env.one_of("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"), style="json")

# --- Background work ------------------------------------------------------------

CELERY_BROKER_URL = env.text("BROKER_URL")
if CELERY_BROKER_URL and not broker_problem(CELERY_BROKER_URL):
    globals().update(broker_settings(CELERY_BROKER_URL))
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_BEAT_SCHEDULER = "enterprise_auth.core.beat.BeatScheduler"
HEARTBEAT_PATH = env.text("HEARTBEAT_PATH")

# --- The layer before Django -------------------------------------------------------

EARLY_ANSWERS = env.one_of("EARLY_ANSWERS", "true", "false") == "true"
#: Names of URLs that a site adds and whose view is a `TokenView`. Its settings may list them.
EARLY_TOKEN_ROUTES: list[str] = []
