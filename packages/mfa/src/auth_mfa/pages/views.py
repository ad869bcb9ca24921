"""The base of the pages of second factors."""

from typing import Any
from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.translation import gettext_lazy as _

from auth_core.assurance.evidence import session_of
from auth_core.errors import AuthError, InsufficientUserAuthentication
from auth_core.pages.base import AccountPage, proof_address, see_other, tell
from auth_core.pages.forms import PageForm
from auth_mfa.factors import check_fresh_proof, factor_of
from auth_mfa.models import Factor

BACK = [(_("Back"), "mfa-pages:factors")]


class FactorPage(AccountPage):
    """A page that shows or changes factors, which needs a fresh proof (ASVS 7.5.1)."""

    links = BACK

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the page if the proof is fresh. An old session may not see a key."""
        try:
            check_fresh_proof(user=request.user, session=session_of(request))
        except InsufficientUserAuthentication as refusal:
            return self.ask_for_proof(request, refusal)
        except AuthError as refusal:
            return tell(request, refusal)
        return super().get(request, **kwargs)

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Redirect to the page of a fresh proof, and back. Show other errors in the form."""
        if isinstance(refusal, InsufficientUserAuthentication):
            return self.ask_for_proof(request, refusal)
        return super().refuse(request, form, refusal)

    def ask_for_proof(self, request: HttpRequest, refusal: InsufficientUserAuthentication) -> HttpResponseBase:
        """Redirect to the page that asks for the missing proof, and back."""
        return see_other(proof_address(request, refusal))

    def own_factor(self, request: HttpRequest) -> Factor:
        """Return the factor that the URL names.

        Raises:
            Http404: there is no such factor, or it belongs to another user.
        """
        return own_factor(request, self.kwargs["factor_id"])


def own_factor(request: HttpRequest, factor_id: UUID) -> Factor:
    """Return a factor of the signed-in user.

    Raises:
        Http404: there is no such factor, or it belongs to another user.
    """
    factor = factor_of(user=request.user, factor_id=factor_id)
    if factor is None:
        raise Http404
    return factor
