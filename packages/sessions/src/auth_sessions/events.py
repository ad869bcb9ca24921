"""The events of this package besides those that other packages act on (`auth_core.events.AuthEvent`)."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class SessionEvent(EventName):
    """Events about sessions, devices, allowances and revoked logins."""

    SESSION_ROTATED = "session.session.rotated", "A session got a new credential after its user gained a privilege."
    DEVICE_ADDED = (
        "session.device.added",
        "A login was completed in a new browser or app.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("kind",),
    )
    DEVICE_RENAMED = "session.device.renamed", "A device was renamed."
    DEVICE_FORGOTTEN = (
        "session.device.forgotten",
        "A device was forgotten and its sessions were ended.",
        Severity.NOTICE,
    )
    DEVICE_BLOCKED = (
        "session.device.blocked",
        "A device was blocked and its sessions were ended.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
    )
    DEVICE_UNBLOCKED = (
        "session.device.unblocked",
        "A device was unblocked.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    ALLOWANCE_CHANGED = (
        "session.allowance.changed",
        "The session limit of a user was changed.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    ALLOWANCE_REMOVED = (
        "session.allowance.removed",
        "The session limit of a user was removed. The general limits apply.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    LOGIN_REPORTED = (
        "session.login.reported",
        "A user reported a login as not theirs. All sessions were ended, and the account is locked until its password"
        " is reset.",
        Severity.ALERT,
        Retention.ACCOUNTABILITY,
    )
