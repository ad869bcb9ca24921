"""The this-was-not-me link: it revokes a login that the user does not recognise.

The link is sent by mail, which others may read. It can only lock the account. It signs no one in, changes no password
and shows no personal data.
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

#: The reason in the audit trail and in the ended sessions.
REASON = "not_me"


def revoke_by_link(*, token: str, client: Client) -> None:
    """Use up *token*, lock the account, end its sessions and pending logins, and block the device named in the mail.

    No one can sign in until the password is reset by mail or an administrator unlocks the account. The user gets a mail
    with instructions.

    Raises:
        LinkInvalid: the link is wrong, used or expired, or the user no longer exists.
    """
    link: NotMeLink = NotMeLink.objects.find(token)
    user = link.user
    with transaction.atomic(durable=True):
        if not link.spend():
            raise LinkInvalid
        # Lock first. A login that begins now is refused, and the statements below wait for one that is being granted.
        lock_account(user=user, reason=LockReason.NOT_ME)
        PendingLogin.objects.end_all_of(user)
        device = devices.own_device(user=user, device_id=link.device_id)
        if device is not None:
            devices.block_device(device=device, reason=REASON)
        lifecycle.end_all_sessions(user=user, reason=REASON)
        target = ("device", str(link.device_id))
        record(Event(name=SessionEvent.LOGIN_REPORTED, subject=user, target=target, client=client))
