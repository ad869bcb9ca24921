"""Settings for one machine without other services: SQLite, a cache in memory, mails on the console."""

from importlib.util import find_spec

from enterprise_auth.core import demands, public_url
from enterprise_auth.core.keys import development_keys
from enterprise_auth.settings.base import *

VAR.mkdir(parents=True, exist_ok=True)
DEBUG = True
ALLOWED_HOSTS = ["*"]
PUBLIC_URL = env.text("PUBLIC_URL", "http://localhost:8000")
if public_url.parse(PUBLIC_URL) is None:
    env.wrong("PUBLIC_URL", public_url.FORM)
if env.text("DATABASE_URL") and not env.text("DATABASE_URL").startswith("sqlite:///"):
    env.wrong(
        "DATABASE_URL", "must be sqlite:///path with the development settings. PostgreSQL needs the production settings"
    )
demands.check_common(env)

_keys = development_keys(VAR)
SECRET_KEY = env.text("SECRET_KEY") or _keys["secret_key"]
AUTH_CORE = {
    **AUTH_CORE,
    "PUBLIC_URL": PUBLIC_URL,
    # The key of this checkout stays readable after ./dev secrets has written others into .env.
    "FIELD_KEYS": {**env.keys("FIELD_KEYS"), "development": _keys["field_key"]},
    # A browser rejects __Host- cookies over plain HTTP.
    "LOGIN_COOKIE": "login",
    "LINK_COOKIE": "link",
}
AUTH_FEDERATION = {**AUTH_FEDERATION, "COOKIE": "federation"}

OAUTH2_PROVIDER = toolkit_settings(PUBLIC_URL)

DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.sqlite3",
        # sqlite:///path. A service on PostgreSQL uses the production settings.
        "NAME": env.text("DATABASE_URL").partition("sqlite:///")[2] or VAR / "development.sqlite3",
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON;",
        },
    }
}
CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
if env.text("EMAIL_FILE_PATH"):
    globals().update(mail_settings("filebased", file_path=env.text("EMAIL_FILE_PATH")))
elif env.text("EMAIL_HOST"):
    globals().update(mail_settings("smtp", host=env.text("EMAIL_HOST"), port=env.number("EMAIL_PORT"), timeout=10))
else:
    globals().update(mail_settings("console"))
LOGGING = logging_config(
    level=env.one_of("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"), style=env.text("LOG_FORMAT", "readable")
)
# The embedded service has no shared cache. The README says so, so the check need not.
SILENCED_SYSTEM_CHECKS = [*SILENCED_SYSTEM_CHECKS, "auth_sessions.W001"]

if find_spec("debug_toolbar"):
    INSTALLED_APPS = [*INSTALLED_APPS, "debug_toolbar"]
    MIDDLEWARE = [MIDDLEWARE[0], "debug_toolbar.middleware.DebugToolbarMiddleware", *MIDDLEWARE[1:]]
    INTERNAL_IPS = ["127.0.0.1"]
    DEBUG_TOOLBAR_CONFIG = {"SHOW_COLLAPSED": True}

env.seal()
