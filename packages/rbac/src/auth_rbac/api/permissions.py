"""Who may call what; by permissions, never by ``is_staff`` alone."""

from typing import Any

from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from auth_core.administration import Act
from auth_core.api.permissions import Administers
from auth_rbac.decisions.decisions import check
from auth_rbac.decisions.visibility import places
from auth_rbac.not_found_policy import hide

_NEEDED = {"GET": "view", "HEAD": "view", "OPTIONS": "view", "POST": "add", "DELETE": "delete"}


class MayManage(Administers):
    """Whoever has the permission that the method needs, on the view's `model_name`; somewhere is enough for assignments."""

    changes_are = Act.CRITICAL

    def may(self, request: Request, view: Any) -> bool:
        """Ask for the decision; nobody has no permission."""
        user: Any = request.user
        needed = f"auth_rbac.{_NEEDED.get(str(request.method), 'change')}_{view.model_name}"
        if not user.is_authenticated:
            return False
        if view.model_name == "assignment":
            return places(user, needed) != set()
        return check(user, needed).allowed


class Permitted(BasePermission):
    """For views of the site: each method needs its verb on the object, ``add`` is needed everywhere.

    An object that the caller may not even view is 404, as if it were not there. What a list
    shows is the view's business: ``queryset.permitted(request.user, "view")``.
    """

    def has_permission(self, request: Request, view: Any) -> bool:
        """Let in whoever is signed in; to make something, whoever may."""
        user: Any = request.user
        if not user.is_authenticated:
            return False
        if request.method != "POST":
            return True
        meta = view.get_queryset().model._meta
        return check(user, f"{meta.app_label}.add_{meta.model_name}").allowed

    def has_object_permission(self, request: Request, view: Any, obj: Any) -> bool:
        """Ask for the decision.

        Raises:
            Http404: the caller may not see the object.
        """
        verb = _NEEDED.get(str(request.method), "change")
        if check(request.user, verb, obj):
            return True
        if verb == "view" or not check(request.user, "view", obj):
            hide(type(obj))
        return False
