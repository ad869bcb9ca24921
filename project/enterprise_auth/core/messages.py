"""Storage of page messages in a cookie that no other host can set."""

from django.contrib.messages.storage.cookie import CookieStorage
from django.contrib.messages.storage.fallback import FallbackStorage
from django.contrib.messages.storage.session import SessionStorage


class HostCookieStorage(CookieStorage):
    """Django's cookie storage, with a name for which browsers require Secure, the path / and no domain."""

    cookie_name = "__Host-messages"


class MessageStorage(FallbackStorage):
    """Django's own order: the cookie first, then the session for messages that do not fit.

    So a message on an anonymous page creates no session row.
    """

    storage_classes = (HostCookieStorage, SessionStorage)
