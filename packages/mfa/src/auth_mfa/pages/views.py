"""What the pages of second factors have in common."""

from typing import Any

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
    """A page that shows or changes what proves somebody: it needs a fresh proof (ASVS 7.5.1)."""

    links = BACK

    def get(self, request: HttpRequest, **kwargs: Any) -> HttpResponseBase:
        """Show the page to whoever has proved lately that it is them; an old session may not see a key."""
        try:
            check_fresh_proof(user=request.user, session=session_of(request))
        except InsufficientUserAuthentication as refusal:
            return self.ask_for_proof(request, refusal)
        except AuthError as refusal:
            return tell(request, refusal)
        return super().get(request, **kwargs)

    def refuse(self, request: HttpRequest, form: PageForm, refusal: AuthError) -> HttpResponseBase:
        """Lead to where they prove again that it is them, and back; other refusals stand in the form."""
        if isinstance(refusal, InsufficientUserAuthentication):
            return self.ask_for_proof(request, refusal)
        return super().refuse(request, form, refusal)

    def ask_for_proof(self, request: HttpRequest, refusal: InsufficientUserAuthentication) -> HttpResponseBase:
        """Lead to where they prove what is missing, and back."""
        return see_other(proof_address(request, refusal))

    def own_factor(self, request: HttpRequest) -> Factor:
        """Return the factor that the address names.

        Raises:
            Http404: there is no such thing, or it is not theirs.
        """
        return own_factor(request, self.kwargs["factor_id"])


def own_factor(request: HttpRequest, factor_id: Any) -> Factor:
    """Return a factor of whoever is signed in.

    Raises:
        Http404: there is no such thing, or it is not theirs.
    """
    factor = factor_of(user=request.user, factor_id=factor_id)
    if factor is None:
        raise Http404
    return factor
