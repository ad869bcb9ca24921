"""Migration operations that are safe while the table is in use."""

from typing import Any

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import ProjectState


class AddIndexBesideWriters(migrations.AddIndex):
    """Adds an index, on PostgreSQL without a lock that blocks writers.

    The migration has ``atomic = False``, because PostgreSQL does not build an index concurrently inside a
    transaction.
    """

    def database_forwards(
        self,
        app_label: str,
        schema_editor: BaseDatabaseSchemaEditor,
        from_state: ProjectState,
        to_state: ProjectState,
    ) -> None:
        """Build the index."""
        if schema_editor.connection.vendor != "postgresql":
            super().database_forwards(app_label, schema_editor, from_state, to_state)
            return
        editor: Any = schema_editor
        editor.add_index(to_state.apps.get_model(app_label, self.model_name), self.index, concurrently=True)
