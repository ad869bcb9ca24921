"""Seeing, adding and removing second factors."""

import base64
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from auth_core.client import client_of
from auth_core.errors import AuthError, InsufficientUserAuthentication, NotFound
from auth_core.evidence import session_of
from auth_core.pages.base import AccountPage, see_other, show
from auth_core.pages.forms import CodeForm, PageForm
from auth_mfa import enrolment
from auth_mfa.factors import check_fresh_proof, factor_of, factors_of, remove_factor
from auth_mfa.login import code_in
from auth_mfa.models import TotpFactor


class FactorPage(AccountPage):
    """A page that shows or changes what proves somebody: it needs a fresh proof (ASVS 7.5.1)."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the page to whoever has proved lately that it is them; an old session may not see a key."""
        form = self.form_class()
        try:
            check_fresh_proof(user=request.user, session=session_of(request))
        except AuthError as refusal:
            return self.refuse(request, form, refusal)
        return self.show(request, form)

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Lead to where they prove again that it is them, and back."""
        if not isinstance(refusal, InsufficientUserAuthentication):
            return super().refuse(request, form, refusal)
        return see_other(f"{reverse('pages:again')}?{urlencode({'next': request.get_full_path()})}")


class FactorsPage(AccountPage):
    """``/account/second-factors/``."""

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """List what the person has."""
        return show(request, "auth_mfa/factors.html", {"factors": factors_of(request.user)})


class AddPage(FactorPage):
    """``/account/second-factors/add/``: begin an authenticator app."""

    title, button = _("Add an authenticator app"), _("Begin")
    lead = _("Have the app ready that shows codes: on your phone, or in your password manager.")

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Begin, and show the key."""
        check_fresh_proof(user=request.user, session=session_of(request))
        begun = enrolment.begin_totp(user=request.user, name="")
        return see_other(reverse("mfa-pages:confirm", args=[begun.factor.pk]))


class ConfirmPage(FactorPage):
    """``/account/second-factors/{id}/confirm/``: the key, and the code that proves it arrived."""

    template_name = "auth_mfa/confirm.html"
    form_class = CodeForm
    title, button = _("Add an authenticator app"), _("Confirm")

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Let the app count."""
        check_fresh_proof(user=request.user, session=session_of(request))
        enrolment.confirm_totp(
            user=request.user,
            factor_id=self.kwargs["factor_id"],
            code=code_in(form.cleaned_data, field=""),
            client=client_of(request),
        )
        messages.success(request, _("The app was added. The next login asks for its code."), fail_silently=True)
        return see_other("mfa-pages:factors")

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Return the page, while there is something to confirm."""
        try:
            begun = enrolment.begun_enrolment(user=request.user, factor_id=self.kwargs["factor_id"])
        except NotFound as refusal:
            raise Http404 from refusal
        # As an image, so that the policy needs to allow nothing inside the page.
        image = "data:image/svg+xml;base64," + base64.b64encode(begun.qr_svg.encode()).decode()
        grouped = " ".join(begun.secret[start : start + 4] for start in range(0, len(begun.secret), 4))
        known = {"qr": image, "secret": grouped, "uri": begun.uri}
        return super().show(request, form, status=status, **known, **context)


class RemovePage(FactorPage):
    """``/account/second-factors/{id}/remove/``."""

    title, button = _("Remove this second factor?"), _("Remove")
    lead = _("Logins will not ask for its code any more. You are told by mail.")
    links = [(_("Keep it"), "mfa-pages:factors")]

    def show(self, request: HttpRequest, form: PageForm, *, status: int = 200, **context: Any) -> HttpResponse:
        """Ask once more, and say which."""
        factor = self._own(request, self.kwargs["factor_id"])
        return super().show(request, form, status=status, lead=f"{factor.name}. {self.lead}", is_danger=True, **context)

    def act(self, request: HttpRequest, form: PageForm) -> HttpResponseBase:
        """Remove it."""
        factor = self._own(request, self.kwargs["factor_id"])
        check_fresh_proof(user=request.user, session=session_of(request))
        remove_factor(factor=factor)
        messages.success(request, _("The second factor was removed."), fail_silently=True)
        return see_other("mfa-pages:factors")

    def _own(self, request: HttpRequest, factor_id: UUID) -> TotpFactor:
        factor = factor_of(user=request.user, factor_id=factor_id)
        if factor is None:
            raise Http404
        return factor
