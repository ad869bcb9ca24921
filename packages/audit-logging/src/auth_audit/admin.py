"""The trail in the admin site: to read."""

import json
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address
from typing import Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from auth_audit.append.macs import verifies
from auth_audit.models import AuditEntry
from auth_audit.verify.proofs import Proof, State, proof_of
from auth_core.events import EventOutcome, Severity

#: Entries that a list counts and pages through; a count of a whole trail would read all of it at every click.
_MOST_COUNTED = 10_000


#: What is said of a state.
_STATES = {
    State.PROVEN: _("It is what was sealed."),
    State.WAITING: _("It waits to be sealed."),
    State.TAMPERED: _("It is NOT what was sealed: it was tampered with."),
}


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # Django cannot subscript it
    """Counts only so far; what lies further back is found by search."""

    @cached_property
    def count(self) -> int:
        """Return how many entries there are, or the most that are counted."""
        entries: Any = self.object_list
        counted: int = entries.order_by()[:_MOST_COUNTED].count()
        return counted


class _ClosedFilter(admin.SimpleListFilter):
    """Filters by a column of closed values; Django's own filter reads the whole table to find them."""

    values: ClassVar[type[StrEnum]]

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        """Return the values there can be."""
        return [(value.value, value.value) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Return the entries that have the chosen one."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class _SeverityFilter(_ClosedFilter):
    title, parameter_name, values = _("severity"), "severity", Severity


class _OutcomeFilter(_ClosedFilter):
    title, parameter_name, values = _("outcome"), "outcome", EventOutcome


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]  # Django cannot subscript it
    """Shows entries, and whether each is as it was appended; changes none."""

    list_display = ("recorded_at", "name", "outcome", "reason", "subject_id", "actor_id", "ip", "is_genuine")
    list_filter = (_SeverityFilter, _OutcomeFilter)
    search_fields = ("name", "subject_id", "actor_id", "session_id", "correlation_id", "ip")
    search_help_text = _("The name of an event, an address, or the id of a person, session, request or entry.")
    ordering = ("-id",)
    paginator = BoundedPaginator
    show_full_result_count = False
    list_per_page = 50

    @admin.display(description=_("genuine"), boolean=True)
    def is_genuine(self, entry: AuditEntry) -> bool:
        """Say whether the MAC verifies."""
        return verifies(entry)

    @admin.display(description=_("state"))
    def state(self, entry: AuditEntry) -> str:
        """Say whether it is what was sealed."""
        return str(_STATES[self._proof(entry).state])

    @admin.display(description=_("number"))
    def number(self, entry: AuditEntry) -> int | None:
        """Return its number, if it is sealed."""
        return self._proof(entry).number

    @admin.display(description=_("proof"))
    def proof(self, entry: AuditEntry) -> str:
        """Show what a verifier needs, to copy: the checkpoint, and the way to it."""
        proof = self._proof(entry)
        if proof.number is None:
            return "-"
        told = {"checkpoint": proof.checkpoint, "number": proof.number, "path": proof.path}
        return format_html("<pre>{}</pre>", json.dumps(told, indent=2))

    def _proof(self, entry: AuditEntry) -> Proof:
        """Make the proof once for the page, which asks three times."""
        made: Proof | None = getattr(entry, "auth_audit_proof", None)
        if made is None:
            made = proof_of(entry)
            entry.auth_audit_proof = made  # type: ignore[attr-defined]  # this page's own
        return made

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Ask only the columns that can hold the whole term: each is indexed, and none is read letter by letter."""
        term = search_term.strip()
        return (queryset.filter(_asked(term)) if term else queryset), False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Return all fields."""
        return [*(field.name for field in AuditEntry._meta.fields), "is_genuine", "state", "number", "proof"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Refuse: entries are appended by what happens."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Refuse."""
        return False


def _asked(term: str) -> Q:
    try:
        asked = UUID(term)
    except ValueError:
        pass
    else:
        people = Q(subject_id=asked) | Q(actor_id=asked)
        return people | Q(id=asked) | Q(session_id=asked) | Q(correlation_id=term)
    try:
        return Q(ip=str(ip_address(term)))
    except ValueError:
        return Q(name=term) | Q(correlation_id=term)
