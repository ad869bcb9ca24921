"""Static files that pages name but that were not collected. Every page with one of them would fail."""

from typing import Any

from django.apps import apps
from django.contrib.staticfiles.finders import get_finders
from django.contrib.staticfiles.storage import staticfiles_storage

REMEDY = "Run manage.py collectstatic."


class NotCollected(Exception):
    """The service does not start, because its pages would fail."""


def uncollected() -> list[str]:
    """Return the names of static files without an entry in the manifest. Empty if the site needs no manifest."""
    storage: Any = staticfiles_storage  # a `ManifestFilesMixin`, if it has a manifest
    manifest = getattr(storage, "hashed_files", None)
    if manifest is None:
        return []
    app: Any = apps.get_app_config("staticfiles")
    return [
        name
        for finder in get_finders()
        for name, _source in finder.list(app.ignore_patterns)
        if storage.hash_key(storage.clean_name(name)) not in manifest
    ]


def check_collected() -> None:
    """Stop if static files were not collected since the installation or the last upgrade.

    Raises:
        NotCollected: They were not.
    """
    if names := uncollected():
        raise NotCollected(f"The service does not start: {len(names)} static files are not collected. {REMEDY}")
