# --- The site's own settings, below what startproject wrote ---
import os

INSTALLED_APPS += ["rest_framework", "visits", "archive"]
PASSWORD_HASHERS = ["visits.hashers.QuickHasher", "django.contrib.auth.hashers.PBKDF2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = []
LOGIN_REDIRECT_URL = "/me/"
LOGIN_URL = "/login/"
ALLOWED_HOSTS = ["localhost", "127.0.0.1", "testserver"]
STATIC_ROOT = BASE_DIR / "static"
TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]
# Nothing here must survive a power failure.
DATABASES["default"]["OPTIONS"] = {"init_command": "PRAGMA synchronous=OFF"}
if os.environ.get("GUEST_AUTO_FIELD"):
    DEFAULT_AUTO_FIELD = os.environ["GUEST_AUTO_FIELD"]
if os.environ.get("GUEST_SESSION_ENGINE"):
    SESSION_ENGINE = os.environ["GUEST_SESSION_ENGINE"]
if os.environ.get("GUEST_TWO_DATABASES"):
    DATABASES["archive"] = {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": BASE_DIR / "archive.sqlite3",
        "OPTIONS": DATABASES["default"]["OPTIONS"],
        "TEST": {"NAME": str(BASE_DIR / "kept_archive.sqlite3")},
    }
    DATABASE_ROUTERS = ["visits.router.ArchiveRouter"]
if os.environ.get("GUEST_POSTGRESQL"):
    HOST, PORT, NAME = os.environ["GUEST_POSTGRESQL"].split(",")
    DATABASES["default"] = {
        "ENGINE": "django.db.backends.postgresql",
        "USER": "postgres",
        "HOST": HOST,
        "PORT": PORT,
        "NAME": NAME,
    }
if os.environ.get("GUEST_DEPLOYED"):
    DEBUG = False
    SECRET_KEY = "a-long-and-random-key-for-the-deployment-check-0123456789-abcdefghij"
    SECURE_SSL_REDIRECT = SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SECURE_HSTS_SECONDS, SECURE_HSTS_INCLUDE_SUBDOMAINS, SECURE_HSTS_PRELOAD = 3600, True, True
if os.environ.get("GUEST_TEST_FILE") and not os.environ.get("GUEST_POSTGRESQL"):
    DATABASES["default"]["TEST"] = {"NAME": str(BASE_DIR / os.environ["GUEST_TEST_FILE"])}
