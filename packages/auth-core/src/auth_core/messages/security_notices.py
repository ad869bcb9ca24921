"""Security notices: people are told by mail what happened to their account (ASVS 6.3.7, NIST SP 800-63B-4 section 4.6)."""

from collections.abc import Callable
from typing import Any

from django.db import transaction
from django.db.models import Q

from auth_core.assurance.methods import Method
from auth_core.conf import core
from auth_core.events import AuthEvent, Event, EventName, event_recorded
from auth_core.messages.notify import notify
from auth_core.models import EmailAddress
from auth_core.registries import Registry
from auth_core.request.client import Client
from auth_core.request.context import current

#: What chooses the template of an event's mail; empty: no mail, because another one says what happened.
Choice = Callable[[Event], str]

#: Name of an event -> template of the mail that tells its subject, or what chooses it.
notices: Registry[str | Choice] = Registry("Notice")


def connect() -> None:
    """Listen to every event, and begin with those that concern every account."""
    event_recorded.connect(tell, dispatch_uid="auth_core.messages.security_notices")
    for name, template in _TEMPLATES.items():
        notices.register(name.value, template)


def tell(event: Event, **kwargs: Any) -> None:
    """Post a mail to every proven address of the person, in the transaction of the change."""
    template = template_of(event)
    if not template or event.subject is None or not core.NOTICES:
        return
    client = event.client or current().client or Client()
    # Of its own where the event has none: whoever recorded it outside any has nothing to be undone.
    with transaction.atomic(savepoint=False):
        for address in addresses_of(event.subject):
            notify(template=template, address=address, user=event.subject, client=client, values=dict(event.data))


def template_of(event: Event) -> str:
    """Return the template of the mail that tells of *event*; empty: none does."""
    choice = notices.get(event.name.value) or ""
    return choice if isinstance(choice, str) else choice(event)


def addresses_of(user: Any) -> list[str]:
    """Return where *user* is told: all proven addresses, and the one they sign in with."""
    rows = EmailAddress.objects.filter(Q(verified_at__isnull=False) | Q(is_primary=True), user=user)
    own = getattr(user, user.get_email_field_name(), "")
    return list(rows.order_by("-is_primary", "pk").values_list("address", flat=True)) or ([own] if own else [])


def _mail_of_added(event: Event) -> str:
    """Recovery codes are no further factor: their mail says that there are new ones, and the former ones are void."""
    return "recovery_codes_made" if event.data.get("method") == Method.RECOVERY_CODE.value else "factor_added"


def _mail_of_removed(event: Event) -> str:
    """The mail about new recovery codes tells of those that they replace."""
    return "" if event.reason == "replaced" else "factor_removed"


_TEMPLATES: dict[EventName, str | Choice] = {
    AuthEvent.PASSWORD_CHANGED: "password_changed",
    AuthEvent.PASSWORD_RESET: "password_reset",
    AuthEvent.FACTOR_ADDED: _mail_of_added,
    AuthEvent.FACTOR_REMOVED: _mail_of_removed,
}
