"""Write generated pages, or compare them with ``--check``."""

import sys
from pathlib import Path


def write_or_check(path: Path, page: str) -> int:
    """Write *page* to *path*. With ``--check`` on the command line only compare. Return 1 if it is stale."""
    if "--check" not in sys.argv[1:]:
        path.parent.mkdir(exist_ok=True)
        path.write_text(page, encoding="utf-8")
        return 0
    if path.is_file() and path.read_text(encoding="utf-8") == page:
        return 0
    print(f"{path.name} is stale: run ./dev fix.")
    return 1
