"""Keys for development. They are generated once, stored beside the SQLite file, and never used in production."""

import base64
import json
import os
import secrets
from pathlib import Path


def development_keys(folder: Path) -> dict[str, str]:
    """Return the keys of this checkout. Generate them if there are none."""
    path = folder / "development-keys.json"
    if not path.exists():
        new_keys = {"secret_key": secrets.token_urlsafe(64), "field_key": _field_key()}
        _write_privately(path, json.dumps(new_keys))
    keys: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return keys


def _field_key() -> str:
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).rstrip(b"=").decode()


def _write_privately(path: Path, text: str) -> None:
    """Write a file that only its owner can read. If two processes write at once, one file is kept whole."""
    draft = path.with_suffix(f".{os.getpid()}")
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass  # another process was first, and its keys are used
    finally:
        draft.unlink()
