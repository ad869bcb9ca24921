"""Coming to an account, and looking after it."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.conf import core
from auth_core.crypto.encryption import DecryptionFailed, decrypt, encrypt
from auth_core.crypto.secrets import digest
from auth_core.flows import email_verification, password_reset, signup
from auth_core.flows.password_change import change_password
from auth_core.login.browser import browser_secret_of, keep_browser_secret, keep_django_session, new_browser_secret
from auth_core.pages.base import AccountPage, Page, note, see_other, show
from auth_core.pages.forms import EmailForm, PageForm, PasswordChangeForm, SignupCodeForm, SignupForm
from auth_core.people.lookup import SECOND_FACTORS_PART, profile_of
from auth_core.registries import snapshot_parts
from auth_core.request.client import client_of

_TO_LOGIN = [(_("Sign in"), "pages:login")]

_SENT_AGAIN = _(
    "If this address waits to be confirmed, another mail is on its way. Follow its link, or enter its code"
    " here; the mail before is worth nothing any more."
)

#: What the address in the query is encrypted as, and its longest ciphertext.
_ADDRESS_PURPOSE = "auth_core.pages.typed_address"
_LONGEST_SEALED = 2000


class SignupPage(Page):
    """``/signup/``."""

    form_class = SignupForm
    title, button = _("Make an account"), _("Go on")
    links = [(_("I have one: sign in"), "pages:login")]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the form, where anybody may sign up."""
        if signup.is_open():
            return super().get(request, **kwargs)
        return note(
            request,
            title=_("Accounts are made by invitation"),
            lead=_("Ask whoever runs this service for one."),
            links=_TO_LOGIN,
        )

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Ask for the account, and go on with the code; known and unknown look the same."""
        secret = browser_secret_of(request) or new_browser_secret()
        email = form.cleaned_data["email"]
        signup.request_signup(
            email=email, password=form.cleaned_data["password"], client=client_of(request), browser_secret=secret
        )
        response = see_other(_code_address(email, secret))
        keep_browser_secret(response, secret, lifetime=core.SIGNUP_LIFETIME)
        return response


class SignupCodePage(Page):
    """``/signup/code/``: the code from the mail, in the browser that signed up."""

    template_name = "auth_core/signup_code.html"
    form_class = SignupCodeForm
    title, button = _("Look at your mails"), _("Confirm")
    lead = _("We have sent you a code and a link. Enter the code here, or follow the link.")
    links = [(_("Begin again"), "pages:signup")]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the form for the address that this browser has just typed; without one there is nothing to confirm."""
        email = _typed_address(request)
        if not email:
            return see_other("pages:signup")
        lead = _SENT_AGAIN if "again" in request.GET else self.lead
        return self.show(request, SignupCodeForm(initial={"email": email}), lead=lead)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Make the account."""
        signup.confirm_signup_by_code(
            email=form.cleaned_data["email"],
            code=form.cleaned_data["code"].replace(" ", ""),
            client=client_of(request),
            browser_secret=browser_secret_of(request),
        )
        lead = _("Your address is confirmed. Sign in now.")
        return note(request, title=_("Your account is there"), lead=lead, links=_TO_LOGIN)

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page; its form is posted here, wherever it is shown."""
        return super().show(request, form, status=status, action=reverse("pages:signup-code"), **context)


class EmailResendPage(Page):
    """``/email/resend/``: the mail again that proves an address; known and unknown look the same."""

    form_class = EmailForm
    title, button = _("Confirm your address"), _("Send the mail again")
    lead = _("We send it to whoever waits for it. Ask in the browser in which you signed up.")
    links = _TO_LOGIN

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Ask for the mail, and go on with the code."""
        email = form.cleaned_data["email"]
        email_verification.resend_confirmation(
            email=email, client=client_of(request), browser_secret=browser_secret_of(request)
        )
        return see_other(_code_address(email, browser_secret_of(request), again="1"))


class PasswordForgotPage(Page):
    """``/password/forgot/``; with ``?sent`` that a link is on its way."""

    form_class = EmailForm
    title, button = _("Forgot your password?"), _("Send me a link")
    lead = _("We send a link to your address; it lets you choose another password.")
    links = [(_("Back to the login"), "pages:login")]

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Ask for the link; known and unknown look the same."""
        password_reset.request_reset(email=form.cleaned_data["email"], client=client_of(request))
        return see_other(f"{reverse('pages:password-forgot')}?sent")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the form, or what became of it."""
        if "sent" not in request.GET:
            return super().get(request, **kwargs)
        return note(
            request,
            title=_("Look at your mails"),
            lead=_("If there is an account with this address, a link is on its way. It is good for a short time."),
            links=_TO_LOGIN,
        )


class ProfilePage(AccountPage):
    """``/account/``."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show what we know of the person."""
        knows_factors = snapshot_parts.get(SECOND_FACTORS_PART) is not None
        known = {"profile": profile_of(request.user), "knows_factors": knows_factors}
        return show(request, "auth_core/profile.html", known)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Nothing is changed here."""
        return see_other("pages:account")


class PasswordChangePage(AccountPage):
    """``/account/password/``."""

    form_class = PasswordChangeForm
    title, button = _("Change your password"), _("Change it")
    lead = _("Everywhere else you will be signed out.")

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Change it; this session lives on."""
        person = change_password(
            user=request.user,
            current_password=form.cleaned_data["current_password"],
            new_password=form.cleaned_data["new_password"],
            session=session_of(request),
            client=client_of(request),
        )
        keep_django_session(request, person)
        messages.success(request, _("Your password was changed."), fail_silently=True)
        return see_other("pages:account")


def _code_address(email: str, browser_secret: str, **query: str) -> str:
    """Return where the code for *email* is entered.

    The form is answered with a redirect, so that to reload the page mails nothing. The address
    is encrypted for this browser: an address of a page stands in histories and logs.
    """
    sealed = encrypt(_ADDRESS_PURPOSE, email.encode(), context=digest(browser_secret))
    return f"{reverse('pages:signup-code')}?{urlencode({'for': sealed, **query})}"


def _typed_address(request: HttpRequest) -> str:
    """Return the address that this browser typed; nothing, where another browser did or the query was made up."""
    sealed = request.GET.get("for", "")[:_LONGEST_SEALED]
    try:
        return decrypt(_ADDRESS_PURPOSE, sealed, context=digest(browser_secret_of(request))).decode()
    except DecryptionFailed:
        return ""
