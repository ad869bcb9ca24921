"""The events of this package."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class RbacEvent(EventName):
    """Changes of roles and of their assignments.

    *holder_kind* and *holder*, a public id, name the holder. Only a person is also the subject.
    """

    ASSIGNMENT_GRANTED = (
        "rbac.assignment.granted",
        "A role was assigned to a person, a group or a service.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("role", "scope", "holder_kind", "holder"),
    )
    ASSIGNMENT_REVOKED = (
        "rbac.assignment.revoked",
        "A role was revoked from a person, a group or a service.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("role", "scope", "holder_kind", "holder"),
    )
    OBJECT_PERMITTED = (
        "rbac.object.permitted",
        "A permission for one object was given to a person or a group.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("permission", "holder_kind", "holder"),
    )
    OBJECT_WITHDRAWN = (
        "rbac.object.withdrawn",
        "A permission for one object was taken away.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("permission", "holder_kind", "holder"),
    )
    ROLE_CREATED = "rbac.role.created", "A role was created.", Severity.NOTICE, Retention.ACCOUNTABILITY, ("role",)
    ROLE_CHANGED = (
        "rbac.role.changed",
        "A role was changed.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("role",),
    )
    ROLE_DELETED = "rbac.role.deleted", "A role was deleted.", Severity.WARNING, Retention.ACCOUNTABILITY, ("role",)
