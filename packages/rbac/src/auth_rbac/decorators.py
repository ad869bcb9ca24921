"""``@require_permission`` for the views of a site."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.db import models
from django.http import HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404

from auth_rbac.decisions.decisions import check
from auth_rbac.not_found_policy import hide

View = Callable[..., HttpResponseBase]


def require_permission(
    permission: str, *, of: type[models.Model] | None = None, by: str = "pk"
) -> Callable[[View], View]:
    """Let only people with a permission use the view. Others see 403 or 404, and anonymous users the login page.

    Args:
        permission: ``app.codename``. With *of* also a verb such as ``change``.
        of: The model of the object. ``None``: everywhere.
        by: The URL argument with the object's primary key.

    Raises:
        PermissionDenied: the person does not have the permission.
        Http404: the object does not exist, or the person may not view it.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
            user: Any = request.user
            if not user.is_authenticated:
                return redirect_to_login(request.get_full_path())
            if of is None:
                allowed = check(user, permission).allowed
            else:
                obj = get_object_or_404(of, pk=kwargs[by])
                allowed = check(user, permission, obj).allowed
                if not allowed and not check(user, "view", obj):
                    hide(of)
            if not allowed:
                raise PermissionDenied
            return view(request, *args, **kwargs)

        return guarded

    return decorate
