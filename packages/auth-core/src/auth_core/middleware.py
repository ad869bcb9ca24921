"""Middleware: health probes, the context of each request, and security headers."""

import logging
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect, JsonResponse
from django.http.response import HttpResponseBase

from auth_core.administration import is_administration, model_admin_of
from auth_core.assurance.evidence import stated_session
from auth_core.authority import check_superuser
from auth_core.errors import AuthError, InsufficientUserAuthentication, PermissionRefused, refusal_by_database
from auth_core.login.session_parties import check_when_read
from auth_core.observability.admin_log import replace_deletion
from auth_core.observability.denials import mark_denied_by, record_denial
from auth_core.observability.health import Status, readiness
from auth_core.people.actors import current_session_of, user_if_loaded
from auth_core.people.lookup import public_id_if_loaded
from auth_core.request.client import forget_strangers_headers
from auth_core.request.context import context_of, current, enter
from auth_core.request.cookies import bound_cookies

Handler = Callable[[HttpRequest], HttpResponseBase]

request_log = logging.getLogger("auth_core.request")

HEALTH_PATH = "/health/"
READY_PATH = "/ready/"


class HealthMiddleware:
    """Answers ``/health/`` and ``/ready/``. It comes first in the list.

    It must run before the host check and the redirect to HTTPS: a kubelet sends the address of
    the pod as Host, and treats a 301 as healthy.
    """

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Answer a probe, or pass the request on."""
        if request.path_info not in (HEALTH_PATH, READY_PATH):
            return self._get_response(request)
        if request.method not in ("GET", "HEAD"):
            return HttpResponseNotAllowed(["GET", "HEAD"])
        response = self._health() if request.path_info == HEALTH_PATH else self._ready()
        response.headers["Cache-Control"] = "no-store"
        return response

    def _health(self) -> HttpResponse:
        """Report that the process responds. No I/O, so that a lost database restarts no process."""
        return JsonResponse({"status": Status.OK.value})

    def _ready(self) -> HttpResponse:
        """Report whether traffic may come: 503 if a required part is missing."""
        probes = readiness()
        statuses = {probe.status for probe in probes}
        worst = next((status for status in (Status.FAILED, Status.DEGRADED) if status in statuses), Status.OK)
        body = {"status": worst.value, "parts": {probe.name: probe.status.value for probe in probes}}
        return JsonResponse(body, status=503 if worst is Status.FAILED else 200)


class RequestContextMiddleware:
    """Enters the context of each request, sends its id, records denials, and logs the request."""

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Handle *request* in its context."""
        started_at = time.perf_counter()
        bound_cookies(request)
        forget_strangers_headers(request)
        context = replace(context_of(request), find_session=partial(current_session_of, request))
        enter(context)
        response = self._get_response(request)
        refusal = record_denial(request, response)
        response.headers["X-Request-ID"] = context.correlation_id
        _log(request, response, time.perf_counter() - started_at, refusal)
        # Django's ASGI handler closes the response in another task, whose context this middleware cannot change.
        closers: list[Any] = response._resource_closers  # type: ignore[attr-defined]  # noqa: SLF001 - there is no public hook
        closers.insert(0, partial(enter, context))
        return response

    def process_view(self, request: HttpRequest, view: Callable[..., HttpResponseBase], *arguments: Any) -> None:
        """Check the session's application and actor, and make the user the acting person on an admin page.

        A deletion by the list of an admin site becomes one transaction (`auth_core.observability.admin_log`).

        Raises:
            PermissionRefused: the page edits rows that only superusers may write.
        """
        check_when_read(request)
        user = getattr(request, "user", None)
        if user is None or not is_administration(request):
            return
        current().administrators.append(user)
        if request.method in _SAFE:
            return
        model_admin = model_admin_of(view)
        if model_admin is not None:
            replace_deletion(model_admin.admin_site)
        if _edits_records(model_admin):
            check_superuser(user)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponseBase | None:
        """Show a refusal as a message on the admin page, whose code does not expect it. Its changes were rolled back.

        A lack of permission is answered by Django, and a lack of proof by `AdministrationMiddleware`.
        """
        refusal = exception if isinstance(exception, AuthError) else refusal_by_database(exception)
        if refusal is None or isinstance(refusal, (PermissionRefused, InsufficientUserAuthentication)):
            return None
        if request.method in _SAFE or not is_administration(request):
            return None
        mark_denied_by(refusal)
        messages.error(request, refusal.detail, fail_silently=True)
        return HttpResponseRedirect(request.get_full_path())


#: HTTP methods that change nothing.
_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})

#: Models that admin pages may write only for superusers, if a site shows them: the admin log and session data.
_RECORDS = frozenset({"admin.logentry", "sessions.session"})


def _edits_records(model_admin: Any) -> bool:
    opts = getattr(model_admin, "opts", None)
    return opts is not None and opts.concrete_model._meta.label_lower in _RECORDS


def log_request(
    *,
    method: str | None,
    route: str,
    status: int,
    seconds: float,
    refusal: str = "",
    session: str = "",
    subject: str = "",
) -> None:
    """Log one request, in its context.

    Args:
        route: The pattern of the URL. Never the path, because a path may hold a token.
        seconds: How long the answer took.
        refusal: Why the request was denied, if it was.
        session: Public id of its session, if it is loaded.
        subject: Public id of its user, if it is loaded.
    """
    request_log.info(
        "%s %s %s",
        method,
        route,
        status,
        extra={
            "route": route,
            "method": method,
            "status": status,
            "duration_ms": round(seconds * 1000, 1),
            **({"refusal": refusal} if refusal else {}),
            **({"session": session} if session else {}),
            **({"subject": subject} if subject else {}),
        },
    )


def _log(request: HttpRequest, response: HttpResponseBase, seconds: float, refusal: str) -> None:
    """Log *request*. Only what is loaded is logged, so no query runs."""
    session = stated_session(request)
    log_request(
        method=request.method,
        route=request.resolver_match.route if request.resolver_match else "",
        status=response.status_code,
        seconds=seconds,
        refusal=refusal,
        session=str(session.id) if session else "",
        subject=public_id_if_loaded(user_if_loaded(request)),
    )


class SecurityHeadersMiddleware:
    """Sets the headers that Django's `SecurityMiddleware` does not set."""

    #: A login page needs no sensor, no camera and no window of another site.
    headers = {
        "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
        "Cross-Origin-Resource-Policy": "same-origin",
    }

    def __init__(self, get_response: Handler) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """Add the headers that the view did not set."""
        response = self._get_response(request)
        for name, value in self.headers.items():
            response.headers.setdefault(name, value)
        return response
