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
        ("role", "scope"),
    )
    ASSIGNMENT_REVOKED = (
        "rbac.assignment.revoked",
        "A role was taken away from a person.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("role", "scope"),
    )
    GROUP_GRANTED = (
        "rbac.group.granted",
        "Everybody in a group was given a role.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("role", "scope", "group"),
    )
    GROUP_REVOKED = (
        "rbac.group.revoked",
        "A role was taken away from everybody in a group.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("role", "scope", "group"),
    )
    OBJECT_PERMITTED = (
        "rbac.object.permitted",
        "A person or a group was given a permission for one object.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("permission", "group"),
    )
    OBJECT_WITHDRAWN = (
        "rbac.object.withdrawn",
        "A permission for one object was taken away.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("permission", "group"),
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
