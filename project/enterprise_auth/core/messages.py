"""Messages of pages in a cookie that no other host can set."""

from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookieStorage(CookieStorage):
    """Django's storage in a cookie, under a name for which browsers demand Secure, the path / and no domain."""

    cookie_name = "__Host-messages"


class MessageStorage(FallbackStorage):
    """Django's own order: the cookie, and the session for what the cookie has no room for.

    An anonymous page leaves no session row for a message.
    """

    storage_classes = (HostCookieStorage, SessionStorage)
