"""Requirements that the environment must meet in production."""

from ipaddress import ip_network
from urllib.parse import urlsplit

from auth_core.crypto.weak_keys import RECIPE, is_varied, weakness_of
from auth_core.request.client import UNIX
from enterprise_auth.env import Environment

_SECRET_LENGTH = 50
_FIELD_KEY_LENGTH = 43

WEAK_SECRET = f"is weak: it needs {_SECRET_LENGTH} characters, not generated for development and not repetitive"


def is_strong_secret(text: str) -> bool:
    """Return whether *text* may sign: long, varied, and not a development key of Django."""
    return len(text) >= _SECRET_LENGTH and is_varied(text) and not text.startswith(("django-insecure", "test-only"))


def is_https_origin(text: str) -> bool:
    """Return whether *text* is an https origin: a scheme and a host, nothing else."""
    parts = urlsplit(text)
    return parts.scheme == "https" and bool(parts.hostname) and parts.path in ("", "/") and not parts.query


def check(env: Environment) -> None:
    """Record everything else that is missing or unsafe."""
    if env.flag("DEBUG"):
        env.wrong("DEBUG", "is on")
    hosts = env.many("ALLOWED_HOSTS")
    if not hosts or "*" in hosts:
        env.wrong("ALLOWED_HOSTS", "is missing or allows every host")
    if not env.text("FIELD_KEYS"):
        env.wrong("FIELD_KEYS", "is missing")
    for name in ("FIELD_KEYS", "AUDIT_SIGNING_KEYS"):
        _check_keys(env, name)
    if not all(is_strong_secret(key) for key in env.many("SECRET_KEY_FALLBACKS")):
        env.wrong("SECRET_KEY_FALLBACKS", "contains a weak key")
    if not all(_is_network(network) for network in env.many("TRUSTED_PROXIES")):
        env.wrong("TRUSTED_PROXIES", "contains an invalid network, or the whole Internet")


def _check_keys(env: Environment, name: str) -> None:
    """Record keys of *name* that are short or guessable, without showing key material."""
    others = [env.text("SECRET_KEY"), *env.many("SECRET_KEY_FALLBACKS")]
    if name != "FIELD_KEYS":
        others += env.keys("FIELD_KEYS").values()
    for key_id, value in env.keys(name).items():
        if len(value.rstrip("=")) != _FIELD_KEY_LENGTH:
            env.wrong(name, "contains a key that is not 32 bytes long")
        elif weakness := weakness_of(value, secrets=others):
            env.wrong(name, f"contains a weak key, {key_id!r}: it is {weakness}. Generate one: {RECIPE}")


def _is_network(text: str) -> bool:
    """Return whether *text* is a network of proxies. The whole Internet is not."""
    try:
        return text == UNIX or ip_network(text).prefixlen > 0
    except ValueError:
        return False
