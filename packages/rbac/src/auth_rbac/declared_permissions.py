"""Permissions that a site declares in its settings. They are created after every migration."""

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections

from auth_rbac.conf import rbac

#: App, model and codename.
_PARTS = 3


def make_declared(using: str) -> None:
    """Create the missing declared permissions. A permission that is no longer declared stays until it is deleted."""
    if not rbac.PERMISSIONS or Permission._meta.db_table not in connections[using].introspection.table_names():
        return
    for name, sentence in rbac.PERMISSIONS.items():
        if is_declarable(name):
            app, model, codename = name.split(".")
            kind = ContentType.objects.db_manager(using).get_for_model(apps.get_model(app, model))
            Permission.objects.using(using).get_or_create(
                content_type=kind, codename=codename, defaults={"name": sentence}
            )


def is_declarable(name: str) -> bool:
    """Tell whether *name* is ``app.model.codename`` of an installed model."""
    parts = name.split(".")
    if len(parts) != _PARTS or not all(parts):
        return False
    try:
        apps.get_model(parts[0], parts[1])
    except LookupError:
        return False
    return True
