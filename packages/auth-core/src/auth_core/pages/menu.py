"""Menu entries of this package for the account pages."""

from django.utils.translation import gettext_lazy as _

from auth_core.registries import MenuEntry

ENTRIES = {
    "auth_core.account": MenuEntry(label=_("Profile"), url_name="pages:account", order=10),
    "auth_core.password": MenuEntry(label=_("Password"), url_name="pages:account-password", order=20),
}
