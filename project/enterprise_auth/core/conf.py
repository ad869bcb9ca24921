"""Django settings that the service reads at run time."""

from pathlib import Path

import django
from django.conf import settings


class Site:
    """Django's settings, read on access."""

    @property
    def debug(self) -> bool:
        """Whether this is a development machine."""
        return settings.DEBUG

    @property
    def secret_key(self) -> str:
        """The key for signatures."""
        return settings.SECRET_KEY

    @property
    def allowed_hosts(self) -> list[str]:
        """The allowed host names."""
        return list(settings.ALLOWED_HOSTS)

    @property
    def prefix(self) -> str:
        """The path below which the service is, such as ``/auth``. Empty at the root of a host."""
        return settings.FORCE_SCRIPT_NAME or ""

    @property
    def session_cookie(self) -> str:
        """The name of the session's cookie."""
        return settings.SESSION_COOKIE_NAME

    @property
    def csrf_cookie(self) -> str:
        """The name of the CSRF cookie."""
        return settings.CSRF_COOKIE_NAME

    @property
    def middleware(self) -> list[str]:
        """The dotted paths of the middleware."""
        return list(settings.MIDDLEWARE)

    @property
    def changes_answers(self) -> bool:
        """Whether a setting of Django refuses user agents, or saves the session of every request."""
        return bool(settings.DISALLOWED_USER_AGENTS or settings.SESSION_SAVE_EVERY_REQUEST)

    @property
    def answers_early(self) -> bool:
        """Whether the layer before Django answers the most frequent requests."""
        return settings.EARLY_ANSWERS

    @property
    def early_token_routes(self) -> list[str]:
        """The names of the routes of this site that it answers for access tokens."""
        return list(settings.EARLY_TOKEN_ROUTES)

    @property
    def hsts_seconds(self) -> int:
        """How long browsers remember to use HTTPS only."""
        return settings.SECURE_HSTS_SECONDS

    @property
    def written_folders(self) -> dict[str, str]:
        """The folders that processes write to, by their variable."""
        folders = {}
        if self._mail_folder:
            folders["EMAIL_FILE_PATH"] = self._mail_folder
        database = settings.DATABASES["default"]
        if database["ENGINE"].endswith("sqlite3") and not _is_in_memory(str(database["NAME"])):
            folders["DATABASE_URL"] = str(Path(database["NAME"]).parent)
        return folders

    @property
    def _mail_folder(self) -> str:
        if django.VERSION >= (6, 1):
            return str(settings.MAILERS["default"].get("OPTIONS", {}).get("file_path", ""))  # type: ignore[misc]  # missing in Django 5.2
        return str(getattr(settings, "EMAIL_FILE_PATH", "") or "")

    @property
    def longest_body(self) -> int:
        """Maximum size of a request body in bytes."""
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0

    @property
    def cookie_names(self) -> dict[str, str]:
        """The names of Django's cookies, by setting."""
        return {
            "SESSION_COOKIE_NAME": settings.SESSION_COOKIE_NAME,
            "CSRF_COOKIE_NAME": settings.CSRF_COOKIE_NAME,
        }

    @property
    def open_cookies(self) -> list[str]:
        """The settings that allow a cookie without TLS."""
        secure = {
            "SESSION_COOKIE_SECURE": settings.SESSION_COOKIE_SECURE,
            "CSRF_COOKIE_SECURE": settings.CSRF_COOKIE_SECURE,
        }
        return [name for name, is_set in secure.items() if not is_set]

    @property
    def broker_url(self) -> str:
        """The broker of Celery. Empty if a thread of each process delivers messages."""
        return settings.CELERY_BROKER_URL

    @property
    def heartbeat_path(self) -> str:
        """The file that shows that a Celery process is alive. Empty if there is none."""
        return settings.HEARTBEAT_PATH

    @property
    def mail_server(self) -> tuple[str, int] | None:
        """Host and port of the SMTP server. ``None`` if mails are not sent by SMTP."""
        if django.VERSION >= (6, 1):
            mailer = settings.MAILERS["default"]  # type: ignore[misc]  # missing in Django 5.2
            options = mailer.get("OPTIONS", {})
            backend, host, port = mailer["BACKEND"], options.get("host", "localhost"), options.get("port", 25)
        else:
            backend, host, port = settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT
        return (host, int(port)) if backend.endswith(".smtp.EmailBackend") else None


def _is_in_memory(name: str) -> bool:
    """Return whether an SQLite database has no file."""
    return ":memory:" in name or name.startswith("file:memorydb")


site = Site()
