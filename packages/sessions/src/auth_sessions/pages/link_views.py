"""The page behind the link in the mail about a new device."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from auth_core.pages.forms import PageForm
from auth_core.pages.link_views import LinkPage
from auth_core.request.client import client_of
from auth_sessions.models import NotMeLink
from auth_sessions.not_me import revoke_by_link


class NotMePage(LinkPage):
    """``/not-me/``: anyone with the link may use it. It shows no name."""

    kind, bare = NotMeLink, "sessions-pages:not-me"
    another = [(_("Choose a new password"), "core-pages:password-forgot")]
    title, button = _("Don't recognise this sign-in?"), _("Lock my account")
    lead = _("You are signed out everywhere. No one can sign in until you reset your password by email.")
    done_title = _("Your account is locked")
    done_lead = _(
        "You were signed out everywhere. To unlock your account, choose a new password that you use nowhere else."
    )
    then = [(_("Choose a new password"), "core-pages:password-forgot")]

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Lock the account."""
        revoke_by_link(token=token, client=client_of(request))
