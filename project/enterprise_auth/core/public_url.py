"""``PUBLIC_URL``: where people find the service, at the root of a host or below a path."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from auth_core.text import Pattern

FORM = (
    "must be https://host or https://host/path: a host that resolves, and nothing after ? or #. The first part of the path"
    " must not be one of the service's own, such as /login or /api"
)

#: First parts of the paths that the service answers itself. If the prefix began with one of them, a path would not say
#: whether a proxy has removed the prefix. A test compares them with the routes.
RESERVED = frozenset({
    ".well-known", "account", "admin", "api", "device", "email", "federation", "health", "invite", "logged-out", "login",
    "logout", "metrics", "not-me", "oauth", "password", "ready", "sessions", "setup", "signup", "static",
})  # fmt: skip

_PREFIX = Pattern(r"(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*", at_most=200)
_HIGHEST_PORT = 65_535


@dataclass(frozen=True, slots=True)
class PublicUrl:
    """The parts of the URL.

    Args:
        origin: Scheme, host and port.
        host: The host without its port.
        prefix: The path below which the service is, without a slash at the end. Empty at the root.
    """

    origin: str
    host: str
    prefix: str


def parse(text: str) -> PublicUrl | None:
    """Return the parts of *text*. ``None`` if it is not the URL of a site."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:  # the port, or the brackets of an IPv6 address
        return None
    prefix = parts.path.rstrip("/")
    is_site = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc and port != 0
    has_more = any(mark in text for mark in "?#\\") or any(letter.isspace() for letter in text)
    if not is_site or has_more or not _PREFIX.fullmatch(prefix) or prefix[1:].split("/")[0] in RESERVED:
        return None
    return PublicUrl(f"{parts.scheme}://{parts.netloc}", parts.hostname or "", prefix)


def is_https(text: str) -> bool:
    """Return whether *text* is the URL of a site over HTTPS."""
    url = parse(text)
    return url is not None and url.origin.startswith("https://")


def prefix_of(text: str) -> str:
    """Return the path below which the service is. Empty at the root, and for a URL that is reported as wrong."""
    url = parse(text)
    return "" if url is None else url.prefix


def without_prefix(path: str, prefix: str) -> str:
    """Return the path inside the service. Some proxies remove the prefix, others pass it on."""
    return path.removeprefix(prefix) or "/" if prefix and f"{path}/".startswith(f"{prefix}/") else path
