"""Pages for sign-up, password reset and the account."""

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
from auth_core.login.browser import browser_secret_of, browser_secret_or_new, keep_browser_secret, keep_django_session
from auth_core.pages.base import AccountPage, Page, note, see_other, show
from auth_core.pages.forms import EmailForm, PageForm, PasswordChangeForm, SignupCodeForm, SignupForm
from auth_core.people.lookup import SECOND_FACTORS_PART, profile_of
from auth_core.registries import snapshot_parts
from auth_core.request.client import client_of

_TO_LOGIN = [(_("Sign in"), "core-pages:login")]

_SENT_AGAIN = _(
    "If this address still needs to be confirmed, we have sent another email. Follow its link or enter its code"
    " here. The previous link and code no longer work."
)

#: The purpose under which the address in the query is encrypted, and the longest ciphertext.
_ADDRESS_PURPOSE = "auth_core.pages.typed_address"
_LONGEST_CIPHERTEXT = 2000


class SignupPage(Page):
    """``/signup/``."""

    form_class = SignupForm
    title, button = _("Create account"), _("Continue")
    links = [(_("Already have an account? Sign in"), "core-pages:login")]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the form if sign-up is open."""
        if signup.is_open():
            return super().get(request, **kwargs)
        return note(
            request,
            title=_("Sign-up is by invitation only"),
            lead=_("Ask your administrator for an invitation."),
            links=_TO_LOGIN,
        )

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Request the account, then ask for the code. The response is the same for known and unknown addresses."""
        secret = browser_secret_or_new(request)
        email = form.cleaned_data["email"]
        signup.request_signup(
            email=email, password=form.cleaned_data["password"], client=client_of(request), browser_secret=secret
        )
        response = see_other(_code_address(email, secret))
        keep_browser_secret(response, secret, lifetime=core.SIGNUP_LIFETIME)
        return response


class SignupCodePage(Page):
    """``/signup/code/``: the form for the code in the mail, for the browser that signed up."""

    template_name = "auth_core/signup_code.html"
    form_class = SignupCodeForm
    title, button = _("Check your email"), _("Confirm")
    lead = _("We have sent you a code and a link. Enter the code here or follow the link.")
    links = [(_("Start again"), "core-pages:signup")]

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the form for the address typed in this browser. Without one, go back to the sign-up."""
        email = _typed_address(request)
        if not email:
            return see_other("core-pages:signup")
        lead = _SENT_AGAIN if "again" in request.GET else self.lead
        return self.show(request, SignupCodeForm(initial={"email": email}), lead=lead)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Create the account."""
        signup.confirm_signup_by_code(
            email=form.cleaned_data["email"],
            code=form.cleaned_data["code"].replace(" ", ""),
            client=client_of(request),
            browser_secret=browser_secret_of(request),
        )
        lead = _("Your email address is confirmed. You can sign in now.")
        return note(request, title=_("Your account is ready"), lead=lead, links=_TO_LOGIN)

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page. Its form always posts to this view."""
        return super().show(request, form, status=status, action=reverse("core-pages:signup-code"), **context)


class EmailResendPage(Page):
    """``/email/resend/``: send the confirmation mail again. The response is the same for known and unknown addresses."""

    form_class = EmailForm
    title, button = _("Confirm your email address"), _("Send the email again")
    lead = _(
        "Use the browser in which you signed up. We only send an email if the address still needs to be confirmed."
    )
    links = _TO_LOGIN

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Request the mail, then ask for the code."""
        email = form.cleaned_data["email"]
        email_verification.resend_confirmation(
            email=email, client=client_of(request), browser_secret=browser_secret_of(request)
        )
        return see_other(_code_address(email, browser_secret_of(request), again="1"))


class PasswordForgotPage(Page):
    """``/password/forgot/``. With ``?sent`` it says that the link was sent."""

    form_class = EmailForm
    title, button = _("Forgot your password?"), _("Send link")
    lead = _("Enter your email address. We will send you a link to choose a new password.")
    links = [(_("Back to sign in"), "core-pages:login")]

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Request the link. The response is the same for known and unknown addresses."""
        password_reset.request_reset(email=form.cleaned_data["email"], client=client_of(request))
        return see_other(f"{reverse('core-pages:password-forgot')}?sent")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the form, or after it was sent, a confirmation."""
        if "sent" not in request.GET:
            return super().get(request, **kwargs)
        return note(
            request,
            title=_("Check your email"),
            lead=_("If this address has an account, we have sent it a link. The link expires soon."),
            links=_TO_LOGIN,
        )


class ProfilePage(AccountPage):
    """``/account/``."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the profile of the person."""
        knows_factors = snapshot_parts.get(SECOND_FACTORS_PART) is not None
        context = {"profile": profile_of(request.user), "knows_factors": knows_factors}
        return show(request, "auth_core/profile.html", context)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the page, because it has no form."""
        return see_other("core-pages:account")


class PasswordChangePage(AccountPage):
    """``/account/password/``."""

    form_class = PasswordChangeForm
    title, button = _("Change your password"), _("Change password")
    lead = _("You will be signed out everywhere else.")

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Change the password. This session continues."""
        person = change_password(
            user=request.user,
            current_password=form.cleaned_data["current_password"],
            new_password=form.cleaned_data["new_password"],
            session=session_of(request),
            client=client_of(request),
        )
        keep_django_session(request, person)
        messages.success(request, _("Your password was changed."), fail_silently=True)
        return see_other("core-pages:account")


def _code_address(email: str, browser_secret: str, **query: str) -> str:
    """Return the URL of the form for the code sent to *email*.

    The sign-up form redirects to it, so that a reload sends no mail. The address is
    encrypted for this browser, because URLs are kept in histories and logs.
    """
    ciphertext = encrypt(_ADDRESS_PURPOSE, email.encode(), context=digest(browser_secret))
    return f"{reverse('core-pages:signup-code')}?{urlencode({'for': ciphertext, **query})}"


def _typed_address(request: HttpRequest) -> str:
    """Return the address that was typed in this browser, or an empty string if the query is not from this browser."""
    ciphertext = request.GET.get("for", "")[:_LONGEST_CIPHERTEXT]
    try:
        return decrypt(_ADDRESS_PURPOSE, ciphertext, context=digest(browser_secret_of(request))).decode()
    except DecryptionFailed:
        return ""
