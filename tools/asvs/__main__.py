"""``python -m asvs``: write docs/security/asvs.md."""

from pathlib import Path

from asvs.rows import load, marks, render

ROOT = Path(__file__).resolve().parents[2]

page = render(load(ROOT / "docs/security/asvs"), marks(ROOT))
(ROOT / "docs/security/asvs.md").write_text(page, encoding="utf-8")
