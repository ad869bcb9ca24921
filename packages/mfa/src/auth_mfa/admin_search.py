"""Search terms of the admin site, parsed so that an index serves each query."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet, UUIDField

from auth_core.people import lookup

#: Length of the longest email address.
_LONGEST = 320


def found_by(rows: "QuerySet[Any]", term: str) -> "QuerySet[Any]":
    """Return the *rows* of the user that *term* names by public ID, address or user name, or the row with that key."""
    term = term.strip()[:_LONGEST]
    person = person_named(term)
    if person is not None:
        return rows.filter(user=person)
    key = _parse_uuid(term)
    has_uuid_keys = isinstance(rows.model._meta.pk, UUIDField)
    return rows.filter(pk=key) if key is not None and has_uuid_keys else rows.none()


def person_named(term: str) -> Any:
    """Return the user with this public ID or this identifier, or ``None``."""
    subject_id = _parse_uuid(term)
    return lookup.find_by_identifier(term) if subject_id is None else lookup.find_by_subject_id(subject_id)


def _parse_uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None
