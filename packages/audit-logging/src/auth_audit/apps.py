"""The app ``auth_audit``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthAuditConfig(AppConfig):
    """The audit trail. It records every event and refuses changes to its entries."""

    name = "auth_audit"
    label = "auth_audit"
    verbose_name = _("Audit trail")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers, and register the checks and the periodic work."""
        from auth_audit import checks, events, receivers  # noqa: F401, PLC0415 - models exist only now
        from auth_audit.append import account_changes, django_logins, macs  # noqa: PLC0415 - models exist only now
        from auth_audit.deliver import delivery  # noqa: PLC0415 - models exist only now
        from auth_audit.seal import seal_lag  # noqa: PLC0415 - models exist only now
        from auth_audit.storage import partitions, test_databases  # noqa: PLC0415 - models exist only now
        from auth_core import registries  # noqa: PLC0415 - as above

        test_databases.keep_configured_names()
        receivers.connect()
        django_logins.connect()
        account_changes.connect()
        registries.sweeps.register("auth_audit.partitions", partitions.make_ahead)
        registries.sweeps.register("auth_audit.seal", delivery.seal_and_deliver)
        registries.sweeps.register("auth_audit.seal_lag", seal_lag.warn_when_late)
        registries.key_uses.register("auth_audit.macs", macs.mac_keys_in_use)
