"""Pages behind the links in mails.

Scanners and previews open links, so GET consumes nothing and shows no address. It
moves the token into a cookie and redirects to the URL without it. The token is then
in no history, Referer or screenshot (ASVS 14.2.1).
"""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.methods import Evidence, Method
from auth_core.conf import core
from auth_core.contracts import Transport
from auth_core.errors import AuthError, LinkInvalid, PasswordRequired
from auth_core.flows import email_verification, first_administrator, invitations, password_reset, signup
from auth_core.login.browser import browser_secret_of, browser_secret_or_new, keep_cookie
from auth_core.login.journey import begin_login
from auth_core.models import BootstrapLink, EmailVerification, Invitation, PendingSignup, ResetLink
from auth_core.models.one_time_link import OneTimeLink
from auth_core.pages.base import Page, note, see_other
from auth_core.pages.forms import AdministratorForm, ChosenPasswordForm, EmptyForm, NewPasswordForm, PageForm
from auth_core.pages.login_views import went_on
from auth_core.request.client import client_of
from auth_core.text import Pattern

#: The lifetime of the cookie with the token.
_COOKIE_LIFETIME = timedelta(minutes=10)

_TOKEN = Pattern(r"el[a-z]_[A-Za-z0-9_-]{43}", at_most=47)


class LinkPage(Page):
    """A page that consumes a link. A subclass defines the kind of link and its effect."""

    kind: ClassVar[type[OneTimeLink]]
    bare: ClassVar[str]
    done_title: Any = ""
    done_lead: Any = ""
    #: Links to follow when it is done.
    then: ClassVar[Sequence[tuple[Any, str]]] = ((_("Sign in"), "core-pages:login"),)
    #: Where people can request another link of this kind, if they can.
    another: ClassVar[Sequence[tuple[Any, str]]] = ()

    def get(self, request: HttpRequest, token: str = "", **kwargs: Any) -> HttpResponseBase:
        """Move the token into the cookie, or show the form."""
        if not token:
            return self.show(request, self.form_class())
        response = see_other(self.bare)
        if _TOKEN.fullmatch(token):
            keep_cookie(response, core.LINK_COOKIE, token, lifetime=_COOKIE_LIFETIME)
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Consume the link and show the result."""
        self.spend(request, self.token_of(request), form)
        return _without_token(note(request, title=self.done_title, lead=self.done_lead, links=self.then))

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Call the function that consumes the link.

        Raises:
            AuthError: as that function does.
        """
        raise NotImplementedError

    def token_of(self, request: HttpRequest) -> str:
        """Return the token in the cookie of this browser.

        Raises:
            LinkInvalid: there is none of this kind.
        """
        token = request.COOKIES.get(core.LINK_COOKIE, "")
        if not _TOKEN.fullmatch(token) or not token.startswith(f"{self.kind.prefix}_"):
            raise LinkInvalid
        return token

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Show that the link is not valid. The page does not reveal why."""
        if not isinstance(refusal, LinkInvalid):
            return super().refuse(request, form, refusal)
        return note(
            request,
            title=_("This link is no longer valid"),
            lead=_("It was already used, it has expired, or the account has changed since then."),
            links=[*self.another, (_("Sign in"), "core-pages:login")],
            status=int(refusal.status),
        )


class SignupConfirmPage(LinkPage):
    """``/signup/confirm/``."""

    kind, bare = PendingSignup, "core-pages:signup-confirm"
    another = [(_("Send the email again"), "core-pages:email-resend")]
    title, button = _("Confirm your email address"), _("Confirm")
    lead = _("This creates your account. You can then sign in.")
    done_title, done_lead = _("Your account is ready"), _("Your email address is confirmed. You can sign in now.")

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Use the form with the password if it was shown."""
        self.form_class = ChosenPasswordForm if "password" in request.POST else EmptyForm
        return super().post(request, **kwargs)

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Create the account."""
        signup.confirm_signup(
            token=token,
            client=client_of(request),
            browser_secret=browser_secret_of(request),
            password=form.cleaned_data.get("password", ""),
        )

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Ask for the password if this is not the browser that signed up."""
        if isinstance(refusal, PasswordRequired):
            return self.show(request, ChosenPasswordForm(), lead=refusal.detail, status=int(refusal.status))
        return super().refuse(request, form, refusal)


class EmailVerifyPage(LinkPage):
    """``/email/verify/``."""

    kind, bare = EmailVerification, "core-pages:email-verify"
    another = [(_("Send the email again"), "core-pages:email-resend")]
    title, button = _("Confirm your email address"), _("Confirm")
    done_title, done_lead = _("Your email address is confirmed"), _("Thank you.")

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Mark the address as verified."""
        email_verification.verify_email(token=token, client=client_of(request))


class PasswordResetPage(LinkPage):
    """``/password/reset/``."""

    kind, bare = ResetLink, "core-pages:password-reset"
    another = [(_("Send another link"), "core-pages:password-forgot")]
    form_class = NewPasswordForm
    title, button = _("Choose a new password"), _("Set password")
    lead = _("You will be signed out everywhere.")
    done_title, done_lead = _("Your password was changed"), _("You can sign in with it now.")

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Set the password."""
        password_reset.reset_password(token=token, password=form.cleaned_data["password"], client=client_of(request))


class InvitationPage(LinkPage):
    """``/invite/``."""

    kind, bare = Invitation, "core-pages:invitation"
    form_class = NewPasswordForm
    title, button = _("You are invited"), _("Create account")
    lead = _("Choose a password to create your account.")
    done_title, done_lead = _("Your account is ready"), _("Sign in with your email address and your new password.")

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Create the account."""
        password = form.cleaned_data["password"]
        invitations.accept_invitation(token=token, password=password, client=client_of(request))


class SetupPage(LinkPage):
    """``/setup/``: the first administrator, who is signed in at once.

    The operator's machine printed the link, so it is an access pass. A login without it would mail a code before it
    lets an administrator add a second factor, and the mail server may not exist yet (decision record 0011).
    """

    kind, bare = BootstrapLink, "core-pages:setup"
    form_class = AdministratorForm
    title, button = _("Create the first administrator"), _("Create account")
    lead = _("There is no administrator yet. This account will have all permissions.")
    done_title, done_lead = _("Your account is ready"), _("You can sign in now. This link no longer works.")

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Create the administrator and sign them in. If that fails, say that the account exists."""
        email, password, client = form.cleaned_data["email"], form.cleaned_data["password"], client_of(request)
        user = first_administrator.create_first_administrator(
            token=self.token_of(request), email=email, password=password, client=client
        )
        secret = browser_secret_or_new(request)
        try:
            outcome = begin_login(
                identifier=user.get_username(),
                password=password,
                transport=Transport.COOKIE,
                client=client,
                browser_secret=secret,
                proved_before=[Evidence.now(Method.ACCESS_PASS)],
            )
        except AuthError:
            response: HttpResponseBase = note(request, title=self.done_title, lead=self.done_lead, links=self.then)
        else:
            response = went_on(request, outcome, "", secret)
        return _without_token(response)


def _without_token(response: HttpResponseBase) -> HttpResponseBase:
    """Return *response*, which deletes the cookie of a spent link."""
    response.delete_cookie(core.LINK_COOKIE, path="/", samesite="Lax")
    return response
