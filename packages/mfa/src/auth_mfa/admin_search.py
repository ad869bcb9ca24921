"""What people type into the search of the admin site, taken for what it is, so that an index serves it."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet, UUIDField

from auth_core.people import lookup

#: The longest address of a person.
_LONGEST = 320


def found_by(rows: "QuerySet[Any]", term: str) -> "QuerySet[Any]":
    """Return those of *rows* whose person *term* names: by public id, address or user name; or the row of that key."""
    term = term.strip()[:_LONGEST]
    person = person_named(term)
    if person is not None:
        return rows.filter(user=person)
    found = _uuid(term)
    has_such_keys = isinstance(rows.model._meta.pk, UUIDField)
    return rows.filter(pk=found) if found is not None and has_such_keys else rows.none()


def person_named(term: str) -> Any:
    """Return the person of a public id, or whoever signs in with *term*; ``None``: nobody."""
    found = _uuid(term)
    return lookup.find_by_identifier(term) if found is None else lookup.find_by_subject_id(found)


def _uuid(term: str) -> UUID | None:
    try:
        return UUID(term)
    except ValueError:
        return None
