"""The app ``auth_mfa``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthMfaConfig(AppConfig):
    """Second factors, and the step that asks for them."""

    name = "auth_mfa"
    label = "auth_mfa"
    verbose_name = _("Second factors")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Say which factors a person has to whoever asks; register the checks and the sweep."""
        from auth_core.people import SECOND_FACTORS_PART  # noqa: PLC0415 - models exist only now
        from auth_core.registries import exports, snapshot_parts, sweeps  # noqa: PLC0415 - as above
        from auth_mfa import checks, enrolment, factors  # noqa: F401, PLC0415 - as above; checks register by import

        snapshot_parts.register(SECOND_FACTORS_PART, factors.second_factors_part)
        exports.register("auth_mfa", factors.export_of)
        sweeps.register("auth_mfa.enrolments", enrolment.delete_abandoned)
