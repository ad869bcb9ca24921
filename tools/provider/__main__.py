"""``python -m provider``: write docs/security/provider.md. With ``--check``, fail if it is stale."""

import sys
from pathlib import Path

from generated_files import write_or_check
from planted.defects import load as load_defects
from provider.rows import load_modules, load_tables, render

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    page = render(load_tables(ROOT), load_modules(ROOT, load_defects()))
    sys.exit(write_or_check(ROOT / "docs/security/provider.md", page))
