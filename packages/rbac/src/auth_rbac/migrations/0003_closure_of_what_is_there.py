from typing import Any

from django.db import migrations

from auth_rbac.database import indexes, triggers


def close(apps: Any, schema_editor: Any) -> None:
    """Let every role that is there be its own ancestor; there are no edges yet."""
    role, closure = apps.get_model("auth_rbac", "Role"), apps.get_model("auth_rbac", "RoleClosure")
    alias = schema_editor.connection.alias
    known = closure.objects.using(alias).filter(distance=0).values("role")
    closure.objects.using(alias).bulk_create(
        closure(role_id=pk, ancestor_id=pk, distance=0)
        for pk in role.objects.using(alias).exclude(pk__in=known).values_list("pk", flat=True)
    )


def lift(apps: Any, schema_editor: Any) -> None:
    """Take the triggers away that would write into tables that go; `post_migrate` lays them."""
    triggers.lift(schema_editor.connection.alias)
    indexes.lift(schema_editor.connection.alias)


class Migration(migrations.Migration):
    """The closure of what is there."""

    dependencies = [("auth_rbac", "0002_hierarchy_denials_scopes")]

    operations = [migrations.RunPython(close, lift)]
