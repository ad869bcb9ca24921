"""The page of recovery codes."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.assurance.methods import Method
from auth_core.pages.base import see_other, show
from auth_core.pages.forms import PageForm
from auth_core.request.client import client_of
from auth_mfa.factors import check_fresh_proof, factors_of
from auth_mfa.pages.views import FactorPage
from auth_mfa.recovery.code_sets import Sheet, issue_sheet, sheet_of, take_unread_codes
from auth_mfa.recovery.recovery_codes import FEW


class RecoveryCodesPage(FactorPage):
    """``/account/second-factors/recovery-codes/``: the number of codes left, and a button for new ones.

    The form redirects to the page itself, which shows new codes once. A reload creates
    nothing.
    """

    template_name = "auth_mfa/recovery_codes.html"
    title, button = _("Recovery codes"), _("Create new codes")
    lead = _(
        "Each of the ten codes lets you sign in once if you lose your phone or key. Print them, or store them in a"
        " safe place."
    )

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Create ten codes for the next page."""
        session = session_of(request)
        check_fresh_proof(user=request.user, session=session)
        issue_sheet(user=request.user, client=client_of(request), session=session, is_shown_later=True)
        return see_other("mfa-pages:recovery-codes")

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return new codes once. Otherwise return the number left, and the button if the user has a factor."""
        if (new := _new_codes(request)) is not None:
            sheet = {"title": _("Your new recovery codes"), "codes": new.codes, "made_at": new.factor.created_at}
            return show(request, "auth_mfa/recovery_sheet.html", sheet)
        has_factor = any(owned.method is not Method.RECOVERY_CODE for owned in factors_of(request.user))
        state = {"sheet": sheet_of(request.user), "few": FEW, "has_factor": has_factor}
        return super().show(request, form, status=status, **state, **context)


def _new_codes(request: HttpRequest) -> Sheet | None:
    """Return the unread codes of this session. A HEAD request and a refused form show none."""
    session = session_of(request)
    if request.method != "GET" or session is None:
        return None
    return take_unread_codes(user=request.user, session=session)
