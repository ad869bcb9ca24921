"""``python -m architecture``: draw the picture of docs/architecture.md. ``--check`` compares, ``figures`` counts."""

import sys
from pathlib import Path

from architecture.figures import table
from architecture.page import missing_files, with_picture
from architecture.picture import draw
from generated_files import write_or_check

ROOT = Path(__file__).resolve().parents[2]


def main() -> int:
    """Write or check the page, or print the figures."""
    if "figures" in sys.argv[1:]:
        print(table(Path(sys.argv[-1]) if Path(sys.argv[-1]).is_dir() else ROOT))
        return 0
    path = ROOT / "docs/architecture.md"
    page = path.read_text(encoding="utf-8")
    missing = list(missing_files(page, ROOT))
    print("".join(f"architecture.md: {line}\n" for line in missing), end="")
    return max(write_or_check(path, with_picture(page, draw())), 1 if missing else 0)


if __name__ == "__main__":
    sys.exit(main())
