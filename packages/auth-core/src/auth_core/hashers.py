"""The password hasher: argon2id with our parameters, over the normalised password."""

from functools import partial

from django.contrib.auth.hashers import Argon2PasswordHasher

from auth_core.conf import core
from auth_core.passwords import hash_threads
from auth_core.passwords.hash_slots import hash_slot
from auth_core.passwords.policy import normalise


class Argon2idHasher(Argon2PasswordHasher):
    """argon2id with t=2, m=19 MiB, p=1 unless settings override it.

    Django's own parameters (m=100 MiB, p=8) cost five times as much without better
    protection (OWASP Password Storage Cheat Sheet; ASVS 11.4.2). The name ``argon2`` is
    Django's, so that existing hashes are verified, and upgraded at the next login.

    ``AUTH_CORE["MAX_PARALLEL_HASHES"]`` limits parallel hashes. See `hash_slots`.
    """

    @property
    def time_cost(self) -> int:  # type: ignore[override]  # Django has class attributes here
        """Passes over the memory."""
        return core.PASSWORD_TIME_COST

    @property
    def memory_cost(self) -> int:  # type: ignore[override]  # as above
        """Memory, in KiB."""
        return core.PASSWORD_MEMORY_COST

    @property
    def parallelism(self) -> int:  # type: ignore[override]  # as above
        """Lanes."""
        return core.PASSWORD_PARALLELISM

    def encode(self, password: str, salt: str) -> str:
        """Return the hash of *password* after NFKC, the only change made to it.

        Raises:
            Unavailable: too many passwords are being hashed.
        """
        with hash_slot():
            encoded: str = hash_threads.run(partial(super().encode, normalise(password), salt))
        return encoded

    def verify(self, password: str, encoded: str) -> bool:
        """Return whether *password* matches.

        A hash with other parameters may come from a system that did not normalise. It is
        compared with the password as received first.

        Raises:
            Unavailable: too many passwords are being hashed. Nothing was compared.
        """
        normalised = normalise(password)
        with hash_slot():
            verify = super().verify
            if normalised != password and self.must_update(encoded):
                return hash_threads.run(lambda: verify(password, encoded) or bool(verify(normalised, encoded)))
            return bool(hash_threads.run(partial(verify, normalised, encoded)))
