"""``/device/``: a person types the code of a device, sees who asks from where, and allows or denies it.

They sign in before they enter the code. A link with the code in it fills the form and changes nothing. The decision is always
asked for, also of applications of the operator, and belongs to the session that entered the code.

Source: RFC 8628 section 3.3, RFC 10027.
"""

from typing import Any
from uuid import UUID

from django import forms
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import SessionFacts, session_of
from auth_core.crypto.secrets import same
from auth_core.errors import Unavailable
from auth_core.oauth.authorization import consent
from auth_core.oauth.authorization.details import Details
from auth_core.oauth.authorization.errors import AccessDenied, RequestGone
from auth_core.oauth.authorization.steps import Step, next_proof
from auth_core.oauth.clients.registry import find_by_pk
from auth_core.oauth.conf import oauth
from auth_core.oauth.device_grant.decisions import approve_device, deny_device, enter_user_code, find_entered
from auth_core.oauth.device_grant.requests import read_device_details
from auth_core.oauth.device_grant.user_codes import LONGEST, for_people, typed_code
from auth_core.oauth.errors import OAuthError
from auth_core.oauth.keys.key_set import KeysUnusable
from auth_core.oauth.models import DeviceRequest
from auth_core.oauth.pages.base import refused
from auth_core.oauth.pages.consent_page import show_consent
from auth_core.oauth.pages.steps import login_page, proof_page
from auth_core.pages.base import AccountPage, note, see_other, tell
from auth_core.pages.forms import PageForm
from auth_core.request.client import client_of


class UserCodeForm(PageForm):
    """The code that a device shows."""

    user_code = forms.CharField(
        label=_("Code"),
        max_length=LONGEST,
        help_text=_("Eight letters, such as WDJB-MJHT."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}),
    )


class DeviceGrantPage(AccountPage):
    """A page of the device grant. It exists if the service has the grant."""

    template_name = "auth_core/form.html"

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Require a login of ours, and return the answer, or a page if the request is gone."""
        if request.user.is_authenticated and not oauth.has_device_grant:
            raise Http404
        if request.user.is_authenticated and session_of(request) is None:
            # The site's own login opened this session, and nothing is known about its evidence.
            return see_other(login_page(back=request.get_full_path(), is_other=True))
        try:
            return super().answer(request, *args, **kwargs)
        except OAuthError as problem:
            return refused(request, problem)
        except KeysUnusable:
            return tell(request, Unavailable())

    def session(self) -> SessionFacts:
        """Return the session of the person.

        Raises:
            RequestGone: it has ended meanwhile.
        """
        session = session_of(self.request)
        if session is None:
            raise RequestGone
        return session


class DevicePage(DeviceGrantPage):
    """``/device/``."""

    form_class = UserCodeForm
    title, button = _("Connect a device"), _("Continue")
    lead = _("Enter the code that your device shows. Continue only if the device is in front of you.")
    links = [(_("Go to your account"), "core-pages:account")]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the form, with the code of the link in it."""
        code = typed_code(request.GET.get("user_code", ""))
        return self.show(request, UserCodeForm(initial={"user_code": for_people(code) if code else ""}))

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Enter the code, and lead to the decision."""
        text, client = form.cleaned_data["user_code"], client_of(request)
        row = enter_user_code(text, user=request.user, session=self.session(), client=client)
        return see_other(_address_of(row))


class DeviceDecisionPage(DeviceGrantPage):
    """``/device/{id}/``: the request whose code this session has entered."""

    http_method_names = ("get", "post", "options")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show who asks for what, or lead to what the person has to prove before."""
        row, details = self._request()
        address = self._missing_proof(row, details)
        return see_other(address) if address else self._show(row, details)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Do what the person decided."""
        row, details = self._request()
        decision = request.POST.get("decision", "")
        if self._missing_proof(row, details) or decision not in ("allow", "deny"):
            return see_other(_address_of(row))
        session, client = self.session(), client_of(request)
        if not same(request.POST.get("shown", ""), consent.binding_of(details, session)):
            return self._show(row, details, has_changed=True)
        if decision == "deny":
            deny_device(details, user=request.user, session=session, client=client)
            return self._tell(_("Access denied"), _("The device gets no access to your account."))
        approve_device(details, user=request.user, session=session, client=client)
        return self._tell(_("Device connected"), _("You can go back to your device. It continues by itself."))

    def _request(self) -> tuple[DeviceRequest, Details]:
        """Return the request, and what it asks for.

        Raises:
            RequestGone: this session entered no such code, it has expired or was answered, or its application is gone.
            OAuthError: the application may not ask for it any more.
        """
        request_id: UUID = self.kwargs["request_id"]
        row = find_entered(request_id, user=self.request.user, session=self.session())
        application = find_by_pk(row.application_id)  # type: ignore[attr-defined]  # Django adds it
        if application is None or not application.is_active:
            raise RequestGone
        return row, read_device_details(row, application)

    def _missing_proof(self, row: DeviceRequest, details: Details) -> str:
        """Return the page on which the person proves what the application requires. Empty if nothing is missing.

        Raises:
            AccessDenied: they may not use the application. The device hears of it.
        """
        user, session = self.request.user, self.session()
        try:
            step = next_proof(details, user, session)
            if step is None:
                return ""
            return proof_page(details, user, session, back=_address_of(row), is_more=step is Step.PROVE_MORE)
        except AccessDenied:
            deny_device(details, user=user, session=session, client=client_of(self.request), reason="not_admitted")
            raise

    def _show(self, row: DeviceRequest, details: Details, *, has_changed: bool = False) -> HttpResponse:
        return show_consent(
            self.request,
            details,
            self.session(),
            action=_address_of(row),
            has_changed=has_changed,
            template="auth_oauth/device_decision.html",
            title=_("Connect this device?"),
            device=row,
            is_same_network=bool(row.network) and row.network == client_of(self.request).network,
        )

    def _tell(self, title: Any, lead: Any) -> HttpResponse:
        return note(self.request, title=title, lead=lead, links=[(_("Connected applications"), "oauth:applications")])


def _address_of(row: DeviceRequest) -> str:
    return reverse("oauth:device-decision", args=[row.pk])
