"""What answers `user.has_perm`: see `auth_rbac.decisions.decisions`."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.db import models

from auth_rbac.decisions import decisions


class RoleBackend(BaseBackend):
    """Stands first among the authentication backends; signs nobody in.

    Django takes the first yes, and asks no backend about a superuser. Where a role denies,
    `has_perm` raises `PermissionDenied`, with which Django stops: nobody else is asked.
    """

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Leave it to the backends that know credentials."""

    def get_user(self, user_id: Any) -> None:
        """Leave it to them as well."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return ``app.codename`` of everything *user_obj* may do everywhere; of one object Django asks one by one."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        found = decisions.everywhere(user_obj)
        return set(found.allowed) - found.denied

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Say whether *user_obj* may.

        Raises:
            PermissionDenied: a role denies it, whatever other backends would say.
        """
        if "." not in perm and obj is None:
            return False
        if obj is not None and (not isinstance(obj, models.Model) or obj.pk is None):
            return False
        decision = decisions.check(user_obj, perm, obj)
        if decision.is_denied:
            raise PermissionDenied
        return decision.allowed

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Say whether *user_obj* may do anything in *app_label*."""
        return any(name.partition(".")[0] == app_label for name in self.get_user_permissions(user_obj))
