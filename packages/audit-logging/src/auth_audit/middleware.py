"""Middleware that records changes made in the Django admin."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from auth_audit.append.admin_diffs import recording_changes
from auth_core.administration import model_admin_of


class AdminChangesMiddleware:
    """Record what a page of the admin changes, with the old and new values. Must come after authentication."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Process the request. Recording ends with the response."""
        with ExitStack() as stack:
            request.auth_audit_watched = stack  # type: ignore[attr-defined]  # our attribute, for this request only
            return self._get_response(request)

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponseBase],
        arguments: tuple[Any, ...],
        named: dict[str, Any],
    ) -> None:
        """Start recording if the view belongs to the admin and the method may change data."""
        model_admin = model_admin_of(view) if request.method not in ("GET", "HEAD", "OPTIONS") else None
        if model_admin is not None:
            request.auth_audit_watched.enter_context(recording_changes(model_admin, request.user))  # type: ignore[attr-defined]  # set in __call__
