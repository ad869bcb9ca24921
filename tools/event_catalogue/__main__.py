"""``python -m event_catalogue``: write docs/reference/events.md."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "project"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_auth.settings.testing")
    import django

    django.setup()
    from auth_core.events import catalogue
    from event_catalogue.page import render

    path = ROOT / "docs" / "reference" / "events.md"
    path.parent.mkdir(exist_ok=True)
    path.write_text(render(catalogue.values()), encoding="utf-8")
