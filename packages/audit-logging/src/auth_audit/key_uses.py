"""Which field keys the MACs of entries were made with: they cannot be made again, so such a key is never dropped."""

from collections.abc import Mapping

from django.db.models import Count

from auth_audit.models import AuditEntry


def mac_keys_in_use() -> Mapping[str, int]:
    """Return how many entries each key has; reads the whole trail, for whoever asks before dropping a key."""
    counted = AuditEntry.objects.order_by().values_list("mac_key").annotate(Count("pk"))
    return dict(counted)
