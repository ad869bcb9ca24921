"""The pages that add an authenticator app."""

from typing import Any

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.errors import NotFound
from auth_core.pages.base import see_other
from auth_core.pages.forms import CodeForm, PageForm
from auth_core.request.client import client_of
from auth_mfa.codes import code_in
from auth_mfa.factors import check_fresh_proof
from auth_mfa.pages.forms import BeginForm
from auth_mfa.pages.views import FactorPage
from auth_mfa.totp import enrolment


class AddPage(FactorPage):
    """``/account/second-factors/add/``: begin to add an authenticator app."""

    form_class = BeginForm
    title, button = _("Add an authenticator app"), _("Continue")
    lead = _("Open your authenticator app, on your phone or in your password manager.")

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Begin the enrolment, and show the key."""
        check_fresh_proof(user=request.user, session=session_of(request))
        begun = enrolment.begin_totp(user=request.user, name="")
        return see_other(reverse("mfa-pages:confirm", args=[begun.factor.pk]))


class ConfirmPage(FactorPage):
    """``/account/second-factors/{id}/confirm/``: the key, and the code that confirms it."""

    template_name = "auth_mfa/confirm.html"
    form_class = CodeForm
    title, button = _("Add an authenticator app"), _("Confirm")

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Confirm the app."""
        check_fresh_proof(user=request.user, session=session_of(request))
        enrolment.confirm_totp(
            user=request.user,
            factor_id=self.kwargs["factor_id"],
            code=code_in(form.cleaned_data, field=""),
            client=client_of(request),
        )
        messages.success(request, _("The app was added. You can now sign in with its codes."), fail_silently=True)
        return see_other("mfa-pages:factors")

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page while there is something to confirm."""
        try:
            begun = enrolment.begun_enrolment(user=request.user, factor_id=self.kwargs["factor_id"])
        except NotFound as refusal:
            raise Http404 from refusal
        return super().show(request, form, status=status, key=begun, **context)
