"""Events of this package: exports, and changes in Django's admin."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class AuditEvent(EventName):
    """Events that this package records."""

    EXPORT_CREATED = (
        "audit.export.created",
        "Audit entries were exported.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("format", "filters"),
    )
    OBJECT_ADDED = (
        "audit.object.added",
        "An object was added in the admin site.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    OBJECT_CHANGED = (
        "audit.object.changed",
        "An object was changed in the admin site.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    OBJECT_DELETED = (
        "audit.object.deleted",
        "An object was deleted in the admin site.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
    )
