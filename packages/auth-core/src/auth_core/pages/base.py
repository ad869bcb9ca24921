"""What all pages have in common: a form, one function behind it, and an honest answer."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

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
from auth_core.observability.denials import note_raised
from auth_core.pages.forms import EmptyForm, PageForm
from auth_core.registries import menu_entries
from auth_core.request.client import client_of
from auth_core.request.context import correlation_id

HTTP_SEE_OTHER = 303

#: Methods that change nothing.
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

#: What Django raises when the database is away or refuses to wait.
DATABASE_LOST = (OperationalError, InterfaceError)


@method_decorator([csrf_protect, sensitive_post_parameters()], name="dispatch")
class Page(View):
    """A page with one form; a subclass says what it asks and what it does.

    Never inside ``ATOMIC_REQUESTS``: a refusal would roll back what was spent.
    """

    template_name = "auth_core/form.html"
    form_class: type[PageForm] = EmptyForm
    title: Any = ""
    lead: Any = ""
    button: Any = ""
    links: Sequence[tuple[Any, str]] = ()

    @classmethod
    def as_view(cls, **initkwargs: Any) -> Any:
        """Return the view, outside any transaction of the request, and open to whoever is not signed in yet.

        A site's `LoginRequiredMiddleware` would keep people from the pages on which they sign
        in; those of an account ask by themselves.
        """
        return transaction.non_atomic_requests(login_not_required(super().as_view(**initkwargs)))

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer, and keep the answer out of caches: it is one person's (ASVS 14.3.2)."""
        try:
            response = self.answer(request, *args, **kwargs)
        except DATABASE_LOST:
            response = tell(request, Unavailable())
        response.headers["Cache-Control"] = "no-store"
        patch_vary_headers(response, ("Cookie",))
        return response

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Answer; a subclass may look at who asks before."""
        return super().dispatch(request, *args, **kwargs)

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the form."""
        return self.show(request, self.form_class())

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Do what the form asks for; a refusal stands in the form."""
        form = self.form_class(request.POST)
        if not form.is_valid():
            return self.show(request, form, status=400)
        try:
            return self.act(request, form)
        except AuthError as refusal:
            return self.refuse(request, form, refusal)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Call the one function that does it.

        Raises:
            AuthError: as that function does.
        """
        raise NotImplementedError

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Show the form again, with what is wrong beside the field."""
        note_raised(refusal)
        for wrong in refusal.errors:
            # Programs send an object within an object; a form has the innermost names.
            name = wrong.field.rpartition(".")[2]
            form.add_error(name if name in form.fields else None, wrong.detail)
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
        known = {"title": self.title, "lead": self.lead, "button": self.button, "links": links, "form": form}
        return show(request, self.template_name, {**known, **context}, status=status)


class AccountPage(Page):
    """A page of somebody who is signed in; whoever is not is sent to the login and back."""

    template_name = "auth_core/account_form.html"

    #: Why a change here may come from a session that is used elsewhere than where it was proved; empty: it may not.
    context_exempt: ClassVar[str] = ""

    def answer(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Let in whoever is signed in; a session that is used elsewhere is led to the proof before it changes anything."""
        if not request.user.is_authenticated:
            return redirect_to_login(request.get_full_path(), resolve_url("pages:login"))
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
        """Ask for the proof before the form is filled in, and whenever it is sent."""
        has_form = type(self).act is not Page.act
        if not self.context_exempt and (has_form or request.method not in SAFE_METHODS):
            check_context(session_of(request))


def show(request: HttpRequest, template: str, context: Mapping[str, Any], *, status: int = 200) -> HttpResponse:
    """Return a page with what every page needs."""
    entries = sorted(menu_entries.values(), key=lambda entry: entry.order)
    menu = _marked([{"label": entry.label, "url": resolve_url(entry.url_name)} for entry in entries], request.path)
    known = {"site_name": site_name(), "menu": menu, "request": request, "messages": get_messages(request)}
    return render(request, template, {**known, **context}, status=status)


def _marked(menu: list[dict[str, Any]], path: str) -> list[dict[str, Any]]:
    """Say which entry the page is, or belongs to: of those above it the nearest."""
    above = [entry["url"] for entry in menu if path.startswith(entry["url"])]
    nearest = max(above, key=len, default="")
    return [{**entry, "current": _current(entry["url"] == nearest, nearest == path)} for entry in menu]


def _current(is_nearest: bool, is_page: bool) -> str:
    return ("page" if is_page else "true") if is_nearest else ""


def note(
    request: HttpRequest, *, title: Any, lead: Any, links: Sequence[tuple[Any, str]] = (), status: int = 200
) -> HttpResponse:
    """Return a page that says one thing, and where to go from there."""
    shown = [{"label": label, "url": resolve_url(name)} for label, name in links]
    return show(request, "auth_core/note.html", {"title": title, "lead": lead, "links": shown}, status=status)


def proof_address(request: HttpRequest, refusal: InsufficientUserAuthentication) -> str:
    """Return where what *refusal* misses is proved, and from where people come back here.

    Who is led there was refused all the same, and it leaves the trace of any refusal.
    """
    note_raised(refusal)
    query = {"next": request.get_full_path(), "assurance": refusal.required_assurance}
    return f"{resolve_url('pages:again')}?{urlencode(query)}"


def tell(request: HttpRequest, refusal: AuthError) -> HttpResponse:
    """Return the page that tells of *refusal* what there is to tell, and asks no database for it.

    The database may be what is lost: no message is read from the session, nobody is looked up.
    """
    note_raised(refusal)
    told = {
        "title": _TITLES.get(refusal.code, refusal.title),
        "lead": _ADVICE.get(refusal.code, _("Go back and try again, or begin anew.")),
        "request_id": correlation_id(),
        "links": [{"label": _("To the beginning"), "url": resolve_url("pages:account")}],
        "messages": (),
    }
    response = show(request, "auth_core/note.html", told, status=int(refusal.status))
    for name, value in headers_of(refusal).items():
        response.headers[name] = value
    return response


#: What programs are told, in the words of people.
_TITLES: Mapping[str, Any] = {
    "csrf_failed": _("This form was not taken"),
    "not_found": _("There is nothing here"),
    "permission_denied": _("You may not do this"),
    "internal_error": _("Something went wrong"),
    "unavailable": _("Not available right now"),
}

#: What to do next, where something better can be said than to try again.
_ADVICE: Mapping[str, Any] = {
    "csrf_failed": _(
        "The page was open for too long, or your browser keeps no cookies. Open it again and send it anew."
    ),
    "not_found": _("The address may be mistyped, or what was here is gone."),
    "permission_denied": _("Your account may not do this. Whoever runs this service can change that."),
    "internal_error": _("The fault is ours. If it stays, tell whoever runs this service the number below."),
    "unavailable": _(
        "A part of this service does not answer. If you were signed in, you still are. Try again in a few seconds."
    ),
}


def see_other(address: str) -> HttpResponseRedirect:
    """Send the browser on; 303, so that it never posts a password to the next address (RFC 9700 section 2.1)."""
    return HttpResponseRedirect(resolve_url(address), status=HTTP_SEE_OTHER)


def safe_next(request: HttpRequest, given: str) -> str:
    """Return *given* if it is an address of this site, else nothing: an open redirector is a phisher's (ASVS 1.3.10)."""
    # PostgreSQL takes no NUL in a text, and no address of ours has a control character in it.
    if not given.isprintable():
        return ""
    is_ours = url_has_allowed_host_and_scheme(
        given, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return given if is_ours and given.startswith("/") and len(given) <= 2000 else ""  # noqa: PLR2004 - the column's length
