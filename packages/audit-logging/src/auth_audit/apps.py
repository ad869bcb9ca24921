"""The app ``auth_audit``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthAuditConfig(AppConfig):
    """The trail: it keeps every event, and refuses to change what it keeps."""

    name = "auth_audit"
    label = "auth_audit"
    verbose_name = _("Audit trail")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Listen to events, register the checks and what is done now and then."""
        from auth_audit import checks, delivery, django_logins, events, key_uses, lag, partitions, receivers  # noqa: F401, PLC0415 - models exist only now
        from auth_core import registries  # noqa: PLC0415 - as above

        receivers.connect()
        django_logins.connect()
        registries.sweeps.register("auth_audit.partitions", partitions.make_ahead)
        registries.sweeps.register("auth_audit.sealing", delivery.seal_and_deliver)
        registries.sweeps.register("auth_audit.lag", lag.warn_when_late)
        registries.key_uses.register("auth_audit.macs", key_uses.mac_keys_in_use)
