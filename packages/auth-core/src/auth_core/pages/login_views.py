"""Pages for signing in and out."""

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.loader import select_template
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.conf import core
from auth_core.contracts import Challenged, LoginOutcome, Purpose, Transport
from auth_core.errors import AuthError, LoginExpired
from auth_core.flows import signup
from auth_core.login import journey
from auth_core.login.browser import (
    browser_secret_of,
    browser_secret_or_new,
    end_unfinished_logins,
    enter_session,
    forget_browser_secret,
    keep_browser_secret,
    keep_device,
    leave_session,
)
from auth_core.models import PendingLogin
from auth_core.models.pending_login import Caller
from auth_core.pages.base import Page, note, safe_next, see_other
from auth_core.pages.forms import CodeForm, LoginForm, PageForm
from auth_core.registries import answer_forms, login_ways
from auth_core.request.client import client_of

#: The longest identifier, in characters.
_LONGEST_HINT = 320


class LoginPage(Page):
    """``/login/``."""

    template_name = "auth_core/login.html"
    form_class = LoginForm
    title = _("Sign in")
    button = _("Sign in")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the form, or redirect a person who is signed in.

        With ``?other`` a signed-in person may sign in as another one. Their session stays until that has happened.
        ``?login_hint`` fills in an identifier.
        """
        onward = safe_next(request, request.GET.get("next", ""))
        if request.user.is_authenticated and "other" not in request.GET:
            return see_other(onward or "core-pages:account")
        hint = request.GET.get("login_hint", "")
        is_usable = hint.isprintable() and len(hint) <= _LONGEST_HINT
        return self.show(request, LoginForm(initial={"identifier": hint} if is_usable else None))

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Begin a login."""
        secret = browser_secret_or_new(request)
        onward = safe_next(request, request.GET.get("next", ""))
        outcome = journey.begin_login(
            identifier=form.cleaned_data["identifier"],
            password=form.cleaned_data["password"],
            transport=Transport.COOKIE,
            client=client_of(request),
            browser_secret=secret,
            continue_to=onward,
        )
        return went_on(request, outcome, onward, secret)

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with the other ways to sign in and, if sign-up is open, the link to it."""
        self.links = [(_("Forgot your password?"), "core-pages:password-forgot")]
        if signup.is_open():
            self.links.append((_("Create account"), "core-pages:signup"))
        ways = [template for way in login_ways.values() if (template := way(request))]
        onward = safe_next(request, request.GET.get("next", ""))
        return super().show(request, form, status=status, ways=ways, onward=onward, **context)


class AnswerPage(Page):
    """``/login/answer/``: the challenge of the login in this browser."""

    template_name = "auth_core/answer.html"
    form_class: type[PageForm] = CodeForm
    title = _("Confirm it's you")
    button = _("Continue")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the challenge, or redirect to the login if there is none."""
        try:
            self.form_class = _form_of(request)
            return self.show(request, self.form_class())
        except LoginExpired:
            return see_other("core-pages:login")

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Check the answer."""
        login = _pending_login(request)
        outcome = journey.answer_pending(login=login, answer=form.cleaned_data, client=client_of(request))
        return went_on(request, outcome, login.continue_to, browser_secret_of(request))

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Check the answer. If the login has expired, say so."""
        try:
            self.form_class = _form_of(request)
            return super().post(request, **kwargs)
        except LoginExpired as refusal:
            return note(
                request,
                title=_("Your sign-in has expired"),
                lead=refusal.detail,
                links=[(_("Start again"), "core-pages:login")],
                status=int(refusal.status),
            )

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with the challenge, in the form for its kind.

        Raises:
            LoginExpired: this browser has no login with a challenge.
        """
        challenge = journey.question_of(_pending_login(request))
        if challenge is None:
            raise LoginExpired
        names = [f"auth_core/challenges/{challenge.kind}.html", "auth_core/challenges/_code.html"]
        others = [choice for choice in challenge.choices if form.others_beside and choice.id != challenge.choice]
        chosen = next((choice.label for choice in challenge.choices if choice.id == challenge.choice), "")
        details = {"challenge": challenge, "challenge_templates": select_template(names), "choices": others}
        details["lead"] = _("Enter the code: %(way)s.") % {"way": chosen} if chosen else self.lead
        details |= {name: text for name in ("title", "button") if (text := getattr(form, name))}
        return super().show(request, form, status=status, **details, **context)


class ChoosePage(Page):
    """``/login/choose/``: choose another factor."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the challenge. A link must not choose anything."""
        return see_other("core-pages:answer")

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Choose a factor, then show its challenge. If it sends a code, say whether it was sent."""
        choice = request.POST.get("choice", "")[:64]
        try:
            outcome = journey.choose_pending(login=_pending_login(request), choice=choice, client=client_of(request))
        except LoginExpired:
            return see_other("core-pages:login")
        except AuthError:
            return see_other("core-pages:answer")
        _add_sent_message(request, outcome)
        return see_other("core-pages:answer")


class LogoutPage(Page):
    """``POST /logout/``."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the account. A link must not sign people out."""
        return see_other("core-pages:account")

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """End the session and clear the cache and storage of the browser (ASVS 14.3.1)."""
        session = session_of(request)
        if session is not None and request.user.is_authenticated:
            journey.end_login(user=request.user, session=session, client=client_of(request))
        if request.user.is_authenticated:
            leave_session(request, request.user)
        response = see_other("core-pages:logged-out")
        response.headers["Clear-Site-Data"] = '"cache", "storage"'
        end_unfinished_logins(request, response)
        return response


class LoggedOutPage(Page):
    """``/logged-out/``."""

    http_method_names = ("get", "head", "options")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Confirm that the session has ended."""
        return note(
            request,
            title=_("You are signed out"),
            lead=_("Your session in this browser has ended."),
            links=[(_("Sign in again"), "core-pages:login")],
        )


def _form_of(request: HttpRequest) -> type[PageForm]:
    """Return the form for the challenge in this browser: the one of its kind, else the form for a code.

    Raises:
        LoginExpired: this browser has no login with a challenge.
    """
    challenge = journey.question_of(_pending_login(request))
    own: type[PageForm] | None = None if challenge is None else answer_forms.get(challenge.kind)
    return own or CodeForm


def _add_sent_message(request: HttpRequest, outcome: Challenged) -> None:
    """Add a message that says whether a code was sent, if the challenge sends one."""
    is_sent = outcome.challenge.data.get("is_sent")
    if is_sent:
        messages.success(request, _("The code was sent."), fail_silently=True)
    elif is_sent is False:
        text = _("No code was sent, because too many were requested. Try again later.")
        messages.warning(request, text, fail_silently=True)


def _pending_login(request: HttpRequest) -> PendingLogin:
    """Return the pending login of this browser.

    Raises:
        LoginExpired: there is none.
    """
    session = session_of(request)
    caller = Caller(
        purposes=frozenset({Purpose.LOGIN, Purpose.STEP_UP}),
        transport=Transport.COOKIE,
        browser_secret=browser_secret_of(request),
        session_id=session.id if session else None,
    )
    return PendingLogin.objects.of_browser(caller)


def went_on(request: HttpRequest, outcome: LoginOutcome, onward: str, secret: str) -> HttpResponseBase:
    """Redirect to the next challenge, or sign in and redirect to the next page."""
    if isinstance(outcome, Challenged):
        response = see_other("core-pages:answer")
        keep_browser_secret(response, secret, lifetime=core.PENDING_LOGIN_LIFETIME)
        return response
    enter_session(request, outcome.grant)
    response = see_other(onward or "core-pages:account")
    keep_device(response, outcome.grant)
    forget_browser_secret(request, response)
    return response
