"""The app ``auth_sessions``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class AuthSessionsConfig(AppConfig):
    """The app configuration of auth_sessions."""

    name = "auth_sessions"
    label = "auth_sessions"
    verbose_name = _("Sessions")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register checks, receivers, forms, mails, exports and sweeps."""
        from auth_core.messages.security_notices import notices as security_notices  # noqa: PLC0415 - models exist only now
        from auth_core.messages.values import message_values  # noqa: PLC0415 - models exist only now
        from auth_core.registries import (  # noqa: PLC0415 - as above
            answer_forms,
            exports,
            known_devices,
            link_paths,
            person_reads,
            person_watchers,
            sweeps,
        )
        from auth_sessions import (  # noqa: F401, PLC0415 - as above
            checks,
            devices,
            lifecycle,
            notices,
            privilege_rotation,
            receivers,
            risk,
            user_agents,
        )
        from auth_sessions.events import SessionEvent  # noqa: PLC0415 - as above
        from auth_sessions.login import KIND  # noqa: PLC0415 - as above
        from auth_sessions.pages.forms import EndSessionForm  # noqa: PLC0415 - as above
        from auth_sessions.revocation import snapshots  # noqa: PLC0415 - as above

        receivers.connect()
        privilege_rotation.connect()
        answer_forms.register(KIND, EndSessionForm)
        link_paths.register(notices.NOT_ME, notices.NOT_ME_PATH)
        message_values.register("country", user_agents.country_code)
        message_values.register("browser", user_agents.listed_name)
        message_values.register("os", user_agents.listed_name)
        security_notices.register(SessionEvent.LOGIN_REPORTED.value, "login_reported")
        person_reads.register("auth_sessions", risk.HISTORY_READ)
        known_devices.register("auth_sessions", devices.known_to)
        person_watchers.register("auth_sessions", snapshots.forget_person)
        exports.register("auth_sessions.devices", devices.export_of)
        sweeps.register("auth_sessions", lifecycle.delete_dead)
        sweeps.register("auth_sessions.devices", devices.delete_unseen)
