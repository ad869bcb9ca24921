"""Security notices: mails about changes of an account (ASVS 6.3.7, NIST SP 800-63B-4 section 4.6)."""

from collections.abc import Callable
from typing import Any

from django.db import transaction

from auth_core.assurance.methods import Method
from auth_core.conf import core
from auth_core.events import AuthEvent, Event, EventName, event_recorded
from auth_core.messages.notify import notify
from auth_core.people.address_rows import mailboxes_of
from auth_core.registries import Registry
from auth_core.request.client import Client
from auth_core.request.context import current
from auth_core.users import UserLike

#: Chooses the template of an event's mail. Empty for no mail, because another one reports the change.
Choice = Callable[[Event], str]

#: Name of an event -> template of its mail, or the function that chooses it.
notices: Registry[str | Choice] = Registry("Notice")


def connect() -> None:
    """Connect to the signal of every event, and register the notices that concern every account."""
    event_recorded.connect(tell, dispatch_uid="auth_core.messages.security_notices")
    for name, template in _TEMPLATES.items():
        notices.register(name.value, template)


def tell(event: Event, **kwargs: Any) -> None:
    """Post a mail to every verified address of the person, in the transaction of the change."""
    template = template_of(event)
    if not template or event.subject is None or not core.NOTICES:
        return
    client = event.client or current().client or Client()
    # If the event was recorded outside a transaction, the notices get one of their own.
    with transaction.atomic(savepoint=False):
        for address in addresses_of(event.subject):
            notify(template=template, address=address, user=event.subject, client=client, values=dict(event.data))


def template_of(event: Event) -> str:
    """Return the template of the mail for *event*. Empty if there is none."""
    choice = notices.get(event.name.value) or ""
    return choice if isinstance(choice, str) else choice(event)


def addresses_of(user: UserLike) -> list[str]:
    """Return the recipients of notices to *user*: all verified addresses and the primary one."""
    return mailboxes_of(user)


def _template_for_added_factor(event: Event) -> str:
    """Return the template. New recovery codes are not another factor: their mail says that the old ones are void."""
    return "recovery_codes_made" if event.data.get("method") == Method.RECOVERY_CODE.value else "factor_added"


def _template_for_removed_factor(event: Event) -> str:
    """Return the template. The mail about new recovery codes already mentions the replaced ones."""
    return "" if event.reason == "replaced" else "factor_removed"


_TEMPLATES: dict[EventName, str | Choice] = {
    AuthEvent.PASSWORD_CHANGED: "password_changed",
    AuthEvent.PASSWORD_RESET: "password_reset",
    AuthEvent.FACTOR_ADDED: _template_for_added_factor,
    AuthEvent.FACTOR_REMOVED: _template_for_removed_factor,
}
