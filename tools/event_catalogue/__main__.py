"""``python -m event_catalogue``: write docs/reference/events.md. With ``--check``, fail if it is stale."""

import os
import sys
from pathlib import Path

from generated import write_or_check

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "project"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_auth.settings.testing")
    import django

    django.setup()
    from auth_core.events import catalogue
    from event_catalogue.page import render

    sys.exit(write_or_check(ROOT / "docs/reference/events.md", render(catalogue.values())))
