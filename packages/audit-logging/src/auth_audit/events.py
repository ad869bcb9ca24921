"""What this package records of its own doings, and of Django's admin."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class AuditEvent(EventName):
    """Whoever takes the trail away leaves a trace in it."""

    EXPORT_CREATED = (
        "audit.export.created",
        "Entries of the trail were exported.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("format", "filters"),
    )
    OBJECT_ADDED = (
        "audit.object.added",
        "Something was added in the admin site.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    OBJECT_CHANGED = (
        "audit.object.changed",
        "Something was changed in the admin site.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    OBJECT_DELETED = (
        "audit.object.deleted",
        "Something was deleted in the admin site.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
    )
