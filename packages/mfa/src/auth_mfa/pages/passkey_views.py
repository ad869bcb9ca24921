"""The pages that add a passkey and sign in with one."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.utils.translation import gettext_lazy as _

from auth_core.api.problems import headers_of
from auth_core.assurance.evidence import SessionFacts, session_of
from auth_core.assurance.methods import Method
from auth_core.conf import core
from auth_core.contracts import Transport
from auth_core.errors import AuthError, NotAuthenticated, NotFound
from auth_core.login.browser import browser_secret_of, browser_secret_or_new, keep_browser_secret
from auth_core.pages.base import Page, note, safe_next, see_other
from auth_core.pages.forms import PageForm
from auth_core.pages.login_views import went_on
from auth_core.request.client import client_of
from auth_mfa.factors import check_fresh_proof
from auth_mfa.pages.passkey_forms import PasskeyForm, PasskeyLoginForm
from auth_mfa.pages.views import FactorPage
from auth_mfa.policy import is_offered
from auth_mfa.webauthn import passkeys


def login_way(request: HttpRequest) -> str:
    """Return the template of the passkey button on the login page, if this site offers passkeys."""
    return "auth_mfa/passkey_login.html" if is_offered(Method.PASSKEY) else ""


class AddPasskeyPage(FactorPage):
    """``/account/second-factors/passkeys/add/``: a button that begins, then one that asks the authenticator."""

    template_name = "auth_mfa/passkey_add.html"
    form_class = PasskeyForm
    title, button = _("Add a passkey or security key"), _("Continue")
    lead = _("A passkey is stored on your device or in your password manager. A security key is a separate device.")
    links = [(_("Back"), "mfa-pages:factors")]

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Begin the registration, or add the new credential."""
        session = _session(request)
        check_fresh_proof(user=request.user, session=session)
        if form.cleaned_data["credential"] is None:
            passkeys.begin_registration(user=request.user, occasion=session.id)
            return see_other("mfa-pages:passkey-add")
        passkeys.confirm_registration(
            user=request.user,
            registration_id=passkeys.begun_registration(user=request.user, occasion=session.id).id,
            occasion=session.id,
            credential=form.cleaned_data["credential"],
            name=form.cleaned_data["name"],
            client=client_of(request),
        )
        messages.success(request, _("The second factor was added. You can now use it to sign in."), fail_silently=True)
        return see_other("mfa-pages:factors")

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page, with the options for the authenticator once the registration has begun."""
        try:
            options = passkeys.begun_registration(user=request.user, occasion=_session(request).id).options
        except NotFound:
            options = {}
        return super().show(request, form, status=status, options=options, **context)


class PasskeyOptionsPage(Page):
    """``POST /account/second-factors/passkeys/login/options/``: the options for the script of the login page."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the login page. A link begins nothing."""
        return see_other("core-pages:login")

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Begin the login and bind it to this browser."""
        secret = browser_secret_or_new(request)
        try:
            begun = passkeys.begin_login(transport=Transport.COOKIE, client=client_of(request), browser_secret=secret)
        except AuthError as refusal:
            return JsonResponse({"code": refusal.code}, status=int(refusal.status), headers=headers_of(refusal))
        response = JsonResponse({"token": begun.token, "options": begun.options})
        keep_browser_secret(response, secret, lifetime=core.PENDING_LOGIN_LIFETIME)
        return response


class PasskeyLoginPage(Page):
    """``POST /account/second-factors/passkeys/login/``: the assertion of a passkey."""

    form_class = PasskeyLoginForm

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the login page. A link signs no one in."""
        return see_other("core-pages:login")

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Sign in the user that the passkey names."""
        secret = browser_secret_of(request)
        onward = safe_next(request, request.GET.get("next", ""))
        outcome = passkeys.answer_login(
            token=form.cleaned_data["token"],
            credential=form.cleaned_data["credential"],
            client=client_of(request),
            browser_secret=secret,
            continue_to=onward,
        )
        return went_on(request, outcome, onward, secret)

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Say that the passkey was refused, without a reason."""
        return note(
            request,
            title=_("Passkey not accepted"),
            lead=_("It may have been removed, or the request has expired. Try again, or sign in with your password."),
            links=[(_("Back to sign in"), "core-pages:login")],
            status=status,
        )


def _session(request: HttpRequest) -> SessionFacts:
    session = session_of(request)
    if session is None:
        raise NotAuthenticated
    return session
