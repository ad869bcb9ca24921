"""The WSGI application around Django's handler."""

import json
import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from django.core.handlers.wsgi import WSGIRequest
from django.urls import resolve, reverse

from auth_core.middleware import log_request
from auth_core.request.client import client_of, forget_strangers_headers
from auth_core.request.context import context_of, served
from auth_core.request.cookies import bound_cookies
from auth_sessions.revocation.snapshots import shared_readings
from enterprise_auth.core.conf import site
from enterprise_auth.front import connections
from enterprise_auth.front.endpoint import EarlyAnswer, Endpoint
from enterprise_auth.front.heads import Heads, Kind, kind_of
from enterprise_auth.front.provider import PROVIDER
from enterprise_auth.front.request_body import is_short, put_back, take_body
from enterprise_auth.front.session_check import SESSION_CHECK
from enterprise_auth.front.token_routes import token_routes

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

Application = Callable[["WSGIEnvironment", "StartResponse"], Iterable[bytes]]

#: The middleware whose effect on an answer is known: it adds headers of `heads`, or leaves a good request alone.
_KNOWN_MIDDLEWARE = frozenset({
    "auth_audit.middleware.AdminChangesMiddleware",
    "auth_core.middleware.HealthMiddleware",
    "auth_core.middleware.RequestContextMiddleware",
    "auth_core.middleware.SecurityHeadersMiddleware",
    "auth_core.pages.administration.AdministrationMiddleware",
    "auth_sessions.middleware.AuthenticationMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csp.ContentSecurityPolicyMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
})  # fmt: skip

_OK = "200 OK"


def with_early_answers(django: Application) -> Application:
    """Return the layer around Django's handler, or the handler itself if the layer is off."""
    if not site.answers_early or not is_usable():
        return django
    return FrontApplication(django, [SESSION_CHECK, *PROVIDER, *token_routes()])


def is_usable() -> bool:
    """Return whether the settings leave the answers as this layer knows them.

    A site may add middleware, refuse user agents, or save every session. It then has no layer before Django.
    """
    return not site.changes_answers and set(site.middleware) <= _KNOWN_MIDDLEWARE


class FrontApplication:
    """Answers requests to *endpoints* without Django, as far as it is sure of the answer.

    Args:
        django: Django's handler.
        endpoints: What may be answered.
    """

    def __init__(self, django: Application, endpoints: Iterable[Endpoint]) -> None:
        self._django = django
        self._heads = Heads()
        self._endpoints: dict[tuple[str, str], tuple[Endpoint, str]] = {}
        for endpoint in endpoints:
            path = reverse(endpoint.url_name).removeprefix(site.prefix)
            for method in endpoint.methods:
                self._endpoints[method, path] = endpoint, resolve(path).route
        #: Number of requests that were answered here, for tests.
        self.answered = 0

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer one request, or pass it on."""
        found = self._endpoints.get((environ["REQUEST_METHOD"], environ.get("PATH_INFO", "")))
        if found is None or _has_more(environ, reads_body=found[0].reads_body):
            return self._django(environ, start_response)
        endpoint, route = found
        started_at = time.perf_counter()
        sent = take_body(environ) if endpoint.reads_body else None
        request = WSGIRequest(environ)
        bound_cookies(request)
        identified_by = endpoint.kind_of(request)
        forget_strangers_headers(request)
        by_proxy = client_of(request).via_trusted_proxy
        kind = kind_of(environ, by_proxy=by_proxy, identified_by=identified_by) if identified_by else None
        if kind is None:
            return self._django(environ, start_response)
        earlier = self._heads.find(kind)
        if earlier is None:
            return self._learn(endpoint, kind, environ, start_response)
        with shared_readings():
            with served(context_of(request)) as context:
                answer = self._answer(endpoint, request, identified_by)
                if answer is not None:
                    body = endpoint.write(answer.body)
                    headers = self._heads.head(earlier, length=len(body), request_id=context.correlation_id)
                    log_request(
                        method=request.method,
                        route=route,
                        status=200,
                        seconds=time.perf_counter() - started_at,
                        session=answer.session,
                        subject=answer.subject,
                    )
            if answer is None:
                if sent is not None:
                    put_back(environ, sent)
                return self._django(environ, start_response)
        self.answered += 1
        start_response(_OK, headers)
        return [body]

    def _answer(self, endpoint: Endpoint, request: WSGIRequest, identified_by: str) -> EarlyAnswer | None:
        connections.begin()
        try:
            return endpoint.answer(request, identified_by)
        except Exception:  # noqa: BLE001 - Django's handler meets the same problem, reports it, and answers
            connections.give_back()
            return None

    def _learn(
        self, endpoint: Endpoint, kind: Kind, environ: "WSGIEnvironment", start_response: "StartResponse"
    ) -> Iterable[bytes]:
        """Pass a request of a new kind on, and keep the headers of its answer."""
        started: list[Any] = []

        def note(status: str, headers: list[tuple[str, str]], *error: Any) -> Any:
            started[:] = [status, list(headers)]
            return start_response(status, headers, *error)

        response = self._django(environ, note)
        status, headers = started
        body = getattr(response, "content", b"")
        if status == _OK and _is_written_by(endpoint, body):
            self._heads.learn(kind, headers)
        return response


def _has_more(environ: "WSGIEnvironment", *, reads_body: bool) -> bool:
    """Return whether the request has a query, or another body than the endpoint reads."""
    if reads_body:
        return bool(environ.get("QUERY_STRING")) or not is_short(environ)
    length = environ.get("CONTENT_LENGTH") or "0"
    accepted = environ.get("HTTP_ACCEPT", "")
    # An indent in the media type makes DRF indent the body.
    return bool(environ.get("QUERY_STRING")) or length != "0" or "indent" in accepted.lower()


def _is_written_by(endpoint: Endpoint, body: bytes) -> bool:
    """Return whether the layer would write *body* as it is."""
    try:
        return endpoint.write(json.loads(body)) == body
    except ValueError:
        return False
