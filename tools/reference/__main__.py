"""``python -m reference``: write docs/reference. With ``--check``, fail when a page is stale."""

import os
import sys
from pathlib import Path

from generated_files import write_or_check

ROOT = Path(__file__).resolve().parents[2]

if __name__ == "__main__":
    sys.path.insert(0, str(ROOT / "project"))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "enterprise_auth.settings.testing")
    import django

    django.setup()
    from reference.pages import pages

    sys.exit(max([write_or_check(ROOT / f"docs/reference/{name}.md", page) for name, page in pages().items()]))
