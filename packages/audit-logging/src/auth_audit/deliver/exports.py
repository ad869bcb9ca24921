"""Exports: entries with their proofs, line by line, while they are read; each export is itself recorded."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol

from django.db import transaction
from django.db.models import QuerySet

from auth_audit.events import AuditEvent
from auth_audit.models import AuditEntry
from auth_audit.verify.proofs import Proof, Prover
from auth_core.events import Event, record

#: Entries that are read at once.
_CHUNK = 500

#: Begins a cell that a spreadsheet would take for a formula (OWASP, CSV injection; ASVS 1.2.10).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

_COLUMNS = [field.attname for field in AuditEntry._meta.concrete_fields]


class Writer(Protocol):
    """One form of an export."""

    content_type: str
    extension: str

    def head(self, prover: Prover, *, is_complete: bool) -> str:
        """Return the first line."""

    def line(self, entry: AuditEntry, proof: Proof) -> str:
        """Return the line of one entry."""


class JsonLines:
    """What `auth_audit.offline_verifier` checks: a line with the checkpoint, then each entry with its path."""

    content_type, extension = "application/x-ndjson", "jsonl"

    def head(self, prover: Prover, *, is_complete: bool) -> str:
        """Return the checkpoint, and whether every sealed entry must follow."""
        checkpoint = prover.checkpoint
        return _json({"checkpoint": checkpoint.signed if checkpoint else None, "complete": is_complete})

    def line(self, entry: AuditEntry, proof: Proof) -> str:
        """Return the entry as it is hashed, its number and its path."""
        return _json({"entry": proof.entry, "number": proof.number, "path": proof.path})


class Csv:
    """For spreadsheets: no cell of it is a formula; it proves nothing."""

    content_type, extension = "text/csv; charset=utf-8", "csv"

    def head(self, prover: Prover, *, is_complete: bool) -> str:
        """Return the names of the columns."""
        return _csv_line(["number", *_COLUMNS])

    def line(self, entry: AuditEntry, proof: Proof) -> str:
        """Return one row."""
        told = proof.entry or {"id": str(entry.pk)}
        cells: list[Any] = [proof.number, *(told.get(column, "") for column in _COLUMNS)]
        return _csv_line([_json(cell).strip() if isinstance(cell, dict) else cell for cell in cells])


WRITERS: Mapping[str, Writer] = {"jsonl": JsonLines(), "csv": Csv()}


def export(
    *, entries: "QuerySet[AuditEntry]", writer: Writer, filters: Mapping[str, Any], actor: Any, session: Any
) -> Iterator[str]:
    """Record the export, committed before its first byte; then return its lines.

    Args:
        entries: What is exported; with no *filters* all there is, and the export says so.
        filters: What was asked, for the record.
    """
    with transaction.atomic(durable=True):
        record(
            Event(
                name=AuditEvent.EXPORT_CREATED,
                actor=actor,
                session=session,
                data={"format": writer.extension, "filters": dict(filters)},
            )
        )
    return _lines(entries, writer, is_complete=not filters)


def _lines(entries: "QuerySet[AuditEntry]", writer: Writer, *, is_complete: bool) -> Iterator[str]:
    prover = Prover()
    yield writer.head(prover, is_complete=is_complete)
    for chunk in _chunks(entries):
        seals = prover.seals(chunk)
        for entry in chunk:
            yield writer.line(entry, prover.proof(entry, seals.get(entry.pk)))


def _chunks(entries: "QuerySet[AuditEntry]") -> Iterator[list[AuditEntry]]:
    """Read on from the last key: no cursor is kept open at the server, which a pooler would not keep."""
    chunk = list(entries.order_by("id")[:_CHUNK])
    while chunk:
        yield chunk
        chunk = list(entries.filter(id__gt=chunk[-1].pk).order_by("id")[:_CHUNK])


def _json(told: Any) -> str:
    return json.dumps(told, ensure_ascii=True, separators=(",", ":")) + "\n"


def _csv_line(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([_harmless(cell) for cell in cells])
    return line.getvalue()


def _harmless(cell: Any) -> str:
    """Let a spreadsheet see text: what would begin a formula gets an apostrophe in front."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text
