"""``./dev secrets``: write ``.env`` with the secrets of docker-compose.yml. Needs no installed package."""

import base64
import os
import secrets
import sys
from datetime import UTC, datetime
from pathlib import Path

PATH = Path(__file__).resolve().parents[1] / ".env"

#: Only the owner may read and write.
_PRIVATE = 0o600


def main() -> int:
    """Write the file. An existing one is never changed, because its keys decrypt the database."""
    try:
        write_secrets(PATH)
    except FileExistsError:
        print(f"{PATH.name} exists and was not changed. {_missing_text(PATH)}".rstrip(), file=sys.stderr)
        return 1
    print(f"Wrote {PATH.name}. Keep a copy in a safe place: without FIELD_KEYS, parts of the database are unreadable.")
    return 0


def write_secrets(path: Path) -> None:
    """Write new secrets to *path*, readable by its owner only.

    Raises:
        FileExistsError: there is such a file.
    """
    head = "# The secrets of docker-compose.yml, written by ./dev secrets. .env.example describes further variables.\n"
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(head + "".join(f"{name}={value}\n" for name, value in new_secrets().items()))


def new_secrets() -> dict[str, str]:
    """Return a random value for each variable without which the service does not start."""
    field_key = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode().rstrip("=")
    return {
        "SECRET_KEY": secrets.token_urlsafe(64),
        "FIELD_KEYS": f"{datetime.now(UTC):%Y-%m}:{field_key}",
        "DB_PASSWORD": secrets.token_urlsafe(32),
    }


def _missing_text(path: Path) -> str:
    """Return which secrets *path* lacks, as a sentence. Empty if it has them all."""
    lines = [line.partition("=") for line in path.read_text(encoding="utf-8").splitlines()]
    present = {name.strip() for name, _equals, value in lines if value.strip()}
    missing = [name for name in new_secrets() if name not in present]
    return f"It lacks {', '.join(missing)}." if missing else ""


if __name__ == "__main__":
    sys.exit(main())
