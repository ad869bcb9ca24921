"""Delivery of every checkpoint, and optionally every sealed entry, to each sink.

Delivery is in order and at least once. The position of each sink is stored and the trail itself is the queue,
so a sink that was unavailable misses nothing.
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

#: Checkpoints delivered in one transaction.
_CHECKPOINTS_AT_ONCE = 100


def seal_and_deliver(alias: str = "") -> int:
    """Seal, then deliver (a sweep). Return the number of sealed entries."""
    sealed = sealer.sweep(alias)
    deliver(alias)
    return sealed


def deliver(alias: str = "") -> int:
    """Send each sink what it has not received yet. Return the number of checkpoints delivered.

    A failure is logged and tried again next time. Other sinks are not affected.
    """
    alias = alias or router.db_for_write(AuditEntry)
    return sum(_deliver_to(config, alias) for config in audit.SINKS)


def _deliver_to(config: Mapping[str, str], alias: str) -> int:
    delivered = 0
    try:
        sink = sinks.make_sink(config)
        while count := _deliver_next(sink, config, alias):
            delivered += count
    except (OSError, sinks.SinkMisconfigured) as error:
        degradation.report_degraded(Control.SINKS, part=sinks.sink_name(config), reason=type(error).__name__)
        logger.exception("Delivery to the sink %s failed. It will be tried again.", sinks.sink_name(config))
    else:
        degradation.report_restored(Control.SINKS, part=sinks.sink_name(config))
    return delivered


def _deliver_next(sink: sinks.Sink, config: Mapping[str, str], alias: str) -> int:
    with transaction.atomic(using=alias):
        Delivery.objects.using(alias).get_or_create(sink=sinks.sink_name(config))
        # The lock keeps a second worker from delivering the same checkpoints.
        position = Delivery.objects.using(alias).select_for_update().get(sink=sinks.sink_name(config))
        checkpoints = list(
            Checkpoint.objects.using(alias).filter(size__gt=position.size).order_by("size")[:_CHECKPOINTS_AT_ONCE]
        )
        if not checkpoints:
            return 0
        for checkpoint in checkpoints:
            entries = list(_entries(checkpoint, alias)) if config.get("entries") == "yes" else []
            sink.send([*entries, checkpoint_line(checkpoint)])
        Delivery.objects.using(alias).filter(sink=position.sink).update(size=checkpoints[-1].size)
    return len(checkpoints)


def checkpoint_line(checkpoint: Checkpoint) -> str:
    """Return a checkpoint in the format that `audit_verify --against` reads."""
    return f'{{"checkpoint":{checkpoint.body},"signature":"{checkpoint.signature}"}}'


def _entries(checkpoint: Checkpoint, alias: str) -> Iterator[str]:
    """Yield the entries that a checkpoint added, in order."""
    previous = checkpoint.signed["checkpoint"]["previous"]
    seals = Seal.objects.using(alias).filter(number__gte=previous, number__lt=checkpoint.size).order_by("number")
    numbers = dict(seals.values_list("entry_id", "number"))
    entries = AuditEntry.objects.using(alias).in_bulk(list(numbers))
    for entry_id, number in numbers.items():
        if entry := entries.get(entry_id):
            line = {"number": number, "entry": leaves.content(entry)}
            yield json.dumps(line, ensure_ascii=True, separators=(",", ":"))
