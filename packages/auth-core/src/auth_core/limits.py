"""Budgets of guesses: charged before a guess is looked at, by the database, which decides alone.

Redis only remembers refusals, so that a flood costs no query. It is never believed
for letting somebody guess: lost, flushed, full or new, it opens no budget (decision
record 0002).
"""

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.contrib.auth import get_user_model
from django.db import connections, router, transaction
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.crypto import salted_hmac

from auth_core import remembered_refusals
from auth_core.conf import core
from auth_core.errors import TooManyAttempts
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.models.guess_budget import Charged, GuessBudget, Wanted
from auth_core.people.addresses import MAX_LENGTH, InvalidAddress, parse
from auth_core.people.lookup import named_by
from auth_core.registries import known_devices
from auth_core.request.client import Client

#: Where an instance of a user keeps what a refund has read of the budgets of the guess that named them.
_READ = "_auth_core_guesses_left"

#: Begins the names of budgets that are charged where the device is known, instead of all others.
_DEVICE = "device"

#: Ends the names of budgets to which right guesses count as well: what they cause is bounded, too.
_TOTAL = "_total"

#: Ends the names of budgets that count for each network that asks.
_BY_NETWORK = "_network"

#: Budgets that are charged whether or not the device is known; strangers cannot use them up, their own are smaller.
_SHARED = frozenset({"network_total", "wide_network_total"})

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
    _totals: frozenset[str] = field(default=frozenset(), repr=False)
    _remembered_as: Sequence[str] = field(default=(), repr=False)
    _beside: str = field(default="", repr=False)
    _standing: Callable[[], bool] = field(default=lambda: True, repr=False)
    _refunded: bool = field(default=False, repr=False)

    def refund(self, *, user: Any = None) -> None:
        """Give the guess back, once: it was right. What others failed stays counted, and so do the totals.

        A charge that was undone with its transaction gives nothing back: that would be a guess of somebody else.

        Args:
            user: Whom the guess named; `spent` need not ask again for this one instance.
        """
        left = self._give_back([piece for piece in self.charged if piece.key not in self._totals])
        if user is not None and left is not None:
            setattr(user, _READ, left)

    def cancel(self) -> None:
        """Give all of it back, once, the totals too: the guess was not looked at and cost nothing."""
        self._give_back(self.charged)

    def _give_back(self, charged: Sequence[Charged]) -> Mapping[str, int] | None:
        if self._refunded or not self._standing():
            return None
        self._refunded = True
        left = GuessBudget.objects.refund(charged, beside=self._beside, now=timezone.now()) if charged else {}
        remembered_refusals.forget([*(piece.key for piece in charged), *self._remembered_as])
        return left


class _BudgetSpent(Exception):
    """Undoes the charge of those budgets that had something left: all or nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Price:
    """What one guess is to be charged to: keys, each with the name of its budget.

    Args:
        use: What is guessed at.
        keys: Charged unless the device is known.
        devices: Beginnings of keys, charged instead of *keys* where the device is known.
        shared: Charged in either case.
        known: The device, as far as the database knows it; ``None``: there is nothing to look for.
        remembered_as: Where a refusal of this device is remembered outside the database.
    """

    use: str
    keys: Mapping[str, str]
    devices: Mapping[str, str]
    shared: Mapping[str, str]
    known: "QuerySet[Any] | None"
    remembered_as: str = ""

    def charge(self, now: datetime) -> Sequence[Charged]:
        """Charge what has something left; call it inside a transaction."""
        if self.known is None:
            return GuessBudget.objects.charge(self._wanted({**self.keys, **self.shared}, now), now=now)
        return GuessBudget.objects.charge_as_known(
            known=self.known,
            strangers=self._wanted(self.keys, now),
            devices=self._wanted(self.devices, now),
            everybody=self._wanted(self.shared, now),
            now=now,
        )

    def is_paid_by(self, charged: Sequence[Charged]) -> bool:
        """Say whether every budget of one case had something left; whether the device was known, the keys tell."""
        keys = {piece.key for piece in charged}
        if self.known is None or keys & set(self.keys):
            return keys == {*self.keys, *self.shared}
        return len(keys) == len(self.devices) + len(self.shared)

    def budget_of(self, key: str) -> str:
        """Return the name of the budget that *key* counts."""
        named = {**self.keys, **self.shared}
        return named[key] if key in named else self.devices[key[: key.rindex(".") + 1]]

    def possible_keys(self) -> list[str]:
        """Return what was to be charged; after a refusal, and so at the cost of a query where a device may be known."""
        device = None if self.known is None else self.known.values_list("pk", flat=True).first()
        if device is None:
            return [*self.keys, *self.shared]
        return [*(f"{begin}{_as_stored(device)}" for begin in self.devices), *self.shared]

    def remembered_keys(self) -> list[str]:
        """Return where a refusal may be remembered: that of a stranger says nothing of a device that may be known."""
        return [*self.keys, *self.shared] if self.known is None else [self.remembered_as, *self.shared]

    def _wanted(self, keys: Mapping[str, str], now: datetime) -> list[Wanted]:
        budgets = core.budgets[self.use]
        return [Wanted(key, budgets[what][0], now + budgets[what][1]) for key, what in keys.items()]


def charge(
    use: str, *, client: Client, identifier: str = "", person: str = "", known_to: Any = None, **counted: str
) -> Charge:
    """Pay for one guess, in every budget that `BUDGETS` has for *use*.

    It is committed at once, so that a guess costs whatever becomes of the request. Where *use* has a budget of
    devices, and the client comes in a browser that the person guessed at has completed a login in, that budget
    is charged and not those of strangers: what strangers have used up keeps nobody out of their own browser.

    Args:
        use: What is guessed at: ``login``, ``answer``.
        client: Who guesses; their network is counted.
        identifier: What was typed; all spellings of one address count as one.
        person: Key of the person guessed at, over all their pending logins.
        known_to: Primary key of the person whose devices count; left out: of whom *identifier* names.
        counted: What else *use* counts, by the names of `BUDGETS`; a value that is empty is not counted.

    Raises:
        TooManyAttempts: a budget is spent. Nothing was charged.
        ValueError: nothing that *use* counts is known: such a guess would be free. Or `BUDGETS` counts
            for *use* what nobody names here: that budget would never end.
    """
    price = _price(use, client, known_to, {**counted, "identifier": _folded(identifier), "person": person})
    return _paid(price, _pay(price, client, durable=True), lambda: True)


def charge_within(
    use: str, *, client: Client, identifier: str = "", person: str = "", known_to: Any = None, **counted: str
) -> Charge:
    """Pay like `charge`, inside the transaction that is open: undone with it, kept with it.

    For what costs only when it happens, such as a text that is posted; never for a guess, which
    whoever makes the transaction fail would have for nothing. A refusal is recorded in the same
    transaction: whoever wants the record kept catches it inside. What is charged is locked until
    the transaction ends, and everybody who shares it waits: nothing slow may come after.

    Raises:
        TooManyAttempts: a budget is spent. Nothing was charged, and the transaction is good for more.
        ValueError: as in `charge`.
    """
    price = _price(use, client, known_to, {**counted, "identifier": _folded(identifier), "person": person})
    return _paid(price, _pay(price, client, durable=False), _Standing())


def _paid(price: _Price, charged: Sequence[Charged], standing: Callable[[], bool]) -> Charge:
    totals = frozenset(piece.key for piece in charged if price.budget_of(piece.key).endswith(_TOTAL))
    strangers = {name: key for key, name in price.keys.items()}.get("identifier", "")
    is_known = not {piece.key for piece in charged} & set(price.keys)
    remembered_as = [price.remembered_as] if price.remembered_as else []
    return Charge(charged, totals, remembered_as, strangers if is_known else "", standing)


def _pay(price: _Price, client: Client, *, durable: bool) -> Sequence[Charged]:
    """Charge every budget of *price*, or none."""
    now = timezone.now()
    if (wait := remembered_refusals.wait(price.remembered_keys(), now)) is not None:
        raise TooManyAttempts(retry_after=wait)
    try:
        with transaction.atomic(durable=durable):
            charged = price.charge(now)
            if not price.is_paid_by(charged):
                raise _BudgetSpent
    except _BudgetSpent:
        raise TooManyAttempts(retry_after=_refuse(price, client, now, durable=durable)) from None
    return charged


def spent(use: str, *, identifier: str, user: Any = None) -> int:
    """Return how many guesses at *identifier* are paid for and not given back, in the present window.

    One query; none if a refund for *user* has just read it.
    """
    key = _key(use, "identifier", _folded(identifier))
    # Taken out: whoever asks later in the same request asks the database.
    read: Mapping[str, int] = {} if user is None else vars(user).pop(_READ, {})
    if key in read:
        # In a known browser, what was failed in it as well as what strangers did.
        return read[key] + sum(count for name, count in read.items() if name.startswith(f"{use}.{_DEVICE}."))
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


def _price(use: str, client: Client, known_to: Any, counted: Mapping[str, str]) -> _Price:
    """Return what one guess is to be charged to; of a value that nobody knows nothing is counted.

    Raises:
        ValueError: nothing would be counted, or a budget of *use* is for something that nobody names. Or a caller
            names a network of its own; only the client's is counted.
    """
    if {"network", "wide_network"} & set(counted):
        raise ValueError("The network that is counted is the client's.")
    values = {**counted, "network": client.network, "wide_network": client.wide_network}
    named = [name for name in core.budgets[use] if not name.startswith(_DEVICE)]
    if unnamed := sorted(name for name in named if _value_of(name, values) is None):
        raise ValueError(f"BUDGETS counts {', '.join(unnamed)} for {use!r}, which nobody names.")
    keys = {_key(use, name, value): name for name in named if (value := _value_of(name, values))}
    if not keys:
        raise ValueError(f"A guess of {use!r} names nothing that is counted.")
    devices = {f"{use}.{name}.": name for name in core.budgets[use] if name.startswith(_DEVICE)}
    known = _known_device(client, values["identifier"], known_to) if devices else None
    shared = {key: name for key, name in keys.items() if name in _SHARED}
    return _Price(
        use=use,
        keys={key: name for key, name in keys.items() if name not in _SHARED},
        devices=devices,
        shared=shared,
        known=known,
        remembered_as="" if known is None else _key(use, _DEVICE, f"{values}\n{known_to}\n{client.device_credential}"),
    )


def _value_of(name: str, values: Mapping[str, str]) -> str | None:
    """Return what the budget *name* counts, empty where it is unknown; ``None``: nobody names it.

    ``…_total`` counts the same, right guesses too; ``…_network`` counts it for each network that asks.
    """
    counted = name.removesuffix(_TOTAL)
    if counted in values:
        return values[counted]
    value = values.get(counted.removesuffix(_BY_NETWORK))
    return f"{value}\n{values['wide_network'] or values['network']}" if value else value


def _known_device(client: Client, identifier: str, known_to: Any) -> "QuerySet[Any] | None":
    """Return the query for the client's device, as a device of whom is guessed at; ``None``: it has no cookie of ours."""
    if not client.device_credential or not (identifier or known_to):
        return None
    people = named_by(identifier) if known_to is None else get_user_model()._default_manager.filter(pk=known_to)
    found = (recognise(client, people) for recognise in known_devices.values())
    return next((query for query in found if query is not None), None)


def _as_stored(key: Any) -> str:
    """Return the key of a row as the database writes it in a text."""
    return (
        str(key)
        if connections[router.db_for_write(GuessBudget)].vendor == "postgresql"
        else getattr(key, "hex", str(key))
    )


def _key(use: str, what: str, value: str) -> str:
    """Return a key that tells nothing: what was typed as an identifier is often a password."""
    return salted_hmac(f"auth_core.limits.{use}.{what}", value, algorithm="sha256").hexdigest()


def _folded(identifier: str) -> str:
    """Fold what people type, so that another case or spelling is no new budget."""
    try:
        return parse(identifier).key
    except InvalidAddress:
        return unicodedata.normalize("NFKC", identifier[:MAX_LENGTH]).casefold()


def _refuse(price: _Price, client: Client, now: datetime, *, durable: bool) -> timedelta:
    """Record a refusal, once per window; return how long to wait for the last of the spent budgets."""
    budgets = core.budgets[price.use]
    rows = GuessBudget.objects.filter(pk__in=price.possible_keys(), ends_at__gt=now)
    # By the budget of today: the row keeps the one it was charged under, until a charge succeeds.
    spent = [row for row in rows if row.used >= budgets[price.budget_of(row.pk)][0]]
    for row in spent:
        with transaction.atomic(durable=durable):
            if GuessBudget.objects.filter(pk=row.pk, window_id=row.window_id, refused_at=None).update(refused_at=now):
                record(_refused(price.use, price.budget_of(row.pk), client))
    # Another request's refund may have come in between: then the next second is as good as any.
    ends_at = max((row.ends_at for row in spent), default=now + timedelta(seconds=1))
    ends = {row.pk: row.ends_at for row in spent} | ({price.remembered_as: ends_at} if price.remembered_as else {})
    if durable:
        remembered_refusals.remember(ends, now)
    else:
        # Remembered before the commit, a refusal that is undone would hide the next one, and nobody would record it.
        transaction.on_commit(partial(remembered_refusals.remember, ends, now))
    return ends_at - now


def _refused(use: str, what: str, client: Client) -> Event:
    return Event(
        name=AuthEvent.LIMIT_REFUSED,
        outcome=EventOutcome.DENIED,
        reason="budget",
        client=client,
        data={"use": use, "counted": what},
    )
