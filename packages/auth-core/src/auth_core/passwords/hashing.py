"""Verifying passwords, each within a slot of `hash_slots`.

Source: NIST SP 800-63B-4 section 3.1.1.2, ASVS 6.2.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Protocol

from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from auth_core.errors import Unavailable
from auth_core.passwords import policy
from auth_core.passwords.hash_slots import hash_slot


class Refundable(Protocol):
    """What has been paid for a look at a password, and can be given back: a `limits.Charge`."""

    def cancel(self) -> None:
        """Give all of it back: nobody has looked."""


def verify(user: Any, password: str) -> bool:
    """Say whether *password* is the password of *user*, with the work of one hash whoever it is.

    A right password under other parameters than today's is hashed again.

    Raises:
        Unavailable: too many passwords are hashed at this moment; none was compared.
    """
    with hash_slot():
        if user is None:
            burn(password)
            return False
        return bool(user.check_password(password)) or _verify_imported(user, password)


def burn(password: str) -> None:
    """Do the work of one hash for nobody (ASVS 6.3.8)."""
    make_password(password)


@contextmanager
def hash_slot_for(guess: Refundable) -> Iterator[None]:
    """Take the place of one hash for the block, which looks at what *guess* has paid for.

    One place for the whole block, whatever is hashed in it: a second backend that is refused after
    the first one has compared would make the guess a free one.

    Raises:
        Unavailable: there is none. Nobody has looked, and the guess is given back.
    """
    with ExitStack() as taken:
        try:
            taken.enter_context(hash_slot())
        except Unavailable:
            guess.cancel()
            raise
        yield


def _verify_imported(user: Any, password: str) -> bool:
    """Try the normalised form against a hash of another kind, which was tried as received already."""
    normalised = policy.normalise(password)
    if normalised == password or not user.has_usable_password() or identify_hasher(user.password).algorithm == "argon2":
        return False
    return check_password(normalised, user.password)
