"""Requirements that the environment must meet in production."""

from base64 import b64decode
from email.utils import parseaddr
from ipaddress import ip_network
from pathlib import Path

from django.http.request import validate_host

from auth_core.crypto.weak_keys import RECIPE, is_varied, weakness_of
from auth_core.request.client import UNIX
from auth_core.runtime.redis_urls import problem_of
from auth_core.text import Pattern
from enterprise_auth.core import public_url
from enterprise_auth.core.redis_servers import broker_problem
from enterprise_auth.env import Environment

_SECRET_LENGTH = 50
_FIELD_KEY_LENGTH = 43
_KEY_BYTES = 32
_KEY_ID = Pattern(r"[A-Za-z0-9_-]{1,32}", at_most=32)

#: The default of HSTS_SECONDS, and the least time that the preload list of browsers accepts.
HSTS_YEAR = 31_536_000

WEAK_SECRET = f"is weak: it needs {_SECRET_LENGTH} characters, not generated for development and not repetitive"


def is_strong_secret(text: str) -> bool:
    """Return whether *text* may sign: long, varied, and not a development key of Django."""
    return len(text) >= _SECRET_LENGTH and is_varied(text) and not text.startswith(("django-insecure", "test-only"))


def check(env: Environment) -> None:
    """Record everything else that is missing or unsafe in production."""
    if env.flag("DEBUG"):
        env.wrong("DEBUG", "is on")
    _check_hosts(env)
    if not env.text("FIELD_KEYS"):
        env.wrong("FIELD_KEYS", "is missing")
    for name in ("FIELD_KEYS", "AUDIT_SIGNING_KEYS"):
        _check_keys(env, name)
    if not all(is_strong_secret(key) for key in env.many("SECRET_KEY_FALLBACKS")):
        env.wrong("SECRET_KEY_FALLBACKS", "contains a weak key")
    check_common(env)


def check_common(env: Environment) -> None:
    """Record what is malformed, for every settings module."""
    for name in ("CSRF_TRUSTED_ORIGINS", "CORS_ALLOWED_ORIGINS"):
        _check_origins(env, name, may_have_wildcard=name == "CSRF_TRUSTED_ORIGINS")
    if wrong := [network for network in env.many("TRUSTED_PROXIES") if not _is_network(network)]:
        env.wrong(
            "TRUSTED_PROXIES", f"contains an invalid network, or the whole Internet: {_shown(wrong)}{_hint(wrong)}"
        )
    _check_servers(env)
    _check_mail(env)
    for name in ("EMAIL_PORT", "WEB_WORKERS", "WEB_THREADS", "WEB_LOGIN_THREADS", "WEB_LOGIN_QUEUE", "WEB_LOGIN_WAIT"):
        env.number(name)
    path = env.text("GEOIP_PATH")
    if path and not Path(path).is_file():
        env.wrong("GEOIP_PATH", "names no file")


def _check_servers(env: Environment) -> None:
    for name in ("REDIS_URL", "REDIS_SESSION_URL"):
        if env.text(name) and (problem := problem_of(env.text(name))):
            env.wrong(name, problem)
    if env.text("BROKER_URL") and (problem := broker_problem(env.text("BROKER_URL"))):
        env.wrong("BROKER_URL", problem)


def _check_mail(env: Environment) -> None:
    if any(mark in env.text("EMAIL_HOST") for mark in ":/@ "):
        env.wrong("EMAIL_HOST", "must be a host, without a scheme, port or user")
    if "@" not in parseaddr(env.text("DEFAULT_FROM_EMAIL", "auth@localhost"))[1]:
        env.wrong("DEFAULT_FROM_EMAIL", "must be an address, as auth@example.org or Example <auth@example.org>")


def _check_hosts(env: Environment) -> None:
    hosts = env.many("ALLOWED_HOSTS")
    if not hosts or "*" in hosts:
        env.wrong("ALLOWED_HOSTS", "is missing or allows every host")
        return
    if wrong := [host for host in hosts if not _is_host(host)]:
        env.wrong(
            "ALLOWED_HOSTS",
            f"must contain hosts without a scheme, port or path, and .example.org for all below it: {_shown(wrong)}",
        )
        return
    url = public_url.parse(env.text("PUBLIC_URL"))
    if url is not None and not validate_host(_bracketed(url.host), hosts):
        env.wrong("ALLOWED_HOSTS", "does not contain the host of PUBLIC_URL, so every page would be refused")


def _is_host(text: str) -> bool:
    host = text.removeprefix(".")
    if host.startswith("[") and host.endswith("]"):
        return ":" in host
    return bool(host) and not any(mark in host for mark in ":/*@?# ")


def _check_origins(env: Environment, name: str, *, may_have_wildcard: bool) -> None:
    wrong = [origin for origin in env.many(name) if not _is_origin(origin, may_have_wildcard=may_have_wildcard)]
    if wrong:
        env.wrong(name, f"must contain origins such as https://example.org, without a path: {_shown(wrong)}")


def _is_origin(text: str, *, may_have_wildcard: bool) -> bool:
    url = public_url.parse(text.replace("://*.", "://any.", 1) if may_have_wildcard else text)
    return url is not None and not url.prefix and not text.endswith("/") and "*" not in url.host


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _shown(values: list[str]) -> str:
    """Return wrong values, shortened. Only for variables that are not secret, without what could be a password."""
    return ", ".join(repr(value.rpartition("@")[2][:60]) for value in values[:3])


def _hint(networks: list[str]) -> str:
    """Return how to write a network whose address has bits below its prefix."""
    try:
        network = ip_network(networks[0], strict=False)
    except ValueError:
        return ""
    return f" (write {network})" if network.prefixlen else ""


def _check_keys(env: Environment, name: str) -> None:
    """Record keys of *name* that are short or guessable, without showing key material."""
    others = [env.text("SECRET_KEY"), *env.many("SECRET_KEY_FALLBACKS")]
    if name != "FIELD_KEYS":
        others += env.keys("FIELD_KEYS").values()
    for key_id, value in env.keys(name).items():
        if not _KEY_ID.fullmatch(key_id):
            env.wrong(name, "contains an id that is not of 1 to 32 letters, digits, - and _")
        elif not _is_key(value):
            env.wrong(name, f"contains a key, {key_id!r}, that is not 32 bytes in base64url. Generate one: {RECIPE}")
        elif weakness := weakness_of(value, secrets=others):
            env.wrong(name, f"contains a weak key, {key_id!r}: it is {weakness}. Generate one: {RECIPE}")


def _is_key(text: str) -> bool:
    """Return whether *text* is base64url of 32 bytes. The alphabet with + and / is another one."""
    bare = text.rstrip("=")
    try:
        return (
            len(bare) == _FIELD_KEY_LENGTH and len(b64decode(f"{bare}=", altchars=b"-_", validate=True)) == _KEY_BYTES
        )
    except ValueError:
        return False


def _is_network(text: str) -> bool:
    """Return whether *text* is a network of proxies. The whole Internet is not."""
    try:
        return text == UNIX or ip_network(text).prefixlen > 0
    except ValueError:
        return False
