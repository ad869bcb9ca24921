"""Delivery: every checkpoint, and if asked every sealed entry, to every sink; at least once and in order.

A sink that is away misses nothing: how far it was told is remembered, and the trail is
the queue.
"""

import json
import logging
from collections.abc import Iterator, Mapping

from django.db import router, transaction

from auth_audit.conf import audit
from auth_audit.controls import Control
from auth_audit.deliver import sinks
from auth_audit.models import AuditEntry, Checkpoint, Delivery, Seal
from auth_audit.seal import leaves, sealer
from auth_core.runtime import degradation

logger = logging.getLogger(__name__)

#: Checkpoints that one transaction delivers.
_AT_ONCE = 100


def seal_and_deliver(alias: str = "") -> int:
    """Seal, and tell everybody outside (a sweep); return how many entries were sealed."""
    sealed = sealer.sweep(alias)
    deliver(alias)
    return sealed


def deliver(alias: str = "") -> int:
    """Tell every sink what it has not been told; return how many checkpoints were delivered.

    One that fails is logged, and told again next time; the others do not wait for it.
    """
    alias = alias or router.db_for_write(AuditEntry)
    return sum(_deliver_to(told, alias) for told in audit.SINKS)


def _deliver_to(told: Mapping[str, str], alias: str) -> int:
    delivered = 0
    try:
        sink = sinks.sink_of(told)
        while count := _next(sink, told, alias):
            delivered += count
    except (OSError, sinks.SinkMisconfigured) as problem:
        degradation.degrade(Control.SINKS, part=sinks.name_of(told), reason=type(problem).__name__)
        logger.exception("The sink %s was not told; it will be.", sinks.name_of(told))
    else:
        degradation.restore(Control.SINKS, part=sinks.name_of(told))
    return delivered


def _next(sink: sinks.Sink, told: Mapping[str, str], alias: str) -> int:
    with transaction.atomic(using=alias):
        Delivery.objects.using(alias).get_or_create(sink=sinks.name_of(told))
        # Two workers that deliver at once would both be right, and tell everything twice.
        reached = Delivery.objects.using(alias).select_for_update().get(sink=sinks.name_of(told))
        waiting = list(Checkpoint.objects.using(alias).filter(size__gt=reached.size).order_by("size")[:_AT_ONCE])
        if not waiting:
            return 0
        for checkpoint in waiting:
            entries = list(_entries(checkpoint, alias)) if told.get("entries") == "yes" else []
            sink.send([*entries, checkpoint_line(checkpoint)])
        Delivery.objects.using(alias).filter(sink=reached.sink).update(size=waiting[-1].size)
    return len(waiting)


def checkpoint_line(checkpoint: Checkpoint) -> str:
    """Return a checkpoint as `audit_verify --against` reads it."""
    return f'{{"checkpoint":{checkpoint.body},"signature":"{checkpoint.signature}"}}'


def _entries(checkpoint: Checkpoint, alias: str) -> Iterator[str]:
    """Yield what a checkpoint has added, in order."""
    previous = checkpoint.signed["checkpoint"]["previous"]
    seals = Seal.objects.using(alias).filter(number__gte=previous, number__lt=checkpoint.size).order_by("number")
    numbers = dict(seals.values_list("entry_id", "number"))
    entries = AuditEntry.objects.using(alias).in_bulk(list(numbers))
    for entry_id, number in numbers.items():
        if entry := entries.get(entry_id):
            told = {"number": number, "entry": leaves.told(entry)}
            yield json.dumps(told, ensure_ascii=True, separators=(",", ":"))
