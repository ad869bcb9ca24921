"""What answers `user.has_perm`: the roles that somebody holds now."""

from typing import Any

from django.contrib.auth.backends import BaseBackend
from django.contrib.auth.models import Permission

from auth_rbac.models import Assignment, Role

#: Where an instance of a user keeps what it may do; an instance lives for one request.
_CACHE = "_auth_rbac_permissions"


class RoleBackend(BaseBackend):
    """Stands first among the authentication backends; signs nobody in.

    Django takes the first yes, and asks a superuser's before any backend. A role is held
    everywhere here; one that is bound to an object says nothing about others.
    """

    def authenticate(self, request: Any, **credentials: Any) -> None:
        """Leave it to the backends that know credentials."""

    def get_user(self, user_id: Any) -> None:
        """Leave it to them as well."""

    def get_user_permissions(self, user_obj: Any, obj: Any = None) -> set[str]:
        """Return ``app.codename`` of everything *user_obj* may do everywhere; one query for each instance."""
        if not user_obj.is_active or user_obj.is_anonymous or obj is not None:
            return set()
        known: set[str] | None = vars(user_obj).get(_CACHE)
        if known is None:
            known = _permissions_of(user_obj)
            setattr(user_obj, _CACHE, known)
        return known

    def has_perm(self, user_obj: Any, perm: str, obj: Any = None) -> bool:
        """Say whether a role of *user_obj* has *perm*."""
        return perm in self.get_user_permissions(user_obj, obj)

    def has_module_perms(self, user_obj: Any, app_label: str) -> bool:
        """Say whether a role of *user_obj* may do anything in *app_label*."""
        return any(name.partition(".")[0] == app_label for name in self.get_user_permissions(user_obj))


def _permissions_of(user: Any) -> set[str]:
    roles = Assignment.objects.of(user).everywhere().in_force().values("role")
    held = Permission.objects.filter(pk__in=_through(roles)).values_list("content_type__app_label", "codename")
    return {f"{app}.{codename}" for app, codename in held.order_by()}


def _through(roles: Any) -> Any:
    return Role.permissions.through.objects.filter(role__in=roles).values("permission")
