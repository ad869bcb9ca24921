"""What people are told by mail: a device that nobody knew, with a link that says "this was not me"."""

from typing import Any

from auth_core.conf import core
from auth_core.messages.links import link_to
from auth_core.messages.notify import notify
from auth_core.messages.security_notices import addresses_of
from auth_core.request.client import Client
from auth_sessions.models import Device, NotMeLink, Session

#: The kind of our link; see `auth_core.messages.links`.
NOT_ME = "not_me"

#: Where our own page takes it.
NOT_ME_PATH = "/not-me/{token}/"


def tell_of_new_device(*, user: Any, device: Device, session: Session, client: Client) -> None:
    """Post a mail about *device* to every proven address of *user*, in the transaction that grants the login.

    All of them carry the same link: whoever presses it first has said it for the person.
    """
    addresses = addresses_of(user) if core.NOTICES else []
    if not addresses:
        return
    link = _new_link(user, device)
    told = {"link": link, "country": session.country, "browser": device.browser, "os": device.os}
    for address in addresses:
        notify(template="device_added", address=address, user=user, client=client, secret=told)


def _new_link(user: Any, device: Device) -> str:
    """Return a link, or nothing where none can be made: a mail without it is better than a login that fails."""
    if not core.PUBLIC_URL:
        return ""
    return link_to(NOT_ME, NotMeLink.objects.open(user=user, device_id=device.pk).token)
