"""What the service reads of Django's own settings when it runs."""

import django
from django.conf import settings


class Site:
    """Django's settings, read when asked."""

    @property
    def debug(self) -> bool:
        """Whether this is somebody's own machine."""
        return settings.DEBUG

    @property
    def secret_key(self) -> str:
        """What signs."""
        return settings.SECRET_KEY

    @property
    def allowed_hosts(self) -> list[str]:
        """Which hosts are let in."""
        return list(settings.ALLOWED_HOSTS)

    @property
    def longest_body(self) -> int:
        """How many bytes the body of a request may have."""
        return settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0

    @property
    def cookie_names(self) -> dict[str, str]:
        """What Django's cookies are called, by setting."""
        return {
            "SESSION_COOKIE_NAME": settings.SESSION_COOKIE_NAME,
            "CSRF_COOKIE_NAME": settings.CSRF_COOKIE_NAME,
        }

    @property
    def open_cookies(self) -> list[str]:
        """The settings that let a cookie travel without TLS."""
        secure = {
            "SESSION_COOKIE_SECURE": settings.SESSION_COOKIE_SECURE,
            "CSRF_COOKIE_SECURE": settings.CSRF_COOKIE_SECURE,
        }
        return [name for name, is_set in secure.items() if not is_set]

    @property
    def mail_server(self) -> tuple[str, int] | None:
        """Host and port of the SMTP server that mails go to; ``None``: they go elsewhere."""
        if django.VERSION >= (6, 1):
            mailer = settings.MAILERS["default"]  # type: ignore[misc]  # Django 5.2 has none
            options = mailer.get("OPTIONS", {})
            backend, host, port = mailer["BACKEND"], options.get("host", "localhost"), options.get("port", 25)
        else:
            backend, host, port = settings.EMAIL_BACKEND, settings.EMAIL_HOST, settings.EMAIL_PORT
        return (host, int(port)) if backend.endswith(".smtp.EmailBackend") else None


site = Site()
