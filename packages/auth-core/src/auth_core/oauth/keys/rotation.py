"""The rotation of signing keys in the database.

The next key is published before it signs, for twice as long as clients may cache the key set: a client that fetched just before
has fetched again by then. The one before stays published until its last token has expired.
"""

from datetime import datetime, timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from auth_core.events import Event, record
from auth_core.oauth.conf import oauth
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.keys.algorithms import new_private_key, to_pem
from auth_core.oauth.keys.key_set import forget_keys
from auth_core.oauth.models import SigningKey

#: A token may be verified this long after it expired, by a clock that is behind.
_LEEWAY = timedelta(minutes=5)


class Rotation(NamedTuple):
    """A key that was made.

    Args:
        algorithm: What it signs with.
        kid: Its id.
        signs_from: When it begins to sign.
    """

    algorithm: str
    kid: str
    signs_from: datetime


def make_first_keys() -> list[Rotation]:
    """Make a key for each algorithm that never had one. It signs at once, because no client knows another.

    A migration makes them, and no one acts in it. So the trail begins with the first rotation.
    """
    if oauth.SIGNING_KEYS:
        return []
    present = set(SigningKey.objects.values_list("algorithm", flat=True))
    return [_make(name, timezone.now(), is_recorded=False) for name in oauth.SIGNING_ALGORITHMS if name not in present]


def rotate_signing_keys(*, force: bool = False) -> list[Rotation]:
    """Publish the next key of each algorithm whose key is due. Two rotations at once make one key.

    Args:
        force: Replace each key now, unless a next one is published already.
    """
    if oauth.SIGNING_KEYS:
        return []
    made = make_first_keys()
    for algorithm in set(oauth.SIGNING_ALGORITHMS) - {key.algorithm for key in made}:
        with transaction.atomic():
            newest = _newest(algorithm)
            if newest is not None and _is_due(newest, force=force):
                made.append(_follow(newest))
    return made


def rotate_now() -> list[str]:
    """Publish the next key of each algorithm. Return a sentence for each, for the operator."""
    if oauth.SIGNING_KEYS:
        return ["AUTH_OAUTH['SIGNING_KEYS'] has the keys. Change them there."]
    made = [
        f"{key.algorithm}: {key.kid} signs from {key.signs_from:%Y-%m-%d %H:%M} UTC."
        for key in rotate_signing_keys(force=True)
    ]
    return made or ["Nothing to do: the next keys are published already."]


def rotate_due_keys() -> int:
    """Rotate the keys that are due, and delete those that are no longer published. Return how many rows changed."""
    deleted, _by_model = SigningKey.objects.filter(published_until__lte=timezone.now()).delete()
    return deleted + len(rotate_signing_keys())


def _newest(algorithm: str) -> SigningKey | None:
    return SigningKey.objects.select_for_update().filter(algorithm=algorithm).order_by("-signs_from").first()


def _is_due(newest: SigningKey, *, force: bool) -> bool:
    moment = timezone.now()
    has_begun = newest.signs_from <= moment
    return has_begun and (force or newest.signs_from + oauth.KEY_LIFETIME <= moment)


def _follow(former: SigningKey) -> Rotation:
    """Make the key that follows *former*, and set the end of all former ones of its algorithm."""
    signs_from = timezone.now() + 2 * oauth.JWKS_LIFETIME
    longest = max(oauth.ACCESS_TOKEN_LIFETIME, oauth.ID_TOKEN_LIFETIME)
    still_published = SigningKey.objects.filter(algorithm=former.algorithm, published_until=None)
    still_published.update(published_until=signs_from + longest + _LEEWAY)
    return _make(former.algorithm, signs_from)


def _make(algorithm: str, signs_from: datetime, *, is_recorded: bool = True) -> Rotation:
    key = new_private_key(algorithm)
    with transaction.atomic():
        SigningKey.objects.create(
            kid=key.thumbprint(), algorithm=algorithm, private_key=to_pem(key), signs_from=signs_from
        )
        if is_recorded:
            record(
                Event(
                    name=OAuthEvent.KEY_ADDED, target=("signing_key", key.thumbprint()), data={"algorithm": algorithm}
                )
            )
    transaction.on_commit(forget_keys)
    return Rotation(algorithm, key.thumbprint(), signs_from)
