"""The sheet of recovery codes."""

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
    """``/account/second-factors/recovery-codes/``: how many are left; another sheet.

    The form is answered with a redirect to the page itself, which shows new codes once. To
    reload it makes nothing.
    """

    template_name = "auth_mfa/recovery_codes.html"
    title, button = _("Recovery codes"), _("Make new codes")
    lead = _(
        "Each of ten codes opens one login when you have lost your phone or your key. Print them, or keep them where"
        " only you can read."
    )

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Make ten, for the page that comes next."""
        session = session_of(request)
        check_fresh_proof(user=request.user, session=session)
        issue_sheet(user=request.user, client=client_of(request), session=session, is_shown_later=True)
        return see_other("mfa-pages:recovery-codes")

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return new codes once; otherwise how many are left, and the button where codes stand in for something."""
        if (new := _new_codes(request)) is not None:
            known = {"title": _("Your new recovery codes"), "codes": new.codes, "made_at": new.factor.created_at}
            return show(request, "auth_mfa/recovery_sheet.html", known)
        has_factor = any(held.method is not Method.RECOVERY_CODE for held in factors_of(request.user))
        left = {"sheet": sheet_of(request.user), "few": FEW, "has_factor": has_factor}
        return super().show(request, form, status=status, **left, **context)


def _new_codes(request: HttpRequest) -> Sheet | None:
    """Return what this session made and has not shown; a HEAD request and a refused form show nothing."""
    session = session_of(request)
    if request.method != "GET" or session is None:
        return None
    return take_unread_codes(user=request.user, session=session)
