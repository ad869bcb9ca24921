"""What this package records."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class RbacEvent(EventName):
    """What happens to roles, and to who holds them."""

    ASSIGNMENT_GRANTED = (
        "rbac.assignment.granted",
        "A person was given a role.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("role",),
    )
    ASSIGNMENT_REVOKED = (
        "rbac.assignment.revoked",
        "A role was taken away from a person.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("role",),
    )
    ROLE_CREATED = "rbac.role.created", "A role was made.", Severity.NOTICE, Retention.ACCOUNTABILITY, ("role",)
    ROLE_CHANGED = (
        "rbac.role.changed",
        "What a role may do was changed.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("role",),
    )
    ROLE_DELETED = "rbac.role.deleted", "A role was deleted.", Severity.WARNING, Retention.ACCOUNTABILITY, ("role",)
