"""A migration of a later version. On SQLite Django recreates the table for it."""

from typing import ClassVar

from django.db import migrations, models


class Migration(migrations.Migration):
    """Adds a column and widens another."""

    dependencies: ClassVar = [("auth_audit", "0001_entries")]
    operations: ClassVar = [
        migrations.AddField("auditentry", "note", models.CharField(max_length=8, default="", db_default="")),
        migrations.AlterField("auditentry", "reason", models.CharField(max_length=65, blank=True)),
    ]
