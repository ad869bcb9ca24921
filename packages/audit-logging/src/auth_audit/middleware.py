"""The middleware that has the Django admin's changes recorded."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_audit.append.admin_diffs import watching
from auth_core.administration import model_admin_of


class AdminChangesMiddleware:
    """Records what a page of the admin changes, with its values before and after; stands after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Pass the request on; what was watched is watched no more when it is answered."""
        with ExitStack() as watched:
            request.auth_audit_watched = watched  # type: ignore[attr-defined]  # ours, until it is answered
            return self._get_response(request)

    def process_view(self, request: HttpRequest, view: Any, arguments: tuple[Any, ...], named: dict[str, Any]) -> None:
        """Begin to watch when the view is one of the admin's, and may change something."""
        model_admin = model_admin_of(view) if request.method not in ("GET", "HEAD", "OPTIONS") else None
        if model_admin is not None:
            request.auth_audit_watched.enter_context(watching(model_admin, request.user))  # type: ignore[attr-defined]  # the request carries it
