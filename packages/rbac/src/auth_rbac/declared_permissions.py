"""Permissions that a site declares in its settings, made like Django's own after every migration."""

from django.apps import apps
from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.db import connections

from auth_rbac.conf import rbac

#: app, model and codename
_PARTS = 3


def make_declared(using: str) -> None:
    """Make what is declared and not there; what is declared no more stays until somebody deletes it."""
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
    """Say whether *name* is ``app.model.codename`` of a model that is installed."""
    parts = name.split(".")
    if len(parts) != _PARTS or not all(parts):
        return False
    try:
        apps.get_model(parts[0], parts[1])
    except LookupError:
        return False
    return True
