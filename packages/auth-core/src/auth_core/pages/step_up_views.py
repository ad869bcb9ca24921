"""Proving again, in the browser."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.assurance.levels import Demand, stricter
from auth_core.errors import NotAuthenticated
from auth_core.login.browser import backend_of, browser_secret_of, new_browser_secret
from auth_core.login.step_up import DEMANDS, begin_step_up
from auth_core.pages.base import AccountPage, safe_next
from auth_core.pages.forms import PageForm
from auth_core.pages.login_views import went_on
from auth_core.people.lookup import highest_proof_of
from auth_core.request.client import client_of


class AgainPage(AccountPage):
    """``/login/again/``: a button; what it begins is asked on the page of answers.

    A link begins nothing: opened by a stranger's page it would leave rows behind.
    """

    template_name = "auth_core/again.html"
    title, button = _("Prove that it is you"), _("Go on")
    lead = _("What comes next needs a fresh proof. Prove again that it is you, with everything you have.")
    links = [(_("Back to your account"), "pages:account")]
    context_exempt = "It begins the proof that is asked for."

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Ask for all that the person has, whatever was proved before; an address may ask for more, never for less."""
        session: Any = session_of(request)
        if session is None:
            raise NotAuthenticated
        secret = browser_secret_of(request) or new_browser_secret()
        onward = safe_next(request, request.GET.get("next", ""))
        wanted = DEMANDS.get(request.GET.get("assurance", ""), Demand.NONE)
        outcome = begin_step_up(
            user=request.user,
            session=session,
            demand=stricter(highest_proof_of(request.user), wanted),
            max_age=timedelta(0),
            backend=backend_of(request),
            client=client_of(request),
            browser_secret=secret,
            continue_to=onward,
        )
        return went_on(request, outcome, onward, secret)
