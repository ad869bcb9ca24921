"""``Model.objects.permitted(user, "view")`` for the models of a site."""

from typing import Self, TypeVar, cast

from django.db import models

from auth_core.users import UserLike
from auth_rbac.decisions.querysets import permitted

M = TypeVar("M", bound=models.Model)


class PermittedQuerySet(models.QuerySet[M]):
    """A queryset with a permission filter: ``objects = PermittedQuerySet.as_manager()``."""

    def permitted(self, user: UserLike, permission: str) -> Self:
        """Return the objects for which *user* has a permission. See `auth_rbac.decisions.querysets.permitted`."""
        return cast(Self, permitted(user, permission, self))
