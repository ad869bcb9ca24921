"""A hasher that counts over all processes."""

import os

from auth_core.hashers import Argon2idHasher


class CountingHasher(Argon2idHasher):
    """Appends one byte to a file before it evaluates a password; an append is atomic between processes."""

    def verify(self, password: str, encoded: str) -> bool:
        """Count, then verify."""
        place = os.open(os.environ["LIVE_COUNT"], os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(place, b".")
        os.close(place)
        return super().verify(password, encoded)
