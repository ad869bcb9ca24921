"""The pages on which a sign-in at a provider begins and ends."""

from typing import Any

from django.contrib.auth.decorators import login_not_required
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views import View
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.debug import sensitive_post_parameters

from auth_core import limits
from auth_core.assurance.evidence import session_of
from auth_core.contracts import Purpose
from auth_core.errors import AuthError, LoginExpired, NotAuthenticated, TooManyAttempts, Unavailable
from auth_core.federation.connections.callback import begin_at, identify, open_provider, read_answer
from auth_core.federation.connections.changes import connect
from auth_core.federation.connections.login import sign_in
from auth_core.federation.errors import ConnectFirst
from auth_core.federation.protocol.attempts import Attempt, forget_attempt, opened_answer, sealed_answer
from auth_core.federation.providers.base import Provider
from auth_core.federation.providers.identity import ProviderIdentity
from auth_core.flows import signup
from auth_core.login.browser import browser_secret_or_new
from auth_core.observability.denials import mark_denied_by
from auth_core.pages.base import DATABASE_LOST, Page, note, safe_next, see_other, show, tell
from auth_core.pages.login_views import went_on
from auth_core.request.client import client_of

#: The parameter of the handle of an answer that was posted.
_HANDLE = "answer"


class LoginPage(Page):
    """``POST /federation/{provider}/login/``: a button of the login page."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the login page. A link must not send people to a provider."""
        return see_other("core-pages:login")

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Send the person to the provider."""
        onward = safe_next(request, request.GET.get("next", ""))
        try:
            return leave_for(request, self.kwargs["slug"], purpose=Purpose.LOGIN, continue_to=onward)
        except AuthError as refusal:
            return refusal_page(request, refusal)


class CallbackView(View):
    """``/federation/{provider}/callback/``: the answer of a provider.

    A provider posts its answer from its own page, without a cookie and without a token of ours. Nothing is judged then: the
    browser comes back by itself, with the cookie, to the address of a handle.
    """

    http_method_names = ("get", "post")

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, for callers without a session and from other sites, outside of ``ATOMIC_REQUESTS``."""
        return transaction.non_atomic_requests(login_not_required(csrf_exempt(super().as_view(**initkwargs))))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the answer, or a page about what is wrong with a way on."""
        try:
            response = super().dispatch(request, *args, **kwargs)
        except AuthError as refusal:
            response = refusal_page(request, refusal)
        except DATABASE_LOST:
            response = tell(request, Unavailable())
        response.headers["Cache-Control"] = "no-store"
        # The address has the code. It is spent, and still goes nowhere.
        response.headers["Referrer-Policy"] = "no-referrer"
        patch_vary_headers(response, ("Cookie",))
        return response

    @method_decorator(sensitive_post_parameters())
    def post(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Redirect to the same address with a handle. Sets and stores nothing."""
        limits.charge("provider", client=client_of(request))
        provider = open_provider(slug)
        handle = sealed_answer(provider.slug, read_answer(request.POST.dict()))
        return see_other(f"{request.path}?{urlencode({_HANDLE: handle})}")

    def get(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """Sign the person in, or connect the provider."""
        limits.charge("provider", client=client_of(request))
        provider = open_provider(slug)
        handle = request.GET.get(_HANDLE, "")
        answer = read_answer(opened_answer(provider.slug, handle) if handle else request.GET.dict())
        attempt, identity = identify(request, provider, answer, client_of(request))
        if attempt.purpose == Purpose.LINK:
            response = self._connect(request, provider, attempt, identity)
        else:
            response = self._sign_in(request, provider, attempt, identity)
        forget_attempt(request, response)
        return response

    def _sign_in(
        self, request: HttpRequest, provider: Provider, attempt: Attempt, identity: ProviderIdentity
    ) -> HttpResponseBase:
        secret = browser_secret_or_new(request)
        outcome = sign_in(
            provider=provider,
            identity=identity,
            client=client_of(request),
            browser_secret=secret,
            continue_to=attempt.continue_to,
        )
        return went_on(request, outcome, attempt.continue_to, secret)

    def _connect(
        self, request: HttpRequest, provider: Provider, attempt: Attempt, identity: ProviderIdentity
    ) -> HttpResponseBase:
        """Connect in the session that began it, and in no other."""
        session = session_of(request)
        if session is None or not request.user.is_authenticated or str(session.id) != attempt.session:
            raise LoginExpired
        person: Any = request.user
        connect(user=person, session=session, provider=provider, identity=identity, client=client_of(request))
        return see_other("federation:connections")


def leave_for(
    request: HttpRequest, slug: str, *, purpose: Purpose, session: str = "", continue_to: str = ""
) -> HttpResponse:
    """Return the page that leads to a provider, with the cookie of the new attempt.

    It is a page and no redirect. Chromium compares every redirect after a form with the policy of the page before it, and
    many providers lead on to another one, such as that of a company.

    Raises:
        NotFound: there is no such provider.
        TooManyAttempts: the network has begun too many.
        ProviderUnavailable: the provider does not answer.
    """
    client = client_of(request)
    limits.charge("provider", client=client)
    provider = open_provider(slug)
    attempt = Attempt.begin(provider=provider.slug, purpose=purpose, session=session, continue_to=continue_to)
    address = begin_at(provider, attempt, client)
    context = {
        "title": _("Continue to %(name)s") % {"name": provider.name},
        "name": provider.name,
        "address": address,
    }
    response = show(request, "auth_federation/leave.html", context)
    attempt.keep(response)
    return response


def refusal_page(request: HttpRequest, refusal: AuthError) -> HttpResponseBase:
    """Return a page about a refusal, with a way on: to sign in another way, or to create an account."""
    if isinstance(refusal, Unavailable | TooManyAttempts | NotAuthenticated):
        return tell(request, refusal)
    mark_denied_by(refusal)
    links = [(_("Sign in another way"), "core-pages:login")]
    if isinstance(refusal, ConnectFirst) and signup.is_open():
        links.append((_("Create account"), "core-pages:signup"))
    if request.user.is_authenticated:
        links = [(_("Connected providers"), "federation:connections")]
    return note(
        request,
        title=_("You are not signed in") if not request.user.is_authenticated else _("Nothing was connected"),
        lead=refusal.detail,
        links=links,
        status=int(refusal.status),
    )
