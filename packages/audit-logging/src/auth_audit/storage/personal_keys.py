"""Dropping the keys of personal values, after which no one can read or search them."""

from uuid import UUID

from django.db import router

from auth_audit.models import AuditEntry, PersonalKey
from auth_audit.storage import guards


def drop_personal_keys(*, person: UUID, alias: str = "") -> int:
    """Drop the keys of all personal values of one person, in one transaction. Return their number.

    The entries stay as they are, and so do their MACs, leaves and proofs. Copies of the keys remain in older backups of
    the database.

    Args:
        person: Their public id.
        alias: The database. Empty means the one that entries are written to.
    """
    alias = alias or router.db_for_write(AuditEntry)
    with guards.dropping_keys(alias):
        dropped, _by_model = PersonalKey.objects.using(alias).filter(person_id=person).delete()
    return dropped
