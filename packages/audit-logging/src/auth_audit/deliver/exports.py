"""Exports of entries with their proofs, streamed line by line. Each export is itself recorded."""

import csv
import io
import json
from collections.abc import Iterator, Mapping
from typing import Any, Protocol
from uuid import UUID

from django.db import transaction
from django.db.models import QuerySet

from auth_audit.events import AuditEvent
from auth_audit.models import AuditEntry
from auth_audit.personal.readable_entry import ReadableEntry, read
from auth_audit.verify.proofs import Proof, Prover
from auth_core.events import Event, record
from auth_core.users import UserLike

#: Entries read at a time.
_CHUNK = 500

#: Characters that start a formula in a spreadsheet (OWASP, CSV injection. ASVS 1.2.10).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")

#: Columns of a CSV export: those of an entry, and the personal values that it holds as ciphertext.
_COLUMNS = [
    *(field.attname for field in AuditEntry._meta.concrete_fields if field.attname != "personal"),
    "personal",
    "ip",
    "network",
    "user_agent",
]


class Writer(Protocol):
    """One format of an export."""

    content_type: str
    extension: str

    def head(self, prover: Prover, *, is_complete: bool) -> str:
        """Return the first line."""

    def line(self, readable: ReadableEntry, proof: Proof) -> str:
        """Return the line of one entry."""


class JsonLines:
    """The format that `auth_audit.offline_verifier` reads: the checkpoint, then each entry with its path.

    ``entry`` is the entry as it is hashed, with ciphertext. ``personal`` says whether its personal values can be read,
    and ``readable`` are the columns that contain some, as far as they can.
    """

    content_type, extension = "application/x-ndjson", "jsonl"

    def head(self, prover: Prover, *, is_complete: bool) -> str:
        """Return the checkpoint, and whether the export contains every sealed entry."""
        checkpoint = prover.checkpoint
        return _json({"checkpoint": checkpoint.signed if checkpoint else None, "complete": is_complete})

    def line(self, readable: ReadableEntry, proof: Proof) -> str:
        """Return the entry as it is hashed, with its number and path, and its personal values."""
        return _json(
            {
                "entry": proof.entry,
                "number": proof.number,
                "path": proof.path,
                "personal": readable.personal.value,
                "readable": _readable_columns(readable) if readable.parts else {},
            }
        )


class Csv:
    """The format for spreadsheets. No cell is a formula. It contains no proofs."""

    content_type, extension = "text/csv; charset=utf-8", "csv"

    def head(self, prover: Prover, *, is_complete: bool) -> str:
        """Return the names of the columns."""
        return _csv_line(["number", *_COLUMNS])

    def line(self, readable: ReadableEntry, proof: Proof) -> str:
        """Return one row."""
        values = (proof.entry or {"id": str(readable.entry.pk)}) | _readable_columns(readable)
        values["personal"] = readable.personal.value
        cells: list[Any] = [proof.number, *(values.get(column, "") for column in _COLUMNS)]
        return _csv_line([_json(cell).strip() if isinstance(cell, dict) else cell for cell in cells])


WRITERS: Mapping[str, Writer] = {"jsonl": JsonLines(), "csv": Csv()}


def export(
    *,
    entries: "QuerySet[AuditEntry]",
    writer: Writer,
    filters: Mapping[str, Any],
    actor: UserLike | None,
    session: UUID | None,
) -> Iterator[str]:
    """Record the export and commit that, then return its lines.

    Args:
        entries: The entries to export.
        writer: The format.
        filters: The filters of *entries*, for the record. Without filters the export is complete and says so.
        actor: The person who exports.
        session: The id of their session.
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
        readable = read(chunk)
        for entry in chunk:
            yield writer.line(readable[entry.pk], prover.proof(entry, seals.get(entry.pk)))


def _chunks(entries: "QuerySet[AuditEntry]") -> Iterator[list[AuditEntry]]:
    """Yield the entries in chunks, by key. A cursor at the server would not survive a connection pooler."""
    chunk = list(entries.order_by("id")[:_CHUNK])
    while chunk:
        yield chunk
        chunk = list(entries.filter(id__gt=chunk[-1].pk).order_by("id")[:_CHUNK])


def _readable_columns(readable: ReadableEntry) -> dict[str, Any]:
    """Return the columns that may contain personal values, except empty ones."""
    names = ("ip", "network", "user_agent", "target_id", "changes", "data", "bounds")
    return {name: value for name in names if (value := getattr(readable, name))}


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":")) + "\n"


def _csv_line(cells: list[Any]) -> str:
    line = io.StringIO()
    csv.writer(line, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerow([_escape_formula(cell) for cell in cells])
    return line.getvalue()


def _escape_formula(cell: object) -> str:
    """Return the text of a cell. An apostrophe in front keeps a spreadsheet from reading it as a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if text.startswith(_FORMULA) else text
