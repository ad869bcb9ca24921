"""The page for reauthentication."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.assurance.levels import STEP_UP_DEMANDS, Demand, stricter
from auth_core.errors import NotAuthenticated
from auth_core.login.browser import backend_of, browser_secret_or_new
from auth_core.login.step_up import begin_step_up
from auth_core.pages.base import AccountPage, safe_next
from auth_core.pages.forms import PageForm
from auth_core.pages.login_views import went_on
from auth_core.people.lookup import strongest_demand_for
from auth_core.request.client import client_of


class AgainPage(AccountPage):
    """``/login/again/``: a button that begins the reauthentication. The answer page shows its challenges.

    GET begins nothing. Otherwise a link on a foreign page could create rows.
    """

    template_name = "auth_core/again.html"
    title, button = _("Confirm it's you"), _("Continue")
    lead = _("To continue, sign in again with your password and your second factor, if you have one.")
    links = [(_("Back to your account"), "core-pages:account")]
    context_exempt = "It begins the proof that a changed context requires."

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Require the highest assurance the person can prove. The query may raise it but never lower it."""
        session: Any = session_of(request)
        if session is None:
            raise NotAuthenticated
        secret = browser_secret_or_new(request)
        onward = safe_next(request, request.GET.get("next", ""))
        demand = STEP_UP_DEMANDS.get(request.GET.get("assurance", ""), Demand.NONE)
        outcome = begin_step_up(
            user=request.user,
            session=session,
            demand=stricter(strongest_demand_for(request.user), demand),
            max_age=timedelta(0),
            backend=backend_of(request),
            client=client_of(request),
            browser_secret=secret,
            continue_to=onward,
        )
        return went_on(request, outcome, onward, secret)
