"""The trail in the admin site, read-only."""

import json
from collections.abc import Iterable
from enum import StrEnum
from functools import cached_property
from ipaddress import ip_network
from typing import TYPE_CHECKING, Any, ClassVar
from uuid import UUID

from django.contrib import admin
from django.contrib.admin.views.main import ChangeList
from django.core.paginator import Paginator
from django.db.models import Q, QuerySet
from django.http import HttpRequest
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _

from auth_audit.append.macs import verifies
from auth_audit.models import AuditEntry
from auth_audit.personal.readable_entry import PersonalState, ReadableEntry, read, read_one
from auth_audit.search import from_network
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

#: On an entry: the entry with its personal values.
_READABLE: Memo[ReadableEntry] = Memo("auth_audit.readable")

#: Columns that are shown with their personal values, or not at all.
_SHOWN_READABLE = frozenset({"target_id", "changes", "data", "bounds", "personal"})

_PERSONAL = {
    PersonalState.NONE: _("None."),
    PersonalState.READABLE: _("Readable."),
    PersonalState.ERASED: _("Erased. Their key was dropped."),
    PersonalState.DAMAGED: _("DAMAGED. They do not match their key."),
}

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

    list_display = ("recorded_at", "name", "outcome", "reason", "subject_id", "actor_id", "ip_address", "is_genuine")
    list_filter = (_SeverityFilter, _OutcomeFilter)
    search_fields = ("name", "subject_id", "actor_id", "session_id", "correlation_id")
    search_help_text = _(
        "Search by event name, IP address or network, or the id of a person, session, request or entry."
    )
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

    @admin.display(description=_("address"))
    def ip_address(self, entry: AuditEntry) -> str | None:
        """Return the IP address."""
        return _read(entry).ip

    @admin.display(description=_("user agent"))
    def user_agent(self, entry: AuditEntry) -> str | None:
        """Return the user agent."""
        return _read(entry).user_agent

    @admin.display(description=_("target"))
    def target(self, entry: AuditEntry) -> str:
        """Return the id of the target."""
        return _read(entry).target_id

    @admin.display(description=_("changes"))
    def all_changes(self, entry: AuditEntry) -> str:
        """Return the changed fields, before and after."""
        return _json(_read(entry).changes)

    @admin.display(description=_("data"))
    def all_data(self, entry: AuditEntry) -> str:
        """Return what the catalogue declares besides."""
        return _json(_read(entry).data)

    @admin.display(description=_("bounds"))
    def all_bounds(self, entry: AuditEntry) -> str:
        """Return what was truncated."""
        return _json(_read(entry).bounds)

    @admin.display(description=_("personal values"))
    def personal_values(self, entry: AuditEntry) -> str:
        """Return whether the personal values can be read."""
        return str(_PERSONAL[_read(entry).personal])

    def _proof(self, entry: AuditEntry) -> Proof:
        """Return the proof, which is computed once for the page."""
        proof = _PROOF.of(entry)
        if proof is None:
            proof = proof_of(entry)
            _PROOF.keep(entry, proof)
        return proof

    def get_changelist(self, request: HttpRequest, **kwargs: Any) -> type[ChangeList]:
        """Return a list that reads the personal values of its page at once."""
        return _ReadableList

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[AuditEntry], search_term: str
    ) -> tuple[QuerySet[AuditEntry], bool]:
        """Search only indexed columns, and only for the whole term."""
        term = search_term.strip()
        return (queryset.filter(_search_condition(term)) if term else queryset), False

    def get_readonly_fields(self, request: HttpRequest, obj: "models.Model | None" = None) -> list[str]:
        """Return all fields. Columns with ciphertext are replaced by what they contain."""
        stored = [field.name for field in AuditEntry._meta.fields if field.name not in _SHOWN_READABLE]
        readable = ["target", "all_changes", "all_data", "all_bounds", "ip_address", "user_agent", "personal_values"]
        return [*stored, *readable, "is_genuine", "state", "number", "proof"]


class _ReadableList(ChangeList):
    """A page of the list, with the personal values of its entries."""

    def get_results(self, request: HttpRequest) -> None:
        """Load the page, and the keys of its entries with one query."""
        super().get_results(request)
        page = list(self.result_list)
        readable = read(page)
        for entry in page:
            _READABLE.keep(entry, readable[entry.pk])
        self.result_list = page  # type: ignore[assignment]  # templates iterate it


def _read(entry: AuditEntry) -> ReadableEntry:
    """Return the entry with its personal values, which are read once for the page."""
    readable = _READABLE.of(entry)
    if readable is None:
        readable = read_one(entry)
        _READABLE.keep(entry, readable)
    return readable


def _json(value: Any) -> str:
    return format_html("<pre>{}</pre>", json.dumps(value, indent=2, ensure_ascii=False)) if value else "-"


def _search_condition(term: str) -> Q:
    try:
        identifier = UUID(term)
    except ValueError:
        pass
    else:
        people = Q(subject_id=identifier) | Q(actor_id=identifier)
        return people | Q(id=identifier) | Q(session_id=identifier) | Q(correlation_id=term)
    try:
        return from_network(ip_network(term))
    except ValueError:
        return Q(name=term) | Q(correlation_id=term)
