"""The authentication backend that answers `user.has_perm`. See `auth_rbac.decisions.decisions`."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.db import models

from auth_core.users import UserLike
from auth_rbac.decisions import decisions

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


class RoleBackend(BaseBackend):
    """Answers permission questions. It must be the first authentication backend. It does not authenticate.

    Django stops at the first backend that allows a permission, and asks no backend about a superuser. If a role
    denies the permission, `has_perm` raises `PermissionDenied`, and Django asks no other backend.
    """

    def authenticate(self, request: "HttpRequest | None", **credentials: Any) -> None:
        """Leave authentication to the other backends."""

    def get_user(self, user_id: object) -> None:
        """Leave this to the other backends."""

    def get_user_permissions(self, user_obj: UserLike, obj: "Model | None" = None) -> set[str]:
        """Return ``app.codename`` of all permissions everywhere. With *obj*, return none: `has_perm` decides each."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        effects = decisions.everywhere(user_obj)
        return set(effects.allowed) - effects.denied

    def has_perm(self, user_obj: UserLike, perm: str, obj: "Model | None" = None) -> bool:
        """Tell whether *user_obj* has a permission.

        Raises:
            PermissionDenied: a role denies it. No other backend may allow it.
        """
        if "." not in perm and obj is None:
            return False
        if obj is not None and (not isinstance(obj, models.Model) or obj.pk is None):
            return False
        decision = decisions.check(user_obj, perm, obj)
        if decision.is_denied:
            raise PermissionDenied
        return decision.allowed

    def has_module_perms(self, user_obj: UserLike, app_label: str) -> bool:
        """Tell whether *user_obj* has any permission in *app_label*."""
        return any(name.partition(".")[0] == app_label for name in self.get_user_permissions(user_obj))
