"""``manage.py flush`` in a site with the trail. Django's test cases call it after each test that commits."""

from typing import Any

from django.core.management.base import CommandError
from django.core.management.commands import flush

from auth_audit.storage import guards
from auth_audit.storage.test_databases import NotATestDatabase, without_guards


class Command(flush.Command):
    """Django's command. It empties the trail in the database of a test run, and refuses to anywhere else."""

    def handle(self, **options: Any) -> None:
        """Flush the database.

        Raises:
            CommandError: The database has the trail, and a test runner did not make it.
        """
        alias = options["database"]
        if not guards.table_exists(alias):
            super().handle(**options)
            return
        try:
            with without_guards(alias):
                super().handle(**options)
        except NotATestDatabase as problem:
            raise CommandError(
                f"The database {alias!r} contains the audit trail, which is append-only. It was not flushed. To begin"
                " with an empty database, create another one, or run `manage.py migrate auth_audit zero` first."
            ) from problem
