"""The ids of people and sessions that an application sees.

An application has the public id, or an id of its own sector (OpenID Connect Core section 8.1). The second is a MAC, so two
sectors cannot find out that they know the same person.
"""

import hashlib
import hmac
from functools import lru_cache
from typing import TYPE_CHECKING
from uuid import UUID

from django.db.models.signals import post_delete, post_save

from auth_core.crypto.encryption import DecryptionFailed, derive_key, new_key
from auth_core.oauth.keys.key_set import KeysUnusable
from auth_core.oauth.models import ApplicationPolicy, SubjectKey
from auth_core.oauth.models.application_policy import SubjectType
from auth_core.oauth.models.subject_key import ONLY
from auth_core.people.lookup import identity_of
from auth_core.users import UserLike

if TYPE_CHECKING:
    from auth_core.oauth.clients.registry import RegisteredApplication

_PURPOSE = "auth_oauth.pairwise_subjects"


def subject_of(application: "RegisteredApplication", user: UserLike) -> str:
    """Return the id of *user* that *application* sees. It is the same for ever.

    Raises:
        KeysUnusable: its ids are pairwise, and their key is missing or cannot be read.
    """
    return _shown(application, "sub", identity_of(user).subject_id)


def session_shown_to(application: "RegisteredApplication", session_id: UUID | str) -> str:
    """Return the id of a session that *application* sees.

    Raises:
        KeysUnusable: as in `subject_of`.
    """
    return _shown(application, "sid", session_id)


def make_subject_key() -> None:
    """Make the key, unless there is one. A migration does, and no other code.

    If applications have pairwise ids already, their key is lost. Another one would change every id, so none is made.
    """
    if not ApplicationPolicy.objects.filter(subject_type=SubjectType.PAIRWISE).exists():
        SubjectKey.objects.get_or_create(pk=ONLY, defaults={"secret": new_key()})


def has_subject_key() -> bool:
    """Return whether pairwise ids can be made."""
    try:
        _key()
    except KeysUnusable:
        return False
    return True


def connect() -> None:
    """Forget the key of this process when its row changes."""
    for signal in (post_save, post_delete):
        signal.connect(forget_subject_key, sender=SubjectKey, dispatch_uid=f"auth_oauth.subject_key.{id(signal)}")


def forget_subject_key(**kwargs: object) -> None:
    """Read the key again at its next use in this process."""
    _key.cache_clear()


def _shown(application: "RegisteredApplication", kind: str, value: UUID | str) -> str:
    if application.subject_type != SubjectType.PAIRWISE:
        return str(value)
    if not application.sector:
        # A row that no rule has seen. One id for all such applications would not be pairwise.
        raise KeysUnusable(f"The application {application.client_id} has no sector.")
    text = f"{kind}\x00{application.sector}\x00{value}"
    return hmac.new(_key(), text.encode(), hashlib.sha256).hexdigest()


@lru_cache(maxsize=1)
def _key() -> bytes:
    """Return the key. It is read once in each process. A missing one is looked for again.

    Raises:
        KeysUnusable: it is missing, or cannot be read.
    """
    row = SubjectKey.objects.filter(pk=ONLY).first()
    if row is None:
        raise KeysUnusable("There is no key for pairwise ids.")
    try:
        return derive_key(_PURPOSE, row.secret)
    except DecryptionFailed as problem:
        raise KeysUnusable("The key for pairwise ids cannot be read.") from problem
