"""Budgets of guesses: charged before a guess is looked at, by the database, which decides alone.

Redis only remembers refusals, so that a flood costs no query. It is never believed
for letting somebody guess: lost, flushed, full or new, it opens no budget (decision
record 0002).
"""

import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.crypto import salted_hmac

from auth_core.cache import CacheLost, SharedCache, shared_cache
from auth_core.client import Client
from auth_core.conf import core
from auth_core.controls import Control
from auth_core.emails import MAX_LENGTH, InvalidAddress, parse
from auth_core.errors import TooManyAttempts
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.models.guess_budget import Charged, GuessBudget, Wanted

#: How long a refusal is remembered outside the database. Short, because a refund that
#: another request makes meanwhile may come too early to be seen.
_REMEMBERED = timedelta(seconds=5)

#: Where an instance of a user keeps what a refund has read of the budgets of the guess that named them.
_READ = "_auth_core_guesses_left"

#: Expired rows that one statement deletes.
_BATCH = 1000


class _Standing:
    """Whether what was charged inside a transaction is still paid: undone with it, it is nobody's to give back."""

    def __init__(self) -> None:
        self._committed = False
        transaction.on_commit(self._commit)

    def __call__(self) -> bool:
        waiting = transaction.get_connection().run_on_commit
        return self._committed or any(hook == self._commit for _savepoints, hook, _robust in waiting)

    def _commit(self) -> None:
        self._committed = True


@dataclass(slots=True)
class Charge:
    """One guess that was paid for; `refund` takes back this one and no other."""

    charged: Sequence[Charged]
    _standing: Callable[[], bool] = field(default=lambda: True, repr=False)
    _refunded: bool = field(default=False, repr=False)

    def refund(self, *, user: Any = None) -> None:
        """Give the guess back, once: it was right. What others failed stays counted.

        A charge that was undone with its transaction gives nothing back: that would be a guess of somebody else.

        Args:
            user: Whom the guess named; `spent` need not ask again for this one instance.
        """
        if self._refunded or not self._standing():
            return
        self._refunded = True
        left = GuessBudget.objects.refund(self.charged)
        if user is not None:
            setattr(user, _READ, left)
        _forget_refusals([piece.key for piece in self.charged])


class _BudgetSpent(Exception):
    """Undoes the charge of those budgets that had something left: all or nothing."""


def charge(use: str, *, client: Client, identifier: str = "", person: str = "", **counted: str) -> Charge:
    """Pay for one guess, in every budget that `BUDGETS` has for *use*.

    It is committed at once, so that a guess costs whatever becomes of the request.

    Args:
        use: What is guessed at: ``login``, ``answer``.
        client: Who guesses; their network is counted.
        identifier: What was typed; all spellings of one address count as one.
        person: Key of the person guessed at, over all their pending logins.
        counted: What else *use* counts, by the names of `BUDGETS`; a value that is empty is not counted.

    Raises:
        TooManyAttempts: a budget is spent. Nothing was charged.
        ValueError: nothing that *use* counts is known: such a guess would be free. Or `BUDGETS` counts
            for *use* what nobody names here: that budget would never end.
    """
    keys = _keys(use, _values(client, identifier, person, counted))
    return Charge(_pay(use, keys, client, durable=True))


def charge_within(use: str, *, client: Client, identifier: str = "", person: str = "", **counted: str) -> Charge:
    """Pay like `charge`, inside the transaction that is open: undone with it, kept with it.

    For what costs only when it happens, such as a text that is posted; never for a guess, which
    whoever makes the transaction fail would have for nothing. A refusal is recorded in the same
    transaction: whoever wants the record kept catches it inside. What is charged is locked until
    the transaction ends, and everybody who shares it waits: nothing slow may come after.

    Raises:
        TooManyAttempts: a budget is spent. Nothing was charged, and the transaction is good for more.
        ValueError: as in `charge`.
    """
    keys = _keys(use, _values(client, identifier, person, counted))
    return Charge(_pay(use, keys, client, durable=False), _Standing())


def _pay(use: str, keys: Mapping[str, str], client: Client, *, durable: bool) -> Sequence[Charged]:
    """Charge every one of *keys*, or none."""
    now = timezone.now()
    budgets = core.budgets[use]
    wanted = [Wanted(key, budgets[what][0], now + budgets[what][1]) for key, what in keys.items()]

    if (wait := _remembered_wait(list(keys), now)) is not None:
        raise TooManyAttempts(retry_after=wait)
    try:
        with transaction.atomic(durable=durable):
            charged = GuessBudget.objects.charge(wanted, now=now)
            if len(charged) < len(wanted):
                raise _BudgetSpent
    except _BudgetSpent:
        raise TooManyAttempts(retry_after=_refuse(use, keys, client, now, durable=durable)) from None
    return charged


def spent(use: str, *, identifier: str, user: Any = None) -> int:
    """Return how many guesses at *identifier* are paid for and not given back, in the present window.

    One query; none if a refund for *user* has just read it.
    """
    key = _key(use, "identifier", _folded(identifier))
    # Taken out: whoever asks later in the same request asks the database.
    read: Mapping[str, int] = {} if user is None else vars(user).pop(_READ, {})
    if key in read:
        return read[key]
    used = GuessBudget.objects.filter(pk=key, ends_at__gt=timezone.now()).values_list("used", flat=True).first()
    return used or 0


def delete_expired() -> int:
    """Delete rows whose window is over, in batches; expiry itself is judged when a row is charged."""
    deleted = 0
    while batch := _delete_batch():
        deleted += batch
    return deleted


def _delete_batch() -> int:
    """Delete under lock: a window that began since the row was read would take the guesses of its budget with it."""
    with transaction.atomic():
        expired = GuessBudget.objects.filter(ends_at__lte=timezone.now())
        keys = list(expired.select_for_update(skip_locked=True).values_list("pk", flat=True)[:_BATCH])
        return GuessBudget.objects.filter(pk__in=keys).delete()[0]


def _values(client: Client, identifier: str, person: str, counted: Mapping[str, str]) -> dict[str, str]:
    """Return what may be counted, by its name.

    Raises:
        ValueError: a caller names a network of its own; only the client's is counted.
    """
    if "network" in counted:
        raise ValueError("The network that is counted is the client's.")
    return {**counted, "identifier": _folded(identifier), "network": client.network, "person": person}


def _keys(use: str, values: Mapping[str, str]) -> dict[str, str]:
    """Return the keys to charge, each with what it counts; of a value that nobody knows nothing is counted.

    Raises:
        ValueError: nothing would be counted, or a budget of *use* is for something that *values* does not name.
    """
    budgets = core.budgets[use]
    if unnamed := sorted(set(budgets) - set(values)):
        raise ValueError(f"BUDGETS counts {', '.join(unnamed)} for {use!r}, which nobody names.")
    keys = {_key(use, what, values[what]): what for what in budgets if values[what]}
    if not keys:
        raise ValueError(f"A guess of {use!r} names nothing that is counted.")
    return keys


def _key(use: str, what: str, value: str) -> str:
    """Return a key that tells nothing: what was typed as an identifier is often a password."""
    return salted_hmac(f"auth_core.limits.{use}.{what}", value, algorithm="sha256").hexdigest()


def _folded(identifier: str) -> str:
    """Fold what people type, so that another case or spelling is no new budget."""
    try:
        return parse(identifier).key
    except InvalidAddress:
        return unicodedata.normalize("NFKC", identifier[:MAX_LENGTH]).casefold()


def _refuse(use: str, keys: Mapping[str, str], client: Client, now: datetime, *, durable: bool) -> timedelta:
    """Record a refusal, once per window; return how long to wait for the last of the spent budgets."""
    budgets = core.budgets[use]
    rows = GuessBudget.objects.filter(pk__in=list(keys), ends_at__gt=now)
    # By the budget of today: the row keeps the one it was charged under, until a charge succeeds.
    spent = [row for row in rows if row.used >= budgets[keys[row.pk]][0]]
    for row in spent:
        with transaction.atomic(durable=durable):
            if GuessBudget.objects.filter(pk=row.pk, window_id=row.window_id, refused_at=None).update(refused_at=now):
                record(_refused(use, keys[row.pk], client))
    if durable:
        _remember_refusals(spent, now)
    else:
        # Remembered before the commit, a refusal that is undone would hide the next one, and nobody would record it.
        transaction.on_commit(partial(_remember_refusals, spent, now))
    # Another request's refund may have come in between: then the next second is as good as any.
    return max((row.ends_at - now for row in spent), default=timedelta(seconds=1))


def _refused(use: str, what: str, client: Client) -> Event:
    return Event(
        name=AuthEvent.LIMIT_REFUSED,
        outcome=EventOutcome.DENIED,
        reason="budget",
        client=client,
        data={"use": use, "counted": what},
    )


def _remembered_wait(keys: Sequence[str], now: datetime) -> timedelta | None:
    """Return how long the cache says to wait; ``None``: it knows nothing, and the database decides."""
    cache = _cache()
    if cache is None:
        return None
    try:
        found = cache.get_many([_refusal_key(key) for key in keys])
    except CacheLost:
        return None
    ends = [_end(value) for value in found if value]
    return max((end - now for end in ends if end is not None and end > now), default=None)


def _end(value: bytes) -> datetime | None:
    """Return when a remembered refusal ends; what nobody of us wrote is no refusal, and no error of the caller's."""
    try:
        return datetime.fromtimestamp(float(value), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _remember_refusals(spent: Iterable[GuessBudget], now: datetime) -> None:
    cache = _cache()
    if cache is None:
        return
    try:
        for row in spent:
            ttl = min(_REMEMBERED, row.ends_at - now)
            cache.put(_refusal_key(row.pk), b"%.6f" % row.ends_at.timestamp(), ttl=ttl)
    except CacheLost:
        return


def _forget_refusals(keys: Sequence[str]) -> None:
    cache = _cache()
    if cache is None:
        return
    try:
        cache.forget(*(_refusal_key(key) for key in keys))
    except CacheLost:
        return


def _refusal_key(key: str) -> str:
    return f"refused:{key}"


def _cache() -> SharedCache | None:
    return shared_cache(core.REDIS_URL, serves=Control.LIMITER)
