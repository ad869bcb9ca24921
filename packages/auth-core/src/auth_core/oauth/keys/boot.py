"""Whether this service can sign, asked when a process starts and by ``/ready/``."""

from django.core.exceptions import ImproperlyConfigured
from django.db import Error

from auth_core.oauth.keys.key_set import KeysUnusable, load_keys
from auth_core.observability.health import Probe, Status

#: What access tokens and, by default, ID tokens are signed with.
_NEEDED = ("ES256", "RS256")


def missing_keys() -> str:
    """Return why this service cannot sign. Empty if it can.

    Raises:
        DatabaseError: the keys cannot be asked for.
    """
    try:
        usable = load_keys().algorithms
    except KeysUnusable as problem:
        return str(problem)
    missing = [name for name in _NEEDED if name not in usable]
    return f"There is no signing key for {', '.join(missing)}." if missing else ""


def refuse_without_keys() -> None:
    """Stop the start of a process whose signing keys are missing or corrupt. It never makes one up.

    A process that starts while the database is down serves 503 until it is back, like one that was there before.

    Raises:
        ImproperlyConfigured: with the reason.
    """
    try:
        problem = missing_keys()
    except Error:
        return
    if problem:
        raise ImproperlyConfigured(f"{problem} Run `manage.py migrate`, or `manage.py rotate_keys --signing`.")


def signing_keys() -> Probe:
    """Check that the signing keys are usable. A probe of ``/ready/``."""
    try:
        problem = missing_keys()
    except Error:
        problem = "database"
    return Probe("signing_keys", Status.FAILED if problem else Status.OK)
