"""``python -m asvs``: write docs/security/asvs.md. With ``--check``, fail if it is stale."""

import sys
from pathlib import Path

from asvs.rows import load, marks, render
from generated_files import write_or_check

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    page = render(load(ROOT / "docs/security/asvs"), marks(ROOT))
    sys.exit(write_or_check(ROOT / "docs/security/asvs.md", page))
