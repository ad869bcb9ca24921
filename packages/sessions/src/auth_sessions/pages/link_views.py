"""What the link in the mail about a new device leads to."""

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from auth_core.pages.forms import PageForm
from auth_core.pages.link_views import LinkPage
from auth_core.request.client import client_of
from auth_sessions.models import NotMeLink
from auth_sessions.not_me import disown_login


class NotMePage(LinkPage):
    """``/not-me/``: anybody with the link may press the button; it shows nobody's name."""

    kind, bare = NotMeLink, "sessions-pages:not-me"
    another = [(_("Choose a new password"), "pages:password-forgot")]
    title, button = _("Was it not you?"), _("It was not me: lock the account")
    lead = _("Everybody is signed out at once, and nobody can sign in until a new password is chosen by mail.")
    done_title = _("The account is locked")
    done_lead = _(
        "Everybody was signed out. Choose a new password now, one that you use nowhere else; it opens the account."
    )
    then = [(_("Choose a new password"), "pages:password-forgot")]

    def spend(self, request: HttpRequest, token: str, form: PageForm) -> None:
        """Lock the account."""
        disown_login(token=token, client=client_of(request))
