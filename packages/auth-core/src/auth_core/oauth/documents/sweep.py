"""The removal of clients with a document that no one uses any more."""

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from auth_core.oauth.applications.changes import remove_application
from auth_core.oauth.conf import oauth
from auth_core.oauth.models import Authorization, ClientDocument

#: Most clients that one run removes. Each is an entry of the trail.
_MOST = 1000


def remove_unused() -> int:
    """Remove applications of documents that were not used within `CLIENT_DOCUMENT_IDLE_LIFETIME`. Return how many.

    One to which a person still gives access stays. A client that comes back is registered again.
    """
    candidates = list(_unused().order_by("used_at").values_list("pk", flat=True)[:_MOST])
    return sum(map(_remove, candidates))


def _remove(document_pk: int) -> bool:
    """Remove one application, unless it was used since it was listed."""
    with transaction.atomic():
        row = _unused().select_for_update(of=("self",)).filter(pk=document_pk).first()
        if row is None:
            return False
        application: Any = row.application
        remove_application(policy=application.auth_policy)
    return True


def _unused() -> "QuerySet[ClientDocument]":
    live = Authorization.objects.live().filter(application=OuterRef("application"))
    before = timezone.now() - oauth.CLIENT_DOCUMENT_IDLE_LIFETIME
    return ClientDocument.objects.filter(~Exists(live), used_at__lte=before)
