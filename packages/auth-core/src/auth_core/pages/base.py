"""The base of all pages: a form, the function behind it, and the response."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.contrib.auth.decorators import login_not_required
from django.contrib.auth.views import redirect_to_login
from django.contrib.messages import get_messages
from django.db import InterfaceError, OperationalError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.shortcuts import render, resolve_url
from django.utils.cache import patch_vary_headers
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme, urlencode
from django.utils.translation import gettext_lazy as _
from django.views import View
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters

from auth_core import limits
from auth_core.api.problems import headers_of
from auth_core.assurance.evidence import check_context, session_of
from auth_core.errors import AuthError, InsufficientUserAuthentication, TooManyAttempts, Unavailable
from auth_core.messages.links import site_name
from auth_core.observability.denials import mark_denied_by
from auth_core.pages.form_targets import apply_form_targets
from auth_core.pages.forms import EmptyForm, PageForm
from auth_core.registries import menu_entries
from auth_core.request.client import client_of
from auth_core.request.context import correlation_id

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

HTTP_SEE_OTHER = 303

#: Methods that change nothing.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

#: Exceptions of Django when the database is lost or busy.
DATABASE_LOST = (OperationalError, InterfaceError)


@method_decorator([csrf_protect, sensitive_post_parameters()], name="dispatch")
class Page(View):
    """A page with one form. A subclass defines the form and what it does.

    It never runs inside ``ATOMIC_REQUESTS``: an error would roll back the charge to a budget.
    """

    template_name = "auth_core/form.html"
    form_class: type[PageForm] = EmptyForm
    title: Any = ""
    lead: Any = ""
    button: Any = ""
    links: Sequence[tuple[Any, str]] = ()

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, exempt from ``ATOMIC_REQUESTS`` and from `LoginRequiredMiddleware`.

        The middleware would block the pages on which people sign in. Pages of an account
        check for themselves.
        """
        return transaction.non_atomic_requests(login_not_required(super().as_view(**initkwargs)))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the response and forbid caching, because pages are personal (ASVS 14.3.2)."""
        try:
            response = self.answer(request, *args, **kwargs)
        except DATABASE_LOST:
            response = tell(request, Unavailable())
        apply_form_targets(request, response)
        response.headers["Cache-Control"] = "no-store"
        patch_vary_headers(response, ("Cookie",))
        return response

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Return the response. A subclass may check the request first."""
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the form."""
        return self.show(request, self.form_class())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Process the form. An error is shown in the form."""
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self.show(request, form, status=400)
        try:
            return self.act(request, form)
        except AuthError as refusal:
            return self.refuse(request, form, refusal)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Call the function that the form is for.

        Raises:
            AuthError: as that function does.
        """
        raise NotImplementedError

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Show the form again, with each error beside its field."""
        mark_denied_by(refusal)
        for error in refusal.errors:
            # The API nests objects. A form has only the innermost names.
            name = error.field.rpartition(".")[2]
            form.add_error(name if name in form.fields else None, error.detail)
        if not refusal.errors:
            form.add_error(*form.blames.get(refusal.code, (None, refusal.detail)))
        response = self.show(request, form, status=int(refusal.status))
        for name, value in refusal.headers.items():
            response.headers[name] = value
        return response

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page."""
        form.describe()
        links = [{"label": label, "url": resolve_url(name)} for label, name in self.links]
        defaults = {"title": self.title, "lead": self.lead, "button": self.button, "links": links, "form": form}
        return show(request, self.template_name, {**defaults, **context}, status=status)


class AccountPage(Page):
    """A page for signed-in people. Others are sent to the login and return afterwards."""

    template_name = "auth_core/account_form.html"

    #: The reason why a session whose context changed may make changes here. Empty: it may not.
    context_exempt: ClassVar[str] = ""

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Require a login, and a new proof if the context of the session changed. Charge the budget of changes."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), resolve_url("core-pages:login"))
        try:
            self._check_context(request)
        except InsufficientUserAuthentication as refusal:
            return see_other(proof_address(request, refusal))
        try:
            if request.method not in SAFE_METHODS:
                limits.charge("change", person=str(request.user.pk), client=client_of(request))
        except TooManyAttempts as refusal:
            return tell(request, refusal)
        return super().answer(request, *args, **kwargs)

    def _check_context(self, request: HttpRequest) -> None:
        """Require the proof before a form is shown and when it is posted."""
        has_form = type(self).act is not Page.act
        if not self.context_exempt and (has_form or request.method not in SAFE_METHODS):
            check_context(session_of(request))


def show(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """Render a page with the context that every page needs."""
    entries = sorted(menu_entries.values(), key=lambda entry: entry.order)
    menu = _marked([{"label": entry.label, "url": resolve_url(entry.url_name)} for entry in entries], request.path)
    shared = {"site_name": site_name(), "menu": menu, "request": request, "messages": get_messages(request)}
    return render(request, template, {**shared, **context}, status=status)


def _marked(menu: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """Mark the menu entry of the page, or the nearest entry above it."""
    above = [entry["url"] for entry in menu if path.startswith(entry["url"])]
    nearest = max(above, key=len, default="")
    return [{**entry, "current": _current(entry["url"] == nearest, nearest == path)} for entry in menu]


def _current(is_nearest: bool, is_page: bool) -> str:
    return ("page" if is_page else "true") if is_nearest else ""


def note(
    request: HttpRequest,
    *,
    title: "StrOrPromise",
    lead: "StrOrPromise",
    links: Sequence[tuple[Any, str]] = (),
    status: int = 200,
) -> HttpResponse:
    """Return a page with a message and links."""
    shown = [{"label": label, "url": resolve_url(name)} for label, name in links]
    return show(request, "auth_core/note.html", {"title": title, "lead": lead, "links": shown}, status=status)


def proof_address(request: HttpRequest, refusal: InsufficientUserAuthentication) -> str:
    """Return the URL of the page that asks for the missing proof and then returns here.

    The redirect is still a denial, so it is audited as one.
    """
    mark_denied_by(refusal)
    query = {"next": request.get_full_path(), "assurance": refusal.required_assurance}
    return f"{resolve_url('core-pages:again')}?{urlencode(query)}"


def tell(request: HttpRequest, refusal: AuthError) -> HttpResponse:
    """Return an error page without a query.

    The database may be lost, so no message is read from the session and no user is loaded.
    """
    mark_denied_by(refusal)
    context = {
        "title": _TITLES.get(refusal.code, refusal.title),
        "lead": _ADVICE.get(refusal.code, _("Go back and try again.")),
        "request_id": correlation_id(),
        "links": [{"label": _("Go to your account"), "url": resolve_url("core-pages:account")}],
        "messages": (),
    }
    response = show(request, "auth_core/note.html", context, status=int(refusal.status))
    for name, value in headers_of(refusal).items():
        response.headers[name] = value
    return response


#: Titles of errors for people, by code. Programs get the title of the error.
_TITLES: Mapping[str, Any] = {
    "csrf_failed": _("Your form has expired"),
    "not_found": _("Page not found"),
    "permission_denied": _("Access denied"),
    "internal_error": _("Something went wrong"),
    "unavailable": _("Temporarily unavailable"),
}

#: Advice on what to do next, by code.
_ADVICE: Mapping[str, Any] = {
    "csrf_failed": _(
        "The page was open for too long, or your browser blocks cookies. Go back, reload the page and try again."
    ),
    "not_found": _("The address may be wrong, or the page may have been removed."),
    "permission_denied": _("You do not have permission to do this. Ask your administrator for access."),
    "internal_error": _(
        "The error is on our side. If it happens again, send the request ID below to your administrator."
    ),
    "unavailable": _(
        "Part of this service is not responding. If you were signed in, you still are. Try again in a few seconds."
    ),
}


def see_other(address: str) -> HttpResponseRedirect:
    """Redirect with 303, so that the browser does not post a password to the next URL (RFC 9700 section 2.1)."""
    return HttpResponseRedirect(resolve_url(address), status=HTTP_SEE_OTHER)


def safe_next(request: HttpRequest, url: str) -> str:
    """Return *url* if it is on this site, else an empty string. An open redirect would help phishers (ASVS 1.3.10)."""
    # PostgreSQL refuses NUL in a text, and URLs of this site have no control characters.
    if not url.isprintable():
        return ""
    is_ours = url_has_allowed_host_and_scheme(
        url, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return url if is_ours and url.startswith("/") and len(url) <= 2000 else ""  # noqa: PLR2004 - the length of the column
