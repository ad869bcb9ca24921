"""What a `QuerySet` does that sends no signal: where no trigger of the database sees it, everybody's answers go."""

from collections.abc import Iterable
from typing import Any, TypeVar

from django.db import models, transaction

from auth_rbac.models.version import touch_graph_unless_triggers

M = TypeVar("M", bound=models.Model)


class TouchingQuerySet(models.QuerySet[M]):
    """Makes ``update``, ``bulk_create`` and ``bulk_update`` known; on PostgreSQL triggers do."""

    def update(self, **kwargs: Any) -> int:
        """Update, in one transaction with what makes it known."""
        with transaction.atomic(using=self.db):
            changed = super().update(**kwargs)
            touch_graph_unless_triggers(self.db)
        return changed

    def bulk_create(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> list[M]:
        """Create, as above."""
        with transaction.atomic(using=self.db):
            made = super().bulk_create(objs, *args, **kwargs)
            touch_graph_unless_triggers(self.db)
        return made

    def bulk_update(self, objs: Iterable[M], *args: Any, **kwargs: Any) -> int:
        """Update many, as above."""
        with transaction.atomic(using=self.db):
            changed = super().bulk_update(objs, *args, **kwargs)
            touch_graph_unless_triggers(self.db)
        return changed
