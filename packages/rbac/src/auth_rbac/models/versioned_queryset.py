"""Updates the graph version for `QuerySet` methods that send no signal, on databases without triggers."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models, transaction

from auth_rbac.models.version import touch_graph_unless_triggers

M = TypeVar("M", bound=models.Model)


class VersionedQuerySet(models.QuerySet[M]):
    """Changes the graph version after ``update``, ``bulk_create`` and ``bulk_update``. On PostgreSQL triggers do."""

    def update(self, **kwargs: Any) -> int:
        """Update rows and the graph version in one transaction."""
        with transaction.atomic(using=self.db):
            changed = super().update(**kwargs)
            touch_graph_unless_triggers(self.db)
        return changed

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        """Create rows and update the graph version in one transaction."""
        with transaction.atomic(using=self.db):
            created = super().bulk_create(objs, *args, **kwargs)
            touch_graph_unless_triggers(self.db)
        return created

    def bulk_update(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> int:
        """Update rows and the graph version in one transaction."""
        with transaction.atomic(using=self.db):
            changed = super().bulk_update(objs, *args, **kwargs)
            touch_graph_unless_triggers(self.db)
        return changed
