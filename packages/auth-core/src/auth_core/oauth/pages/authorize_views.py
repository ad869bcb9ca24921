"""``/oauth/authorize``: a client sends a person here, and gets a code or an error.

A request is stored at once, and everything else is decided from the stored row: what a person still has to do, whether they
consent, and what the client gets. GET and POST are the same. A POST of another site brings no cookie of ours, so it judges
nothing and leads to the page of its handle.
"""

from typing import Any

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils import translation

from auth_core.assurance.evidence import SessionFacts, session_of
from auth_core.crypto.secrets import same
from auth_core.events import Event, EventOutcome, record
from auth_core.oauth.authorization import consent, stored_requests
from auth_core.oauth.authorization.details import Details, is_silent, read_details
from auth_core.oauth.authorization.errors import (
    AccessDenied,
    AddressUnknown,
    LoginRequired,
    PushRequired,
    RequestGone,
)
from auth_core.oauth.authorization.parameters import AUTHORIZE, read_parameters, text_of
from auth_core.oauth.authorization.pushed_requests import URN, find_pushed
from auth_core.oauth.authorization.responses import Reply, error_members, send, show_error
from auth_core.oauth.authorization.steps import Step, next_proof, wants_consent
from auth_core.oauth.clients.authorization_details import types_of
from auth_core.oauth.clients.document_ids import is_document_id, is_welcome
from auth_core.oauth.clients.redirect_uris import is_registered
from auth_core.oauth.clients.registry import RegisteredApplication, find_application, find_by_pk
from auth_core.oauth.documents.applications import described_application
from auth_core.oauth.errors import OAuthError
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants.code import RequestCompleted, issue_code
from auth_core.oauth.models import AuthorizationRequest
from auth_core.oauth.models.authorization_request import Kind
from auth_core.oauth.pages.base import PageForClients, PageOfHandle, language_of
from auth_core.oauth.pages.consent_page import show_consent
from auth_core.oauth.pages.steps import login_page, proof_page
from auth_core.pages.base import see_other
from auth_core.request.client import client_of


class AuthorizePage(PageForClients):
    """``GET`` and ``POST /oauth/authorize``."""

    def get(self, request: HttpRequest) -> HttpResponseBase:
        """Store the request, and answer it or send the person to what is missing."""
        row, application, handle = self._store(request)
        if application is None:
            # What describes the client is not read yet. That waits for the login.
            return see_other(_address_of(handle))
        return Visit(request, row, application, handle).proceed(is_redirect=True)

    def post(self, request: HttpRequest) -> HttpResponseBase:
        """Store the request, and lead to the page of its handle. The cookies of the person come with that."""
        _row, _application, handle = self._store(request)
        return see_other(_address_of(handle))

    def _store(self, request: HttpRequest) -> tuple[AuthorizationRequest, RegisteredApplication | None, str]:
        """Check the client and its address, and store the request. One that was pushed is stored already.

        A client that describes itself is ``None`` here, even if it is known. It and its address are checked after the login.

        Raises:
            AddressUnknown: one of them is unknown. Nothing is stored, and nothing is redirected.
            InvalidRequestUri: the pushed request is unknown, has expired or was answered.
            PushRequired: the application must push its requests.
        """
        parameters = read_parameters(request, AUTHORIZE)
        client_id, name = text_of(parameters, "client_id"), text_of(parameters, "request_uri")
        found = find_application(client_id)
        if found is not None and name.startswith(URN):
            row, handle = find_pushed(name, found)
            return row, None if found.has_document else _usable(found, row.parameters), handle
        is_described = is_welcome(client_id) if found is None else found.has_document and found.is_active
        application = None if is_described else _usable(found, parameters)
        if application is not None and application.must_push:
            raise PushRequired
        row, handle = stored_requests.store_request(
            kind=Kind.AUTHORIZE,
            application_pk=None if application is None else application.pk,
            parameters=parameters,
            client=client_of(request),
        )
        return row, application, handle


class ContinuePage(PageOfHandle):
    """``/oauth/authorize/{handle}/``: a stored request, after the login, and the consent page."""

    http_method_names = ("get", "post", "options")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Answer the request, or send the person to what is missing.

        A client that forbids pages gets a redirect: no form of ours came before. All others get a page that goes there.
        """
        row = self._row()
        if not request.user.is_authenticated and _describes_itself(row, find_by_pk(row.application_id)):
            if is_silent(row.parameters):
                raise LoginRequired
            return see_other(_login_address(row, self.kwargs["handle"]))
        return self._visit(request, row).proceed(is_redirect=is_silent(row.parameters))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Do what the person decided."""
        visit = self._visit(request, self._row())
        return visit.decide(request.POST.get("decision", ""), request.POST.get("shown", ""))

    def _row(self) -> AuthorizationRequest:
        return stored_requests.find_request(self.kwargs["handle"], kind=Kind.AUTHORIZE)

    def _visit(self, request: HttpRequest, row: AuthorizationRequest) -> "Visit":
        application = _usable(_application_of(row, request), row.parameters)
        if application.must_push and not row.is_pushed:
            raise PushRequired
        return Visit(request, row, application, self.kwargs["handle"])


class Visit:
    """One person who is at a stored request."""

    def __init__(
        self, request: HttpRequest, row: AuthorizationRequest, application: RegisteredApplication, handle: str
    ) -> None:
        self.request = request
        self.row = row
        self.application = application
        self.handle = handle
        self.reply = Reply.to(row.parameters, application)

    def proceed(self, *, is_redirect: bool) -> HttpResponseBase:
        """Return what comes next: a page, or the answer for the client."""
        try:
            step, details = self._next_step(is_approved=False)
            if is_silent(self.row.parameters) and step is not Step.ANSWER:
                raise step.error
            if step is Step.ANSWER:
                return self._issue(details, is_redirect=is_redirect)
        except OAuthError as problem:
            return self._fail(problem, is_redirect=is_redirect)
        if step is Step.CONSENT:
            return self._show_consent(details)
        return see_other(self._address_for(step, details))

    def decide(self, decision: str, shown: str) -> HttpResponseBase:
        """Do what the person decided on the consent page.

        Raises:
            RequestGone: the request was answered before.
        """
        if decision == "other" and self.request.user.is_authenticated:
            return see_other(_login_address(self.row, self.handle, is_other=True))
        try:
            step, details = self._next_step(is_approved=True)
            if step is not Step.ANSWER or decision not in ("allow", "deny"):
                return see_other(_address_of(self.handle))
            if not same(shown, consent.binding_of(details, self._session())):
                return self._show_consent(details, has_changed=True)
            if decision == "deny":
                return self._deny(details)
            return self._issue(details, is_redirect=False, is_consented=True)
        except OAuthError as problem:
            return self._fail(problem, is_redirect=False)

    def _next_step(self, *, is_approved: bool) -> tuple[Step, Details]:
        """Return what the person has to do next.

        Raises:
            OAuthError: the client gets this error. People sign in first, because a link must not become a redirect to any
                application (RFC 9700 section 4.11.2), unless the client forbids pages.
        """
        session = session_of(self.request)
        try:
            details = read_details(self.row, self.application)
        except OAuthError:
            if is_silent(self.row.parameters) or self.request.user.is_authenticated:
                raise
            return Step.LOGIN, Details(row=self.row, application=self.application, scopes=())
        if not self.request.user.is_authenticated:
            return Step.LOGIN, details
        if session is None:
            # The site's own login opened this session, and nothing is known about its evidence.
            return Step.OTHER_ACCOUNT, details
        step = next_proof(details, self.request.user, session)
        if step is not None:
            return step, details
        is_asked = wants_consent(details, session) or consent.is_needed(details, self.request.user)
        return (Step.CONSENT if is_asked and not is_approved else Step.ANSWER), details

    def _issue(self, details: Details, *, is_redirect: bool, is_consented: bool = False) -> HttpResponse:
        """Send the code to the client.

        Raises:
            RequestGone: the request was answered before.
        """
        session, client = self._session(), client_of(self.request)
        try:
            code = issue_code(
                self.row,
                application=self.application,
                user=self.request.user,
                session=session,
                scopes=details.scopes,
                resources=details.resource_uris,
                claims=details.claims,
                authorization_details=details.authorization_details,
                client=client,
            )
        except RequestCompleted as problem:
            raise RequestGone from problem
        if is_consented:
            consent.remember(details, user=self.request.user, session=session, client=client)
        return send(self.request, self.reply, {"code": code}, is_redirect=is_redirect)

    def _deny(self, details: Details) -> HttpResponse:
        with transaction.atomic(durable=True):
            stored_requests.complete(self.row)
            record(
                Event(
                    name=OAuthEvent.AUTHORIZATION_DENIED,
                    subject=self.request.user,
                    session=self._session().id,
                    application=self.application.id,
                    outcome=EventOutcome.DENIED,
                    client=client_of(self.request),
                    data={
                        "scope": " ".join(details.scopes),
                        "resources": list(details.resource_uris),
                        "details": types_of(details.authorization_details),
                    },
                )
            )
        return send(self.request, self.reply, error_members(AccessDenied()), is_redirect=False)

    def _fail(self, problem: OAuthError, *, is_redirect: bool) -> HttpResponse:
        """Send an error to the client.

        Raises:
            RequestGone: there is no one to send it to.
        """
        if isinstance(problem, RequestGone):
            raise problem
        stored_requests.complete(self.row)
        if self.application.has_document:
            # Anyone can describe a client, so a link must not become a redirect to it. The person follows a link of the page.
            return show_error(self.request, self.reply, problem)
        return send(self.request, self.reply, error_members(problem), is_redirect=is_redirect)

    def _show_consent(self, details: Details, *, has_changed: bool = False) -> HttpResponse:
        with translation.override(language_of(self.row.parameters)):
            action = _address_of(self.handle)
            return show_consent(self.request, details, self._session(), action=action, has_changed=has_changed)

    def _address_for(self, step: Step, details: Details) -> str:
        """Return the page on which a person does *step*. It leads back to the handle."""
        if step in (Step.LOGIN, Step.OTHER_ACCOUNT):
            return _login_address(self.row, self.handle, is_other=step is Step.OTHER_ACCOUNT)
        back, is_more = _address_of(self.handle), step is Step.PROVE_MORE
        return proof_page(details, self.request.user, self._session(), back=back, is_more=is_more)

    def _session(self) -> SessionFacts:
        session = session_of(self.request)
        if session is None:
            raise LoginRequired
        return session


def _usable(application: RegisteredApplication | None, parameters: dict[str, Any]) -> RegisteredApplication:
    """Return *application* if it is active and the address is one of its own.

    Raises:
        AddressUnknown: it is not.
    """
    if application is None or not application.is_active:
        raise AddressUnknown
    if not is_registered(text_of(parameters, "redirect_uri"), application.redirect_uris):
        raise AddressUnknown
    return application


def _application_of(row: AuthorizationRequest, request: HttpRequest) -> RegisteredApplication | None:
    """Return the application of a stored request, or ``None``.

    Raises:
        DocumentUnreadable, DocumentRefused, TooManyAttempts: its document cannot be used, or not now.
    """
    application = find_by_pk(row.application_id)
    if not _describes_itself(row, application):
        return application
    if not request.user.is_authenticated:
        raise LoginRequired
    client_id = text_of(row.parameters, "client_id")
    return described_application(client_id, user=request.user, client=client_of(request))


def _describes_itself(row: AuthorizationRequest, application: RegisteredApplication | None) -> bool:
    """Return whether the client of *row* describes itself. It may be unknown until then."""
    if application is not None:
        return application.has_document
    return is_document_id(text_of(row.parameters, "client_id"))


def _login_address(row: AuthorizationRequest, handle: str, *, is_other: bool = False) -> str:
    return login_page(back=_address_of(handle), hint=text_of(row.parameters, "login_hint"), is_other=is_other)


def _address_of(handle: str) -> str:
    return reverse("oauth:continue", args=[handle])
