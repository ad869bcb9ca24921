import uuid
from typing import Any

import django.db.models.deletion
from django.db import migrations, models
from django.db.models import Q


def identify(apps: Any, schema_editor: Any) -> None:
    """Give every group a public id, so that a list of holders need not create them one by one."""
    group, identity = apps.get_model("auth", "Group"), apps.get_model("auth_rbac", "GroupIdentity")
    alias = schema_editor.connection.alias
    keys = group.objects.using(alias).values_list("pk", flat=True)
    identity.objects.using(alias).bulk_create((identity(group_id=pk) for pk in keys), batch_size=1000)


class Migration(migrations.Migration):
    """Services as holders of roles, and public ids of groups."""

    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("auth_rbac", "0003_closure_of_what_is_there"),
    ]

    operations = [
        migrations.CreateModel(
            name="GroupIdentity",
            fields=[
                (
                    "group",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="rbac_identity",
                        serialize=False,
                        to="auth.group",
                    ),
                ),
                ("public_id", models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.CreateModel(
            name="ServiceVersion",
            fields=[
                ("service_id", models.UUIDField(primary_key=True, serialize=False)),
                ("stamp", models.UUIDField(default=uuid.uuid4)),
            ],
            options={"default_permissions": ()},
        ),
        migrations.AddField(
            model_name="assignment",
            name="service_id",
            field=models.UUIDField(blank=True, help_text="Public ID of a service.", null=True, verbose_name="service"),
        ),
        migrations.AddIndex(
            model_name="assignment",
            index=models.Index(
                condition=Q(("service_id__isnull", False)), fields=["service_id"], name="auth_rbac_assignment_service"
            ),
        ),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.UniqueConstraint(
                condition=Q(("scope_type", None)), fields=("service_id", "role"), name="auth_rbac_service_everywhere"
            ),
        ),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.UniqueConstraint(
                condition=Q(("scope_type__isnull", False)),
                fields=("service_id", "role", "scope_type", "scope_id"),
                name="auth_rbac_service_in_scope",
            ),
        ),
        migrations.RemoveConstraint(model_name="assignment", name="auth_rbac_assignment_one_holder"),
        migrations.AddConstraint(
            model_name="assignment",
            constraint=models.CheckConstraint(
                condition=Q(("group", None), ("service_id", None), ("user__isnull", False))
                | Q(("group__isnull", False), ("service_id", None), ("user", None))
                | Q(("group", None), ("service_id__isnull", False), ("user", None)),
                name="auth_rbac_assignment_one_holder",
            ),
        ),
        migrations.RunPython(identify, migrations.RunPython.noop),
    ]
