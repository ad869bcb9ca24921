"""The app ``auth_federation``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from auth_core.registries import MenuEntry, exports, login_ways, menu_entries, provider_checks, sweeps, ways_in


class AuthFederationConfig(AppConfig):
    """Signing in with identity providers."""

    name = "auth_core.federation"
    label = "auth_federation"
    verbose_name = _("Identity providers")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the buttons, the connections as ways in, the check of providers, the mails, the export and the sweep."""
        from auth_core.federation import checks, sweep  # noqa: F401, PLC0415 - checks register by import; models exist only now
        from auth_core.federation.connections import rows  # noqa: PLC0415 - as above
        from auth_core.federation.events import FederationEvent  # noqa: PLC0415 - as above
        from auth_core.federation.pages import buttons  # noqa: PLC0415 - as above
        from auth_core.federation.providers import configuration  # noqa: PLC0415 - as above
        from auth_core.messages.security_notices import notices  # noqa: PLC0415 - as above
        from auth_core.messages.values import message_values  # noqa: PLC0415 - as above

        login_ways.register("auth_federation", buttons.login_way)
        provider_checks.register("auth_federation", configuration.is_usable)
        ways_in.register("auth_federation", rows.ways_of)
        exports.register("auth_federation", rows.export_of)
        sweeps.register("auth_federation.states", sweep.delete_expired)
        entry = MenuEntry(label=_("Connected providers"), url_name="federation:connections", order=60)
        menu_entries.register("auth_federation", entry)
        message_values.register("provider", configuration.name_in_mail)
        notices.register(FederationEvent.CONNECTION_ADDED.value, "connection_added")
        notices.register(FederationEvent.CONNECTION_REMOVED.value, "connection_removed")
