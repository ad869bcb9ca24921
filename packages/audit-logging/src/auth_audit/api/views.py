"""The views of entries."""

from collections.abc import Callable
from functools import cache, partial
from typing import TYPE_CHECKING, Any
from uuid import UUID

from rest_framework.permissions import IsAuthenticated
from rest_framework.request import Request
from rest_framework.response import Response

from auth_audit import activity
from auth_audit.api.answers import ActivityShape, EntryShape
from auth_audit.api.bodies import EntryFilters
from auth_audit.api.permissions import MayReadTrail
from auth_audit.models import AuditEntry
from auth_audit.personal.readable_entry import ReadableEntry, read, read_one, with_keys
from auth_audit.search import activity_of, search
from auth_core.api.answers import page_of
from auth_core.api.bodies import NoFilters
from auth_core.api.pagination import page_response
from auth_core.api.views import ApiView, or_not_found
from auth_core.people.lookup import identity_of

if TYPE_CHECKING:
    from django.db.models import QuerySet


class EntryListView(ApiView):
    """``GET audit/entries/``: search the trail."""

    filters = EntryFilters
    answers = {"get": {200: page_of(EntryShape)}}

    permission_classes = (IsAuthenticated, MayReadTrail)

    def get(self, request: Request) -> Response:
        """Return one page of entries, newest first."""
        filters = EntryFilters.parse_query(request)
        return _page(request, search(filters), entry_body)


class EntryView(ApiView):
    """``GET audit/entries/{id}/``: one entry."""

    answers = {"get": {200: EntryShape}}

    permission_classes = (IsAuthenticated, MayReadTrail)

    def get(self, request: Request, entry_id: UUID) -> Response:
        """Return the entry."""
        NoFilters.parse_query(request)
        entry = or_not_found(AuditEntry.objects.filter(pk=entry_id).first())
        return Response(entry_body(read_one(entry)))


class ActivityView(ApiView):
    """``GET me/activity/``: the signed-in person's own events."""

    answers = {"get": {200: page_of(ActivityShape)}}

    def get(self, request: Request) -> Response:
        """Return one page of the person's events, newest first."""
        NoFilters.parse_query(request)
        subject = identity_of(request.user).subject_id
        show = partial(activity.activity_item, subject=subject, sentence=cache(activity.sentence_of))
        return _page(request, activity_of(subject), show)


def _page(
    request: Request, entries: "QuerySet[AuditEntry]", show: Callable[[ReadableEntry], dict[str, Any]]
) -> Response:
    """Return one page of entries with their personal values. See `with_keys` for its queries."""
    readable: dict[UUID, ReadableEntry] = {}
    return page_response(
        request,
        with_keys(entries),
        lambda entry: show(readable[entry.pk]),
        gather=lambda rows: readable.update(read(rows)),
    )


def entry_body(readable: ReadableEntry) -> dict[str, Any]:
    """Return the JSON of an entry."""
    entry = readable.entry
    return {
        "id": str(entry.pk),
        "name": entry.name,
        "recorded_at": entry.recorded_at,
        "severity": entry.severity,
        "outcome": entry.outcome,
        "reason": entry.reason,
        "subject": activity.id_text(entry.subject_id),
        "actor": activity.id_text(entry.actor_id),
        "on_behalf_of": activity.id_text(entry.on_behalf_of),
        "session": activity.id_text(entry.session_id),
        "application": activity.id_text(entry.application_id),
        "target": {"kind": entry.target_kind, "id": readable.target_id} if entry.target_kind else None,
        "changes": readable.changes,
        "data": readable.data,
        "bounds": readable.bounds,
        "personal": readable.personal.value,
        "ip": readable.ip,
        "user_agent": readable.user_agent,
        "correlation_id": entry.correlation_id,
    }
