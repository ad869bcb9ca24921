"""Migration operations. A table cannot be partitioned later, so it is created partitioned."""

from typing import TYPE_CHECKING

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState

from auth_audit.storage import guards

if TYPE_CHECKING:
    from django.db.migrations.state import StateApps


class CreatePartitionedModel(migrations.CreateModel):
    """Create the model. On PostgreSQL it is partitioned by ranges of its key, with a default partition."""

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
        statement = schema_editor.sql_create_table
        # The attribute of this instance. No other table is created while it is set.
        schema_editor.sql_create_table = f"{statement} PARTITION BY RANGE (id)"
        super().database_forwards(app_label, schema_editor, from_state, to_state)
        schema_editor.sql_create_table = statement
        table = to_state.apps.get_model(app_label, self.name)._meta.db_table
        schema_editor.execute(f"CREATE TABLE {table}_default PARTITION OF {table} DEFAULT")


def lay_guards(apps: "StateApps", schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Install the guards with the table. `post_migrate` would leave a gap in which entries could be changed."""
    guards.install(schema_editor.connection.alias)


def lift_guards(apps: "StateApps", schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Remove the guards before the table is dropped. Otherwise their functions would remain."""
    guards.remove(schema_editor.connection.alias)
