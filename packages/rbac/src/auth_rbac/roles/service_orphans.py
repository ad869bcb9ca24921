"""Finds and revokes the assignments to services that do not exist any more. They have no effect."""

from collections.abc import Iterator

from auth_rbac.holders.descriptions import describe_services, has_services
from auth_rbac.models import Assignment
from auth_rbac.roles.assignments import revoke_role

#: How many assignments are checked at once.
_PAGE_SIZE = 1000


def find() -> Iterator[Assignment]:
    """Yield every assignment to a service that does not exist.

    Without an app that registers services there is none: the app may come back, and its services with it.
    """
    rows = Assignment.objects.filter(service_id__isnull=False).select_related("role", "scope_type").order_by("pk")
    page = list(rows[:_PAGE_SIZE]) if has_services() else []
    while page:
        existing = describe_services({row.service_id for row in page if row.service_id is not None})
        yield from (row for row in page if row.service_id not in existing)
        page = list(rows.filter(pk__gt=page[-1].pk)[:_PAGE_SIZE])


def revoke() -> int:
    """Revoke the orphans, each with its event, and return their number."""
    return sum(revoke_role(assignment=assignment) for assignment in find())


def count_unregistered() -> int:
    """Return the number of assignments to services, if no app registers services."""
    return 0 if has_services() else Assignment.objects.filter(service_id__isnull=False).count()
