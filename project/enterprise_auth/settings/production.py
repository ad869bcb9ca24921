"""Settings for a service: PostgreSQL, Redis, HTTPS. An insecure configuration does not start."""

from enterprise_auth.core import demands, processors, public_url
from enterprise_auth.core.database import postgresql
from enterprise_auth.settings.base import *

DEBUG = False
SECRET_KEY = env.demand("SECRET_KEY", demands.is_strong_secret, demands.WEAK_SECRET)
SECRET_KEY_FALLBACKS = env.many("SECRET_KEY_FALLBACKS")
PUBLIC_URL = env.demand("PUBLIC_URL", public_url.is_https, public_url.FORM).rstrip("/")
HSTS_SECONDS = env.number("HSTS_SECONDS")
ALLOWED_HOSTS = env.many("ALLOWED_HOSTS")
FIELD_KEYS = env.keys("FIELD_KEYS")
DATABASES = {"default": postgresql(env)}

demands.check(env)
env.seal()

#: Logins wait in the web server and have threads of their own. Other requests that hash share their threads with signed-in
#: users, who must not wait for a hash: one of those threads never hashes, and never waits to (decision record 0043).
#: More hashes than processors would only push each other's 19 MiB out of the caches.
PARALLEL_HASHES = max(1, min(env.number("WEB_LOGIN_THREADS"), env.number("WEB_THREADS") - 1, processors.share(env)))

AUTH_CORE = {
    **AUTH_CORE,
    "FIELD_KEYS": FIELD_KEYS,
    "PUBLIC_URL": PUBLIC_URL,
    "MAX_PARALLEL_HASHES": PARALLEL_HASHES,
    "HASH_NICENESS": 10,
    "HASH_QUEUE": max(0, env.number("WEB_THREADS") - 1 - PARALLEL_HASHES),
}

OAUTH2_PROVIDER = toolkit_settings(PUBLIC_URL)

REDIS_URL = env.text("REDIS_URL")
CACHES = {
    "default": {
        "BACKEND": "django_redis.cache.RedisCache",
        # A list, because django-redis splits a text at its commas.
        "LOCATION": [REDIS_URL],
        "OPTIONS": {
            "CONNECTION_FACTORY": "enterprise_auth.core.redis_servers.CacheConnectionFactory",
            "SOCKET_CONNECT_TIMEOUT": 0.1,
            "SOCKET_TIMEOUT": 0.1,
            "IGNORE_EXCEPTIONS": True,
            # Never pickle: an attacker who can write to the cache could run code.
            "SERIALIZER": "django_redis.serializers.json.JSONSerializer",
        },
    }
    if REDIS_URL
    else {"BACKEND": "django.core.cache.backends.dummy.DummyCache"}
}

# --- HTTPS and secure cookies ---------------------------------------------------

SECURE_SSL_REDIRECT = True
SECURE_HSTS_SECONDS = HSTS_SECONDS
SECURE_HSTS_INCLUDE_SUBDOMAINS = True
# The list of browsers accepts no shorter time.
SECURE_HSTS_PRELOAD = HSTS_SECONDS >= demands.HSTS_YEAR
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
SESSION_COOKIE_NAME = "__Host-session"
SESSION_COOKIE_SECURE = True
SESSION_COOKIE_HTTPONLY = True
CSRF_COOKIE_NAME = "__Host-csrf"
CSRF_COOKIE_SECURE = True
MESSAGE_STORAGE = "enterprise_auth.core.messages.MessageStorage"
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL.removesuffix(PREFIX), *CSRF_TRUSTED_ORIGINS]
SPECTACULAR_SETTINGS = {**SPECTACULAR_SETTINGS, "SERVERS": [{"url": PUBLIC_URL}]}
LANGUAGE_COOKIE_SECURE = True

if AUTH_CORE["TRUSTED_PROXIES"]:
    # In that case only our proxies can reach the service, and they overwrite the header.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

if env.text("EMAIL_FILE_PATH"):
    globals().update(mail_settings("filebased", file_path=env.text("EMAIL_FILE_PATH")))
else:
    globals().update(
        mail_settings(
            "smtp",
            host=env.text("EMAIL_HOST", "localhost"),
            port=env.number("EMAIL_PORT"),
            username=env.text("EMAIL_HOST_USER"),
            password=env.text("EMAIL_HOST_PASSWORD"),
            # A relay on this machine needs no TLS. Every other server must use it.
            use_tls=bool(env.text("EMAIL_HOST")),
            # An unresponsive mail server delays the relay, never a request.
            timeout=10,
        )
    )

STORAGES = {
    **STORAGES,
    "staticfiles": {"BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"},
}
LOGGING = logging_config(
    level=env.one_of("LOG_LEVEL", "INFO", "DEBUG", "WARNING", "ERROR"),
    style=env.one_of("LOG_FORMAT", "json", "readable"),
)
env.seal()
