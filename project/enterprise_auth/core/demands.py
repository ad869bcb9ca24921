"""What production asks of its environment before it starts."""

from ipaddress import ip_network
from urllib.parse import urlsplit

from auth_core.crypto.weak_keys import RECIPE, is_varied, weakness_of
from auth_core.request.client import UNIX
from enterprise_auth.env import Environment

_SECRET_LENGTH = 50
_FIELD_KEY_LENGTH = 43

WEAK_SECRET = f"is weak: it needs {_SECRET_LENGTH} characters, not generated for development and not repetitive"


def is_strong_secret(text: str) -> bool:
    """Say whether *text* may sign: long, varied, and not one that Django made for development."""
    return len(text) >= _SECRET_LENGTH and is_varied(text) and not text.startswith(("django-insecure", "test-only"))


def is_https_origin(text: str) -> bool:
    """Say whether *text* is where browsers reach us: https, a host, nothing else."""
    parts = urlsplit(text)
    return parts.scheme == "https" and bool(parts.hostname) and parts.path in ("", "/") and not parts.query


def check(env: Environment) -> None:
    """Note everything else that is missing or dangerous."""
    if env.flag("DEBUG"):
        env.wrong("DEBUG", "is on")
    hosts = env.many("ALLOWED_HOSTS")
    if not hosts or "*" in hosts:
        env.wrong("ALLOWED_HOSTS", "is missing or lets every host in")
    if not env.text("FIELD_KEYS"):
        env.wrong("FIELD_KEYS", "is missing")
    for name in ("FIELD_KEYS", "AUDIT_SIGNING_KEYS"):
        _check_keys(env, name)
    if not all(is_strong_secret(key) for key in env.many("SECRET_KEY_FALLBACKS")):
        env.wrong("SECRET_KEY_FALLBACKS", "holds a weak key")
    if not all(_is_network(network) for network in env.many("TRUSTED_PROXIES")):
        env.wrong("TRUSTED_PROXIES", "holds what is no network, or all of them")


def _check_keys(env: Environment, name: str) -> None:
    """Note which keys of *name* are short or could be guessed; never a character of one."""
    others = [env.text("SECRET_KEY"), *env.many("SECRET_KEY_FALLBACKS")]
    if name != "FIELD_KEYS":
        others += env.keys("FIELD_KEYS").values()
    for key_id, value in env.keys(name).items():
        if len(value.rstrip("=")) != _FIELD_KEY_LENGTH:
            env.wrong(name, "holds a key that is not 32 bytes")
        elif weakness := weakness_of(value, secrets=others):
            env.wrong(name, f"holds a weak key, {key_id!r}: it is {weakness}. Make a good one: {RECIPE}")


def _is_network(text: str) -> bool:
    """Say whether *text* names proxies of ours; the whole Internet is none."""
    try:
        return text == UNIX or ip_network(text).prefixlen > 0
    except ValueError:
        return False
