"""The pages that list, rename and remove second factors of all kinds."""

from collections.abc import Sequence
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.assurance.methods import Method
from auth_core.errors import AuthError
from auth_core.pages.base import AccountPage, see_other, show
from auth_core.pages.forms import PageForm
from auth_core.users import UserLike
from auth_mfa.descriptions import description_of
from auth_mfa.errors import LastFactor
from auth_mfa.factors import check_fresh_proof, factors_of, remove_own_factor, rename_factor, rows_of
from auth_mfa.models import Factor, RecoveryCodeSet
from auth_mfa.pages.forms import FactorNameForm
from auth_mfa.pages.method_choices import method_choices_of
from auth_mfa.pages.views import FactorPage
from auth_mfa.policy import Requirement, deadline_of, is_counted, is_offered, requirement_of
from auth_mfa.recovery.recovery_codes import FEW


class FactorsPage(AccountPage):
    """``/account/second-factors/``."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """List the user's factors and the methods that they can add."""
        rows = rows_of(request.user)
        sheets = [row for row in rows if isinstance(row, RecoveryCodeSet)]
        factors = [row for row in rows if row not in sheets]
        context = {
            "factors": [{"factor": factor, "description": description_of(factor)} for factor in factors],
            "sheet": sheets[0] if sheets else None,
            "few": FEW,
            "has_recovery": bool(factors) and is_offered(Method.RECOVERY_CODE),
            "method_choices": method_choices_of(request.user, rows),
            **_duty_of(request.user, factors),
        }
        return show(request, "auth_mfa/factors.html", context)

    def post(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Redirect to the list. A post to this page changes nothing."""
        return see_other("mfa-pages:factors")


class RenamePage(FactorPage):
    """``/account/second-factors/{id}/name/``: rename a factor. This needs no fresh proof."""

    form_class = FactorNameForm
    title, button = _("Rename second factor"), _("Save")

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the current name."""
        return self.show(request, FactorNameForm(initial={"name": self.own_factor(request).name}))

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Rename the factor."""
        rename_factor(factor=self.own_factor(request), name=form.cleaned_data["name"], session=session_of(request))
        messages.success(request, _("The name was saved."), fail_silently=True)
        return see_other("mfa-pages:factors")

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page with a description of the factor."""
        description = description_of(self.own_factor(request))
        return super().show(request, form, status=status, lead=description, **context)


class RemovePage(FactorPage):
    """``/account/second-factors/{id}/remove/``."""

    title, button = _("Remove this second factor?"), _("Remove")
    lead = _("You will no longer be asked for it when you sign in. We will notify you by email.")
    links = [(_("Cancel"), "mfa-pages:factors")]

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Ask for confirmation, with the name of the factor and what else is removed."""
        factor = self.own_factor(request)
        sentences = [f"{factor.name} ({description_of(factor)}).", str(self.lead)]
        if _removes_recovery_codes(factor):
            sentences.append(str(_("Your recovery codes will be removed too, because no other second factor is left.")))
        return super().show(request, form, status=status, lead=" ".join(sentences), is_danger=True, **context)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Remove the factor."""
        factor = self.own_factor(request)
        check_fresh_proof(user=request.user, session=session_of(request))
        remove_own_factor(factor=factor, session=session_of(request))
        messages.success(request, _("The second factor was removed."), fail_silently=True)
        return see_other("mfa-pages:factors")

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Explain what to do first if this is a required last factor."""
        if not isinstance(refusal, LastFactor):
            return super().refuse(request, form, refusal)
        factor = self.own_factor(request)
        context = {
            "factor": factor,
            "detail": refusal.detail,
            "method_choices": method_choices_of(request.user, rows_of(request.user)),
        }
        return show(request, "auth_mfa/last_factor.html", context, status=int(refusal.status))


def _duty_of(user: UserLike, factors: Sequence[Factor]) -> dict[str, Any]:
    """Return whether policy requires a factor that *user* lacks, and the end of their grace period."""
    requirement = requirement_of(user)
    if requirement is Requirement.NONE or any(is_counted(Method(factor.method)) for factor in factors):
        return {"is_due": False}
    return {"is_due": True, "deadline": deadline_of(user) if requirement is Requirement.GRACE else None}


def _removes_recovery_codes(factor: Factor) -> bool:
    """Return whether only recovery codes would be left without *factor*."""
    others = [owned.method for owned in factors_of(factor.user) if owned.id != factor.pk]
    return bool(others) and set(others) == {Method.RECOVERY_CODE}
