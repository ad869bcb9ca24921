"""Migration operations: a table that is partitioned from its first day on, because it cannot become so later."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

from auth_audit.storage import guards


class CreatePartitionedModel(migrations.CreateModel):
    """Creates the model; on PostgreSQL partitioned by range of its key, with a default partition."""

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Create the table."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        plain = schema_editor.sql_create_table
        # An instance's own statement: nothing else is created while it stands.
        schema_editor.sql_create_table = f"{plain} PARTITION BY RANGE (id)"
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        schema_editor.sql_create_table = plain
        schema_editor.execute(f"CREATE TABLE {guards.TABLE}_default PARTITION OF {guards.TABLE} DEFAULT")


def lay_guards(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Let the guards stand with the table; `post_migrate` would be too late for whoever writes at once."""
    guards.lay(schema_editor.connection.alias)


def lift_guards(apps: Any, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Take the guards away before the table goes: what they run would stay behind."""
    guards.lift(schema_editor.connection.alias)
