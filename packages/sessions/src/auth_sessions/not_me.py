"""A person says that a login was not theirs: everything ends, and whoever knows the password stays out.

The link stands in a mail that others may read. It can shut the account and open nothing:
it signs nobody in, changes no password and shows nothing of the person.
"""

from django.db import transaction

from auth_core.errors import LinkInvalid
from auth_core.events import Event, record
from auth_core.models import PendingLogin
from auth_core.people.locking import LockReason, lock_account
from auth_core.request.client import Client
from auth_sessions import devices, lifecycle
from auth_sessions.events import SessionEvent
from auth_sessions.models import NotMeLink

#: What stands in the trail, and in the rows of sessions that had to end.
REASON = "disowned"


def disown_login(*, token: str, client: Client) -> None:
    """Spend *token*: lock the account, end what is open and half open, block the device of the mail.

    Until the password is reset by mailbox, or an administrator takes the lock away, nobody
    signs in; the person is told by mail how to go on.

    Raises:
        LinkInvalid: the link is wrong, used or expired, or the person is gone.
    """
    link: NotMeLink = NotMeLink.objects.find(token)
    user = link.user
    with transaction.atomic(durable=True):
        if not link.spend():
            raise LinkInvalid
        # The lock comes first: a login that begins now is refused, one that is being granted is waited for below.
        lock_account(user=user, reason=LockReason.DISOWNED)
        PendingLogin.objects.end_all_of(user)
        device = devices.own_device(user=user, device_id=link.device_id)
        if device is not None:
            devices.block_device(device=device, reason=REASON)
        lifecycle.end_all_sessions(user=user, reason=REASON)
        target = ("device", str(link.device_id))
        record(Event(name=SessionEvent.LOGIN_DISOWNED, subject=user, target=target, client=client))
