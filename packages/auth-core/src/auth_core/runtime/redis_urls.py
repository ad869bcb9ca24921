"""URLs of Redis: a server, a server with TLS, a Unix socket, or a master that Sentinel names.

``redis+sentinel://user:password@host1:26379,host2:26379/service/0`` is the master of ``service``. With
``rediss+sentinel://`` the master and the Sentinels use TLS. Options of redis-py, such as ``ssl_ca_certs``, are in the
query, and ``sentinel_username`` and ``sentinel_password`` are those of the Sentinels.

Redis Cluster is not supported: one command of ours needs several keys, which a cluster keeps on different nodes.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

try:
    import redis
    import redis.sentinel as redis_sentinel
    from redis.connection import URL_QUERY_ARGUMENT_PARSERS
except ImportError:  # pragma: no cover - the extra is not installed, and REDIS_URL is empty
    redis = None  # type: ignore[assignment]  # only used with a URL
    redis_sentinel = None  # type: ignore[assignment]  # as above
    URL_QUERY_ARGUMENT_PARSERS = {}

CLUSTER = "names a Redis Cluster, which is not supported: use one server, or Sentinel (redis+sentinel://)"
FORM = (
    "must be redis://, rediss:// (TLS), unix:///path, or redis+sentinel://host:26379,host:26379/service,"
    " with # ? / @ in the password as %23 %3F %2F %40"
)

_SERVERS = ("redis", "rediss")
_SENTINELS = ("redis+sentinel", "rediss+sentinel")
_SENTINEL_PORT = 26379


@dataclass(frozen=True, slots=True)
class SentinelAddress:
    """The master of a service, and the Sentinels that know it.

    Args:
        sentinels: Host and port of each Sentinel.
        service: The name of the service.
        db: The number of the database.
        is_tls: Whether the master and the Sentinels use TLS.
        credentials: ``username`` and ``password`` at the master, as far as they are set.
        sentinel_credentials: The same at the Sentinels.
        options: Further options of redis-py.
    """

    sentinels: tuple[tuple[str, int], ...]
    service: str
    db: int
    is_tls: bool
    credentials: Mapping[str, str] = field(repr=False)
    sentinel_credentials: Mapping[str, str] = field(repr=False)
    options: Mapping[str, Any]


def problem_of(url: str) -> str:
    """Return why *url* cannot be used. Empty if it can. The text contains no part of the URL."""
    parts = urlsplit(url)
    if "cluster" in parts.scheme:
        return CLUSTER
    if parts.scheme == "unix":
        return "" if parts.path.strip("/") and not parts.fragment else FORM
    try:
        if parts.scheme in _SENTINELS:
            sentinel_of(url)
            return ""
        is_server = parts.scheme in _SERVERS and parts.hostname and parts.port != 0 and not parts.fragment
    except ValueError:  # the port, the number of the database or the brackets of an IPv6 address
        return FORM
    return "" if is_server and _is_number(parts.path.strip("/")) else FORM


def sentinel_of(url: str) -> SentinelAddress | None:
    """Return the parts of a URL of Sentinel. ``None`` for another URL.

    Raises:
        ValueError: it is malformed.
    """
    parts = urlsplit(url)
    if parts.scheme not in _SENTINELS:
        return None
    userinfo, _at, hosts = parts.netloc.rpartition("@")
    user, _colon, password = userinfo.partition(":")
    service, _slash, db = parts.path.strip("/").partition("/")
    if not hosts or not service or parts.fragment or not _is_number(db):
        raise ValueError(FORM)
    options = dict(parse_qsl(parts.query))
    return SentinelAddress(
        sentinels=tuple(_host_and_port(host) for host in hosts.split(",")),
        service=unquote(service),
        db=int(db or 0),
        is_tls=parts.scheme == "rediss+sentinel",
        credentials=_set(username=unquote(user), password=unquote(password)),
        sentinel_credentials=_set(
            username=options.pop("sentinel_username", ""), password=options.pop("sentinel_password", "")
        ),
        options={name: _parsed(name, value) for name, value in options.items()},
    )


def pool_of(url: str, **options: Any) -> Any:
    """Return a new connection pool for *url*.

    Args:
        options: Options of redis-py for its connections. The query of the URL overrides them.

    Raises:
        ValueError: the URL is malformed, or names a cluster.
    """
    if problem := problem_of(url):
        raise ValueError(problem)
    address = sentinel_of(url)
    if address is None:
        return redis.ConnectionPool.from_url(url, **options)
    shared = {**options, **address.options}
    of_sentinels = {name: value for name, value in shared.items() if name.startswith(("socket_", "ssl_"))}
    tls = {"ssl": True} if address.is_tls else {}
    sentinels = redis_sentinel.Sentinel(  # type: ignore[no-untyped-call]  # redis-py
        address.sentinels, sentinel_kwargs={**of_sentinels, **address.sentinel_credentials, **tls}
    )
    return redis_sentinel.SentinelConnectionPool(  # type: ignore[no-untyped-call]  # redis-py
        address.service, sentinels, **shared, **address.credentials, **tls, db=address.db
    )


def _host_and_port(text: str) -> tuple[str, int]:
    parts = SplitResult("", text, "", "", "")
    if not parts.hostname:
        raise ValueError(FORM)
    return parts.hostname, parts.port or _SENTINEL_PORT


def _parsed(name: str, value: str) -> Any:
    """Return an option of the query in the type that redis-py wants."""
    parser: Any = URL_QUERY_ARGUMENT_PARSERS.get(name, str)
    return parser(value)


def _is_number(text: str) -> bool:
    return not text or (text.isascii() and text.isdigit())


def _set(**values: str) -> dict[str, str]:
    return {name: value for name, value in values.items() if value}
