"""Menu entries that the service adds to the account pages of auth_core."""

from django.utils.translation import gettext_lazy as _

from auth_core.registries import MenuEntry

ENTRIES = {
    "auth_mfa.factors": MenuEntry(label=_("Second factors"), url_name="mfa-pages:factors", order=30),
    "auth_sessions.sessions": MenuEntry(label=_("Sessions and devices"), url_name="sessions-pages:sessions", order=40),
}
