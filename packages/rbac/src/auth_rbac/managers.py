"""``Model.objects.permitted(user, "view")`` for models of the site."""

from typing import Any, Self, TypeVar, cast

from django.db import models

from auth_rbac.decisions.querysets import permitted

M = TypeVar("M", bound=models.Model)


class PermittedQuerySet(models.QuerySet[M]):
    """A queryset that knows what somebody may: ``objects = PermittedQuerySet.as_manager()``."""

    def permitted(self, user: Any, permission: str) -> Self:
        """Return those on which *user* may; see `auth_rbac.decisions.querysets.permitted`."""
        return cast(Self, permitted(user, permission, self))
