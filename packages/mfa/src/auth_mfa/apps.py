"""The app ``auth_mfa``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthMfaConfig(AppConfig):
    """Second factors, and the login step that asks for them."""

    name = "auth_mfa"
    label = "auth_mfa"
    verbose_name = _("Second factors")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the snapshot part, the export, the sweeps, the forms, the pages, the mails and the checks."""
        from auth_core.messages.security_notices import notices  # noqa: PLC0415 - models exist only now
        from auth_core.people.lookup import SECOND_FACTORS_PART  # noqa: PLC0415 - models exist only now
        from auth_core.registries import (  # noqa: PLC0415 - as above
            answer_forms,
            enrolment_pages,
            exports,
            login_ways,
            person_reads,
            snapshot_parts,
            sweeps,
            ways_in,
        )
        from auth_mfa import checks, cleanup, factors, login_enrolment  # noqa: F401, PLC0415 - as above; checks register by import
        from auth_mfa.events import MfaEvent  # noqa: PLC0415 - as above
        from auth_mfa.models import webauthn_challenge  # noqa: PLC0415 - as above
        from auth_mfa.pages.forms import EnrolmentForm, RecoveryCodeForm  # noqa: PLC0415 - as above
        from auth_mfa.pages.passkey_forms import PasskeyAnswerForm, PasskeyEnrolmentForm  # noqa: PLC0415 - as above
        from auth_mfa.pages.passkey_views import login_way  # noqa: PLC0415 - as above
        from auth_mfa.recovery.login import Recovery  # noqa: PLC0415 - as above
        from auth_mfa.site_login import checks as middleware_checks  # noqa: F401, PLC0415 - as above; checks register by import
        from auth_mfa.webauthn.login import Webauthn  # noqa: PLC0415 - as above

        snapshot_parts.register(SECOND_FACTORS_PART, factors.take_second_factors)
        person_reads.register("auth_mfa.factors", factors.FACTORS_READ)
        person_reads.register("auth_mfa.history", factors.HISTORY_READ)
        exports.register("auth_mfa", factors.export_of)
        sweeps.register("auth_mfa.enrolments", cleanup.delete_abandoned)
        sweeps.register("auth_mfa.challenges", webauthn_challenge.delete_expired)
        answer_forms.register(Webauthn.name, PasskeyAnswerForm)
        answer_forms.register(Recovery.name, RecoveryCodeForm)
        answer_forms.register(login_enrolment.KIND, EnrolmentForm)
        answer_forms.register(login_enrolment.PASSKEY_KIND, PasskeyEnrolmentForm)
        login_ways.register("auth_mfa.passkeys", login_way)
        ways_in.register("auth_mfa.passkeys", factors.passkeys_of)
        enrolment_pages.register("auth_mfa.factors", "mfa-pages:factors")
        notices.register(MfaEvent.RECOVERY_CODE_USED.value, "recovery_code_used")
        notices.register(MfaEvent.FACTORS_RESET.value, "factors_reset")
        notices.register(MfaEvent.FACTOR_CLONED.value, "factor_copied")
        notices.register(MfaEvent.FACTOR_DISABLED.value, "factor_disabled")
