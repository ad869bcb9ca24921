"""Redis for Django's cache and for Celery, by the same URLs as the shared cache of the packages."""

import ssl
from collections.abc import Mapping
from typing import Any
from urllib.parse import SplitResult, parse_qsl, quote, urlsplit, urlunsplit

from django_redis.pool import ConnectionFactory  # type: ignore[import-untyped]  # the library is untyped

from auth_core.runtime.redis_urls import FORM, pool_of, problem_of, sentinel_of

_VERIFICATIONS = {"required": ssl.CERT_REQUIRED, "optional": ssl.CERT_OPTIONAL, "none": ssl.CERT_NONE}

#: Schemes that Celery reads as they are: of other brokers, and its own for a Redis on a Unix socket.
_OTHER_BROKERS = ("amqp", "amqps", "pyamqp", "sqs", "redis+socket")


class CacheConnectionFactory(ConnectionFactory):  # type: ignore[misc]  # django-redis
    """Connects django-redis by the URLs of `auth_core.runtime.redis_urls`."""

    def get_connection_pool(self, params: dict[str, Any]) -> Any:
        """Return a new pool."""
        options = {name: value for name, value in params.items() if name != "url"}
        return pool_of(params["url"], **options)


def broker_problem(url: str) -> str:
    """Return why *url* cannot be the broker. Empty if it can. The text contains no part of the URL."""
    parts = urlsplit(url)
    if parts.scheme in _OTHER_BROKERS:
        return ""
    if parts.scheme == "sentinel":
        return "must be redis+sentinel://host:26379,host:26379/service instead of sentinel://"
    problem = problem_of(url)
    return f"{problem}, or amqp:// or amqps://" if problem == FORM else problem


def broker_settings(url: str) -> dict[str, Any]:
    """Return Celery's settings for the broker at *url*. It has no `broker_problem`."""
    parts = urlsplit(url)
    if parts.scheme == "unix":
        # urlunsplit leaves out the slashes of an empty host, without which kombu connects to AMQP.
        return {"CELERY_BROKER_URL": f"redis+socket://{parts.path}{'?' if parts.query else ''}{parts.query}"}
    address = sentinel_of(url)
    if address is None:
        tls = _tls(dict(parse_qsl(parts.query))) if parts.scheme == "rediss" else {}
        # kombu reads the options of TLS from its settings. In the URL it knows only some of them.
        bare = urlunsplit((parts.scheme, parts.netloc, parts.path, "", "")) if tls else url
        return {"CELERY_BROKER_URL": bare, **({"CELERY_BROKER_USE_SSL": tls} if tls else {})}
    user, password = (quote(address.credentials.get(name, ""), safe="") for name in ("username", "password"))
    userinfo = f"{user}:{password}@" if address.credentials else ""
    hosts = [SplitResult("sentinel", f"{userinfo}{_bracketed(host)}:{port}", f"/{address.db}", "", "").geturl()
             for host, port in address.sentinels]  # fmt: skip
    tls = _tls(address.options) if address.is_tls else {}
    sentinel_options = {**address.sentinel_credentials, **({"ssl": True, **tls} if tls else {})}
    options = {"master_name": address.service, "sentinel_kwargs": sentinel_options}
    return {
        "CELERY_BROKER_URL": ";".join(hosts),
        "CELERY_BROKER_TRANSPORT_OPTIONS": options,
        **({"CELERY_BROKER_USE_SSL": tls} if tls else {}),
    }


def _tls(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options of TLS. Without one, the certificate is verified with the authorities of the system."""
    found = {name: value for name, value in options.items() if name.startswith("ssl_")}
    verification = str(found.get("ssl_cert_reqs", "required")).lower().removeprefix("cert_")
    found["ssl_cert_reqs"] = _VERIFICATIONS.get(verification, ssl.CERT_REQUIRED)
    if "ssl_check_hostname" in found:
        found["ssl_check_hostname"] = str(found["ssl_check_hostname"]).lower() not in ("false", "0", "no")
    return found


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host
