"""What the links in mails lead to.

A link is opened by scanners and previews: GET spends nothing and shows nobody's
address. It moves the token into a cookie and goes to the bare address, so that the
token stands in no history, no Referer and no screenshot (ASVS 14.2.1).
"""

from collections.abc import Sequence
from typing import Any, ClassVar

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.conf import core
from auth_core.errors import AuthError, LinkInvalid, PasswordRequired
from auth_core.flows import email_verification, first_administrator, invitations, password_reset, signup
from auth_core.login.browser import browser_secret_of
from auth_core.models import BootstrapLink, EmailVerification, Invitation, PendingSignup, ResetLink
from auth_core.models.one_time_link import OneTimeLink
from auth_core.pages.base import Page, note, see_other
from auth_core.pages.forms import AdministratorForm, ChosenPasswordForm, EmptyForm, NewPasswordForm, PageForm
from auth_core.request.client import client_of
from auth_core.text import Pattern

#: How long the cookie keeps a token that was followed and not used, in seconds.
_KEPT_SECONDS = 600

_TOKEN = Pattern(r"el[a-z]_[A-Za-z0-9_-]{43}", at_most=47)


class LinkPage(Page):
    """A page that spends a link; a subclass says which kind, and how."""

    kind: ClassVar[type[OneTimeLink]]
    bare: ClassVar[str]
    done_title: Any = ""
    done_lead: Any = ""
    #: Where to go when it is done.
    then: ClassVar[Sequence[tuple[Any, str]]] = ((_("Sign in"), "pages:login"),)
    #: Where to ask for another link of this kind, if people can do that themselves.
    another: ClassVar[Sequence[tuple[Any, str]]] = ()

    def get(self, request: HttpRequest, token: str = "", **kwargs: Any) -> HttpResponseBase:
        """Put the token away, or show the button."""
        if not token:
            return self.show(request, self.form_class())
        response = see_other(self.bare)
        if _TOKEN.fullmatch(token):
            response.set_cookie(
                core.LINK_COOKIE,
                token,
                max_age=_KEPT_SECONDS,
                secure=core.LINK_COOKIE.startswith("__Host-"),
                httponly=True,
                samesite="Lax",
            )
        response.headers["Referrer-Policy"] = "no-referrer"
        return response

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Spend the link, and say what came of it."""
        self.spend(request, self.token_of(request), form)
        response = note(request, title=self.done_title, lead=self.done_lead, links=self.then)
        response.delete_cookie(core.LINK_COOKIE, path="/", samesite="Lax")
        return response

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Call the function that spends it.

        Raises:
            AuthError: as that function does.
        """
        raise NotImplementedError

    def token_of(self, request: HttpRequest) -> str:
        """Return the token that this browser followed, if it is one of this page's kind.

        Raises:
            LinkInvalid: there is none.
        """
        token = request.COOKIES.get(core.LINK_COOKIE, "")
        if not _TOKEN.fullmatch(token) or not token.startswith(f"{self.kind.prefix}_"):
            raise LinkInvalid
        return token

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Say that the link is not good; which of its faults it has is nobody's business."""
        if not isinstance(refusal, LinkInvalid):
            return super().refuse(request, form, refusal)
        return note(
            request,
            title=_("This link is not valid any more"),
            lead=_("It was used, or it is too old, or something about the account has changed since."),
            links=[*self.another, (_("Sign in"), "pages:login")],
            status=int(refusal.status),
        )


class SignupConfirmPage(LinkPage):
    """``/signup/confirm/``."""

    kind, bare = PendingSignup, "pages:signup-confirm"
    another = [(_("Send the mail again"), "pages:email-resend")]
    title, button = _("Confirm your address"), _("Confirm")
    lead = _("Then your account is made, and you can sign in.")
    done_title, done_lead = _("Your account is there"), _("Your address is confirmed. Sign in now.")

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Take the password along, where it was asked for."""
        self.form_class = ChosenPasswordForm if "password" in request.POST else EmptyForm
        return super().post(request, **kwargs)

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Make the account."""
        signup.confirm_signup(
            token=token,
            client=client_of(request),
            browser_secret=browser_secret_of(request),
            password=form.cleaned_data.get("password", ""),
        )

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Ask for the password, in another browser than the one that signed up."""
        if isinstance(refusal, PasswordRequired):
            return self.show(request, ChosenPasswordForm(), lead=refusal.detail, status=int(refusal.status))
        return super().refuse(request, form, refusal)


class EmailVerifyPage(LinkPage):
    """``/email/verify/``."""

    kind, bare = EmailVerification, "pages:email-verify"
    another = [(_("Send the mail again"), "pages:email-resend")]
    title, button = _("Confirm your address"), _("Confirm")
    done_title, done_lead = _("Your address is confirmed"), _("Thank you.")

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Count the address as proven."""
        email_verification.verify_email(token=token, client=client_of(request))


class PasswordResetPage(LinkPage):
    """``/password/reset/``."""

    kind, bare = ResetLink, "pages:password-reset"
    another = [(_("Send me another link"), "pages:password-forgot")]
    form_class = NewPasswordForm
    title, button = _("Choose a new password"), _("Set the password")
    lead = _("Everywhere you are signed in, you will be signed out.")
    done_title, done_lead = _("Your password is set"), _("Sign in with it now.")

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Set it."""
        password_reset.reset_password(token=token, password=form.cleaned_data["password"], client=client_of(request))


class InvitationPage(LinkPage):
    """``/invite/``."""

    kind, bare = Invitation, "pages:invitation"
    form_class = NewPasswordForm
    title, button = _("You are invited"), _("Make my account")
    lead = _("Choose a password; your account is made then.")
    done_title, done_lead = _("Your account is there"), _("Sign in with your address and the password you chose.")

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Make the account."""
        password = form.cleaned_data["password"]
        invitations.accept_invitation(token=token, password=password, client=client_of(request))


class SetupPage(LinkPage):
    """``/setup/``: the first administrator."""

    kind, bare = BootstrapLink, "pages:setup"
    form_class = AdministratorForm
    title, button = _("The first administrator"), _("Make the account")
    lead = _("There is no administrator yet. This account may do everything.")
    done_title, done_lead = _("The administrator is there"), _("Sign in now. This link is worth nothing any more.")

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Make the administrator."""
        first_administrator.create_first_administrator(
            token=token,
            email=form.cleaned_data["email"],
            password=form.cleaned_data["password"],
            client=client_of(request),
        )
