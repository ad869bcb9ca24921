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
        from auth_audit import checks, partitions, receivers  # noqa: F401, PLC0415 - models exist only now
        from auth_core.registries import sweeps  # noqa: PLC0415 - as above

        receivers.connect()
        sweeps.register("auth_audit.partitions", partitions.make_ahead)
