"""The authentication backend that answers `user.has_perm`. See `auth_rbac.decisions.decisions`."""

from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.contrib.auth.backends import BaseBackend
from django.core.exceptions import PermissionDenied
from django.db import models

from auth_core.users import UserLike
from auth_rbac.decisions import decisions
from auth_rbac.holders.service_subject import Subject

if TYPE_CHECKING:
    from django.db.models import Model
    from django.http import HttpRequest


class RoleBackend(BaseBackend):
    """Answers permission questions. It must be the first authentication backend. It does not authenticate.

    Django stops at the first backend that allows a permission, and asks no backend about a superuser. If a role
    denies the permission, `has_perm` raises `PermissionDenied`, and Django asks no other backend.
    """

    #: `auth_core.people.service_subject.ServiceSubject` asks this backend as well.
    decides_for_services = True

    def authenticate(self, request: "HttpRequest | None", **credentials: Any) -> None:
        """Leave authentication to the other backends."""

    @property
    def get_user(self) -> Any:
        """Nothing: this backend has no people. `Client.force_login` takes the first backend that has this method.

        Raises:
            AttributeError: always, so that the backend does not have the method of its base class.
        """
        raise AttributeError("RoleBackend has no people.")

    def get_user_permissions(self, user_obj: UserLike, obj: "Model | None" = None) -> set[str]:
        """Return ``app.codename`` of all permissions everywhere. With *obj*, return none: `has_perm` decides each."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        effects = decisions.everywhere(user_obj)
        return set(effects.allowed) - effects.denied

    def has_perm(self, user_obj: Subject, perm: str, obj: "Model | None" = None) -> bool:
        """Tell whether *user_obj*, a user or a service, has a permission.

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

    async def ahas_perm(self, user_obj: UserLike, perm: str, obj: "Model | None" = None) -> bool:
        """Run `has_perm` in a thread. The base class would ignore denials and permissions for one object.

        Raises:
            PermissionDenied: as in `has_perm`.
        """
        return await sync_to_async(self.has_perm)(user_obj, perm, obj)

    async def ahas_module_perms(self, user_obj: UserLike, app_label: str) -> bool:
        """Run `has_module_perms` in a thread. The base class has no such method, and Django would skip this backend."""
        return await sync_to_async(self.has_module_perms)(user_obj, app_label)

    def has_module_perms(self, user_obj: UserLike, app_label: str) -> bool:
        """Tell whether *user_obj* has any permission in *app_label*."""
        return any(name.partition(".")[0] == app_label for name in self.get_user_permissions(user_obj))
