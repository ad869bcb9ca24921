"""The trail in the admin site, read-only."""

import json
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, ClassVar
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
from auth_core.admin_permissions import ReadOnlyAdmin
from auth_core.events import EventOutcome, Severity
from auth_core.memo import Memo

if TYPE_CHECKING:
    from django.contrib.admin import ModelAdmin
    from django.db import models

#: Maximum number of entries that a list counts and pages through. Counting all would read the whole trail.
_COUNT_LIMIT = 10_000

#: On an entry: its proof, which several fields of the page show.
_PROOF: Memo[Proof] = Memo("auth_audit.proof")


_STATES = {
    State.PROVEN: _("Verified. The entry matches its seal."),
    State.WAITING: _("Not sealed yet."),
    State.TAMPERED: _("TAMPERED WITH. The entry does not match its seal."),
}


class BoundedPaginator(Paginator):  # type: ignore[type-arg]  # Django cannot subscript it
    """Count only up to a limit. Search finds older entries."""

    @cached_property
    def count(self) -> int:
        """Return the number of entries, or the limit."""
        entries: Any = self.object_list
        count: int = entries.order_by()[:_COUNT_LIMIT].count()
        return count


class _ClosedFilter(admin.SimpleListFilter):
    """Filter by a column with a closed set of values. Django's own filter reads the whole table to list them."""

    values: ClassVar[type[StrEnum]]

    def lookups(self, request: HttpRequest, model_admin: "ModelAdmin[Any]") -> Iterable[tuple[str, str]]:
        """Return the possible values."""
        return [(value.value, value.value) for value in self.values]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEntry]) -> QuerySet[AuditEntry]:
        """Return the entries with the selected value."""
        return queryset.filter(**{str(self.parameter_name): self.value()}) if self.value() else queryset


class _SeverityFilter(_ClosedFilter):
    title, parameter_name, values = _("severity"), "severity", Severity


class _OutcomeFilter(_ClosedFilter):
    title, parameter_name, values = _("outcome"), "outcome", EventOutcome


@admin.register(AuditEntry)
class AuditEntryAdmin(ReadOnlyAdmin):
    """Show entries and whether each is genuine. Nothing can be added, changed or deleted."""

    list_display = ("recorded_at", "name", "outcome", "reason", "subject_id", "actor_id", "ip", "is_genuine")
    list_filter = (_SeverityFilter, _OutcomeFilter)
    search_fields = ("name", "subject_id", "actor_id", "session_id", "correlation_id", "ip")
    search_help_text = _("Search by event name, IP address, or the id of a person, session, request or entry.")
    ordering = ("-id",)
    paginator = BoundedPaginator
    list_per_page = 50

    @admin.display(description=_("genuine"), boolean=True)
    def is_genuine(self, entry: AuditEntry) -> bool:
        """Return whether the MAC is valid."""
        return verifies(entry)

    @admin.display(description=_("state"))
    def state(self, entry: AuditEntry) -> str:
        """Return whether the entry matches its seal."""
        return str(_STATES[self._proof(entry).state])

    @admin.display(description=_("number"))
    def number(self, entry: AuditEntry) -> int | None:
        """Return the number of a sealed entry."""
        return self._proof(entry).number

    @admin.display(description=_("proof"))
    def proof(self, entry: AuditEntry) -> str:
        """Return the checkpoint and the inclusion proof as JSON, to copy into a verifier."""
        proof = self._proof(entry)
        if proof.number is None:
            return "-"
        content = {"checkpoint": proof.checkpoint, "number": proof.number, "path": proof.path}
        return format_html("<pre>{}</pre>", json.dumps(content, indent=2))

    def _proof(self, entry: AuditEntry) -> Proof:
        """Return the proof, which is computed once for the page."""
        proof = _PROOF.of(entry)
        if proof is None:
            proof = proof_of(entry)
            _PROOF.keep(entry, proof)
        return proof

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Search only indexed columns, and only for the whole term."""
        term = search_term.strip()
        return (queryset.filter(_search_condition(term)) if term else queryset), False

    def get_readonly_fields(self, request: HttpRequest, obj: "models.Model | None" = None) -> list[str]:
        """Return all fields."""
        return [*(field.name for field in AuditEntry._meta.fields), "is_genuine", "state", "number", "proof"]


def _search_condition(term: str) -> Q:
    try:
        identifier = UUID(term)
    except ValueError:
        pass
    else:
        people = Q(subject_id=identifier) | Q(actor_id=identifier)
        return people | Q(id=identifier) | Q(session_id=identifier) | Q(correlation_id=term)
    try:
        return Q(ip=str(ip_address(term)))
    except ValueError:
        return Q(name=term) | Q(correlation_id=term)
