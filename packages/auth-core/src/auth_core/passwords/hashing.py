"""Password verification, each within a slot of `hash_slots`.

Source: NIST SP 800-63B-4 section 3.1.1.2, ASVS 6.2.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Protocol

from django.contrib.auth.hashers import check_password, identify_hasher, make_password

from auth_core.errors import Unavailable
from auth_core.passwords import policy
from auth_core.passwords.hash_slots import hash_slot
from auth_core.users import AccountLike


class Refundable(Protocol):
    """A charge for a guess that can be cancelled: a `limits.Charge`."""

    def cancel(self) -> None:
        """Refund the whole charge, because nothing was checked."""


def verify(user: AccountLike | None, password: str) -> bool:
    """Return whether *password* is the password of *user*. Costs one hash, also without a user.

    A correct password that was hashed with outdated parameters is hashed again.

    Raises:
        Unavailable: too many passwords are being hashed. This one was not compared.
    """
    with hash_slot():
        if user is None:
            hash_and_discard(password)
            return False
        return bool(user.check_password(password)) or _verify_imported(user, password)


def hash_and_discard(password: str) -> None:
    """Do the work of one hash and discard it, so that an unknown user takes the same time (ASVS 6.3.8)."""
    make_password(password)


@contextmanager
def hash_slot_for(guess: Refundable) -> Iterator[None]:
    """Hold a hash slot for the block, which checks the guess that *guess* was charged for.

    One slot covers the whole block, however much it hashes. If a second backend were refused a slot after the first one
    had compared, the guess would be free.

    Raises:
        Unavailable: every slot is in use. Nothing was checked, and the charge is cancelled.
    """
    with ExitStack() as stack:
        try:
            stack.enter_context(hash_slot())
        except Unavailable:
            guess.cancel()
            raise
        yield


def _verify_imported(user: AccountLike, password: str) -> bool:
    """Compare the normalised password with an imported hash. The password as received was already compared."""
    normalised = policy.normalise(password)
    if normalised == password or not user.has_usable_password() or identify_hasher(user.password).algorithm == "argon2":
        return False
    return check_password(normalised, user.password)
