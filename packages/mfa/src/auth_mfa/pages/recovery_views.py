"""The sheet of recovery codes."""

from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.client import client_of
from auth_core.evidence import session_of
from auth_core.methods import Method
from auth_core.pages.base import show
from auth_core.pages.forms import PageForm
from auth_mfa.factors import check_fresh_proof, factors_of
from auth_mfa.pages.views import FactorPage
from auth_mfa.recovery_codes import FEW
from auth_mfa.recovery_sheet import issue_sheet, sheet_of


class RecoveryCodesPage(FactorPage):
    """``/account/second-factors/recovery-codes/``: how many are left; another sheet."""

    template_name = "auth_mfa/recovery_codes.html"
    title, button = _("Recovery codes"), _("Make new codes")
    lead = _(
        "Each of ten codes opens one login when you have lost your phone or your key. Print them, or keep them where"
        " only you can read."
    )

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Make ten, and show them: in this answer alone, which nothing keeps."""
        check_fresh_proof(user=request.user, session=session_of(request))
        sheet = issue_sheet(user=request.user, client=client_of(request), session=session_of(request))
        told = {"title": _("Your new recovery codes"), "codes": sheet.codes, "made_at": sheet.factor.created_at}
        return show(request, "auth_mfa/recovery_sheet.html", told)

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page, with how many are left; the button only where codes can stand in for something."""
        has_factor = any(held.method is not Method.RECOVERY_CODE for held in factors_of(request.user))
        known = {"sheet": sheet_of(request.user), "few": FEW, "has_factor": has_factor}
        return super().show(request, form, status=status, **known, **context)
