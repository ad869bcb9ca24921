"""The views of the trail."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from auth_audit.api.permissions import MayReadTrail
from auth_audit.api.serializers import EntryFilters
from auth_audit.api.shapes import EntryShape
from auth_audit.models import AuditEntry
from auth_core.api.pagination import page_response
from auth_core.api.serializers import NoFilters
from auth_core.api.shapes import page_of
from auth_core.api.views import ApiView
from auth_core.errors import NotFound
from auth_core.ids import first_uuid7_at

_EPOCH = datetime.fromtimestamp(0, tz=UTC)

#: Filters, and the columns they ask.
_COLUMNS = {
    "name": "name",
    "subject": "subject_id",
    "actor": "actor_id",
    "session": "session_id",
    "correlation_id": "correlation_id",
    "outcome": "outcome",
}


class EntryListView(ApiView):
    """``GET audit/entries/``: what happened?"""

    filters = EntryFilters
    answers = {"get": {200: page_of(EntryShape)}}

    permission_classes = (IsAuthenticated, MayReadTrail)

    def get(self, request: Request) -> Response:
        """Return one page of entries, newest first."""
        filters = EntryFilters.parse_query(request)
        return page_response(request, _filtered(filters), entry_body)


class EntryView(ApiView):
    """``GET audit/entries/{id}/``: one entry."""

    answers = {"get": {200: EntryShape}}

    permission_classes = (IsAuthenticated, MayReadTrail)

    def get(self, request: Request, entry_id: UUID) -> Response:
        """Return it."""
        NoFilters.parse_query(request)
        entry = AuditEntry.objects.filter(pk=entry_id).first()
        if entry is None:
            raise NotFound
        return Response(entry_body(entry))


def entry_body(entry: AuditEntry) -> dict[str, Any]:
    """Return what a reader sees of an entry."""
    return {
        "id": str(entry.pk),
        "name": entry.name,
        "recorded_at": entry.recorded_at,
        "severity": entry.severity,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "subject": entry.subject_id,
        "actor": entry.actor_id,
        "on_behalf_of": entry.on_behalf_of,
        "session": entry.session_id,
        "application": entry.application_id,
        "target": {"kind": entry.target_kind, "id": entry.target_id} if entry.target_kind else None,
        "changes": entry.changes,
        "data": entry.data,
        "ip": entry.ip,
        "user_agent": entry.user_agent,
        "correlation_id": entry.correlation_id,
    }


def _filtered(filters: Any) -> Any:
    """Time is asked of the key, which is made of it: so partitions are pruned, and one index serves."""
    given = {column: getattr(filters, name) for name, column in _COLUMNS.items() if getattr(filters, name) is not None}
    entries = AuditEntry.objects.filter(**given)
    if filters.since is not None:
        entries = entries.filter(id__gte=_first_id_at(filters.since))
    if filters.until is not None:
        entries = entries.filter(id__lt=_first_id_at(filters.until))
    return entries


def _first_id_at(moment: datetime) -> UUID:
    """Before 1970 no id can be made, and nothing had happened."""
    return first_uuid7_at(max(moment, _EPOCH))
