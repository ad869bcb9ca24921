"""The app ``auth_core``."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _

from auth_core.registries import (
    MenuEntry,
    answer_forms,
    encrypted_fields,
    menu_entries,
    outbox_channels,
    snapshot_parts,
    sweeps,
)

#: The account pages of this package.
_MENU_ENTRIES = {
    "auth_core.account": MenuEntry(label=_("Profile"), url_name="core-pages:account", order=10),
    "auth_core.password": MenuEntry(label=_("Password"), url_name="core-pages:account-password", order=20),
}


class AuthCoreConfig(AppConfig):
    """Identity, login and the mechanisms that every package shares."""

    name = "auth_core"
    label = "auth_core"
    verbose_name = _("Authentication")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Connect the receivers and register snapshot parts, sweeps, menu entries and checks."""
        from auth_core import checks, limits, power_signals, receivers  # noqa: F401, PLC0415 - checks register by import; models exist only now
        from auth_core.login import last_login  # noqa: PLC0415 - as above
        from auth_core.login.password_step import KIND  # noqa: PLC0415 - as above
        from auth_core.messages import email, outbox, security_notices, sms  # noqa: PLC0415 - checks register by import; models exist only now
        from auth_core.messages.notify import EMAIL, NOWHERE  # noqa: PLC0415 - as above
        from auth_core.models.one_time_link import delete_expired_links  # noqa: PLC0415 - as above
        from auth_core.models.pending_login import delete_expired as delete_expired_logins  # noqa: PLC0415 - as above
        from auth_core.observability import event_log  # noqa: PLC0415 - checks register by import; models exist only now
        from auth_core.pages.forms import PasswordAnswerForm  # noqa: PLC0415 - as above
        from auth_core.people import lookup  # noqa: PLC0415 - checks register by import; models exist only now
        from auth_core.request import context  # noqa: PLC0415 - as above

        context.connect()
        receivers.connect(self)
        last_login.connect()
        power_signals.connect()
        event_log.connect()
        security_notices.connect()
        outbox.connect()
        outbox_channels.register(EMAIL, email.deliver)
        outbox_channels.register(sms.SMS, sms.deliver)
        outbox_channels.register(NOWHERE, email.deliver_nowhere)
        encrypted_fields.register("auth_core.OutboxMessage.secret", outbox.SECRET)
        sweeps.register("auth_core.guess_budgets", limits.delete_expired)
        sweeps.register("auth_core.links", delete_expired_links)
        sweeps.register("auth_core.outbox", outbox.sweep)
        sweeps.register("auth_core.pending_logins", delete_expired_logins)
        snapshot_parts.register(lookup.EMAIL_PART, lookup.email_part)
        answer_forms.register(KIND, PasswordAnswerForm)
        for name, entry in _MENU_ENTRIES.items():
            menu_entries.register(name, entry)
