"""The periodic deletion of spent states whose time is over."""

from django.utils import timezone

from auth_core.federation.models import SpentState
from auth_core.runtime.batches import delete_in_batches


def delete_expired() -> int:
    """Delete expired states. Return how many."""
    return delete_in_batches(SpentState.objects.filter(expires_at__lte=timezone.now()).order_by("expires_at"))
