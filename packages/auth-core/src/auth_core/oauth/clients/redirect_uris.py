"""Which redirect addresses an application may have, and which of them a request names.

Source: OAuth 2.1 sections 2.3 and 4.1.1, RFC 8252 sections 7 and 8.4, RFC 9700 sections 2.1 and 4.1.3.
"""

from collections.abc import Collection
from urllib.parse import SplitResult, urlsplit

from django.utils.translation import gettext as _

from auth_core.text import Pattern

#: Hosts of the computer itself. A native application listens there, on a port that it gets when it starts.
LOOPBACK_HOSTS = frozenset({"127.0.0.1", "::1", "localhost"})

#: Printable ASCII without what parsers read in different ways: space, quotes, backslash, angle brackets, braces, the
#: circumflex, the grave accent and the bar.
_UNAMBIGUOUS = Pattern(r"[!#-&(-;=?-\[\]_a-z~]+", at_most=2000)

#: A loopback address: its host, its port, and the rest.
_LOOPBACK = Pattern(r"(http://(?:127\.0\.0\.1|\[::1\]|localhost))(?::[0-9]{1,5})?((?:[/?].*)?)", at_most=2000)

#: A scheme of an application: the reverse of a domain name, with at least one dot (RFC 8252 section 7.1).
_PRIVATE_SCHEME = Pattern(r"[a-z][a-z0-9+.-]*", at_most=100)


def why_not_allowed(uri: str) -> str:
    """Return why no application may have this redirect address. Empty if one may.

    Allowed are https, http for the computer itself, and private schemes with a dot. A fragment would be lost or would leak,
    and a wildcard would let a neighbour receive codes.
    """
    parts = _split(uri)
    if parts is None or "#" in uri or "*" in uri:
        return _("This is not an absolute address without a fragment and wildcards.")
    if parts.username is not None or parts.password is not None:
        return _("An address must not contain credentials.")
    if parts.scheme == "https":
        return "" if parts.hostname else _("This address has no host.")
    if parts.scheme == "http":
        is_loopback = parts.hostname in LOOPBACK_HOSTS and _LOOPBACK.fullmatch(uri)
        return "" if is_loopback else _("Use https. Only addresses of the computer itself may use http.")
    return (
        ""
        if _is_private(parts.scheme) and uri.startswith(f"{parts.scheme}:/")
        else _("A scheme of an application needs a dot, such as com.example.app:/callback.")
    )


def why_no_origin(uri: str) -> str:
    """Return why *uri* is no origin of scripts that an application may have. Empty if it is one.

    It is compared with the header ``Origin`` as a string, so it has a scheme, a host and a port, and nothing else.
    """
    parts = _split(uri)
    if parts is None or uri != f"{parts.scheme}://{parts.netloc}" or uri != uri.lower():
        return _("This is not an origin, such as https://app.example.org.")
    return why_not_allowed(uri)


def is_registered(uri: str, registered: Collection[str]) -> bool:
    """Return whether *uri* is one of *registered*, compared as a string.

    The port of a loopback address is not compared: the application does not know it before it starts. An address that no
    application may have is never accepted, even if it stands in the table.
    """
    if why_not_allowed(uri):
        return False
    if uri in registered:
        return True
    loopback = _LOOPBACK.fullmatch(uri)
    return loopback is not None and any(_is_same_loopback(loopback.groups(), other) for other in registered)


def is_web(uri: str) -> bool:
    """Return whether *uri* proves who receives an answer. Any program on a computer can have the other addresses."""
    return uri.startswith("https://")


def web_host_of(uri: str) -> str:
    """Return the host that alone receives answers at *uri*. Empty for an address on the device of the person."""
    host = urlsplit(uri).hostname or ""
    return host if is_web(uri) and host not in LOOPBACK_HOSTS else ""


def _is_private(scheme: str) -> bool:
    words = scheme.split(".")
    return _PRIVATE_SCHEME.fullmatch(scheme) is not None and len(words) > 1 and all(words)


def _is_same_loopback(parts: tuple[str, ...], other: str) -> bool:
    match = _LOOPBACK.fullmatch(other)
    return match is not None and match.groups() == parts


def _split(uri: str) -> SplitResult | None:
    """Split *uri*. ``None`` if parsers could disagree about it."""
    if not _UNAMBIGUOUS.fullmatch(uri):
        return None
    try:
        parts = urlsplit(uri)
        _port = parts.port
    except ValueError:
        return None
    return parts if parts.scheme and uri.startswith(f"{parts.scheme}:") else None
