"""The field keys that were used for MACs. A MAC cannot be made again, so such a key must be kept."""

from collections.abc import Mapping

from django.db.models import Count

from auth_audit.models import AuditEntry


def mac_keys_in_use() -> Mapping[str, int]:
    """Return the number of entries for each field key. Reads the whole trail."""
    counts = AuditEntry.objects.order_by().values_list("mac_key").annotate(Count("pk"))
    return dict(counts)
