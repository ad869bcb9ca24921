"""Who may use which endpoint. This depends on permissions, never on ``is_staff`` alone."""

from typing import TYPE_CHECKING, Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from auth_core.administration import Act
from auth_core.api.permissions import Administers
from auth_rbac.decisions.decisions import check
from auth_rbac.decisions.visibility import allowed_scopes
from auth_rbac.not_found_policy import hide

if TYPE_CHECKING:
    from django.db import models
    from rest_framework.views import APIView

_NEEDED = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "DELETE": "delete"}


class MayManage(Administers):
    """Requires the method's permission on the view's `model_name`. For assignments one scope is enough."""

    changes_are = Act.CRITICAL

    def may(self, request: Request, view: Any) -> bool:
        """Tell whether the caller has the permission."""
        user: Any = request.user
        needed = f"auth_rbac.{_NEEDED.get(str(request.method), 'change')}_{view.model_name}"
        if not user.is_authenticated:
            return False
        if view.model_name == "assignment":
            return allowed_scopes(user, needed) != set()
        return check(user, needed).allowed


class Permitted(BasePermission):
    """For views of the site: each method requires its verb for the object, and ``POST`` requires ``add`` everywhere.

    An object that the caller may not view is 404, as if it did not exist. The view filters its own lists:
    ``queryset.permitted(request.user, "view")``.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Require a login, and for ``POST`` the permission to add."""
        user: Any = request.user
        if not user.is_authenticated:
            return False
        if request.method != "POST":
            return True
        meta = view.get_queryset().model._meta
        return check(user, f"{meta.app_label}.add_{meta.model_name}").allowed

    def has_object_permission(self, request: Request, view: "APIView", obj: "models.Model") -> bool:
        """Decide for an object.

        Raises:
            Http404: the caller may not view the object.
        """
        verb = _NEEDED.get(str(request.method), "change")
        if check(request.user, verb, obj):
            return True
        if verb == "view" or not check(request.user, "view", obj):
            hide(type(obj))
        return False
