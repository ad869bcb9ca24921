"""The mail about a new device, with a link that says "this was not me"."""

from auth_core.conf import core
from auth_core.messages.links import link_to
from auth_core.messages.notify import notify
from auth_core.messages.security_notices import addresses_of
from auth_core.request.client import Client
from auth_core.users import UserLike
from auth_sessions.models import Device, NotMeLink, Session

#: The kind of the link. See `auth_core.messages.links`.
NOT_ME = "not_me"

#: The path of the page that accepts the link.
NOT_ME_PATH = "/not-me/{token}/"


def tell_of_new_device(*, user: UserLike, device: Device, session: Session, client: Client) -> None:
    """Queue a mail about *device* to every verified address of *user*, in the transaction that grants the login.

    All mails carry the same link. It works once.
    """
    addresses = addresses_of(user) if core.NOTICES else []
    if not addresses:
        return
    values = {"link": _new_link(user, device), "country": session.country, "browser": device.browser, "os": device.os}
    for address in addresses:
        notify(template="device_added", address=address, user=user, client=client, secret=values)


def _new_link(user: UserLike, device: Device) -> str:
    """Return a link, or an empty string if no public URL is configured.

    A mail without a link is better than a failed login.
    """
    if not core.PUBLIC_URL:
        return ""
    return link_to(NOT_ME, NotMeLink.objects.open(user=user, device_id=device.pk).token)
