"""Events of this package: exports, changes in Django's admin, and accounts that a site changes in its own ways."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class AuditEvent(EventName):
    """Events that this package records."""

    EXPORT_CREATED = (
        "audit.export.created",
        "Audit entries were exported.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("format",),
        # The filters may hold the id and the address of a person.
        ("filters",),
    )
    ACCOUNT_CREATED = (
        "audit.account.created",
        "The site created an account in its own way, such as `createsuperuser`.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    ACCOUNT_DELETED = (
        "audit.account.deleted",
        "The site deleted an account in its own way.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
    )
    PASSWORD_SET = (
        "audit.password.set",
        "The site set a password in its own way, such as `changepassword`.",
        Severity.NOTICE,
    )
    RIGHTS_CHANGED = (
        "audit.rights.changed",
        "The site changed flags, groups or permissions in its own way.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
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
