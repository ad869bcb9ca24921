"""What this package records besides the events that others act on (`auth_core.events.AuthEvent`)."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class SessionEvent(EventName):
    """What happens to devices and allowances, and to logins that somebody says were not theirs."""

    SESSION_ROTATED = "session.session.rotated", "A session went on under another credential: a privilege had risen."
    DEVICE_ADDED = (
        "session.device.added",
        "A login was completed in a browser or app that was not known.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("kind",),
    )
    DEVICE_RENAMED = "session.device.renamed", "A device got another name."
    DEVICE_FORGOTTEN = (
        "session.device.forgotten",
        "A device is not known any more; its sessions end.",
        Severity.NOTICE,
    )
    DEVICE_BLOCKED = (
        "session.device.blocked",
        "Nobody may sign in with a device any more; its sessions end.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
    )
    DEVICE_UNBLOCKED = (
        "session.device.unblocked",
        "A device may be signed in with again.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    ALLOWANCE_CHANGED = (
        "session.allowance.changed",
        "It was decided how many sessions a person may have.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    ALLOWANCE_REMOVED = (
        "session.allowance.removed",
        "A person may have as many sessions as everybody again.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    LOGIN_DISOWNED = (
        "session.login.disowned",
        "A person said that a login was not theirs: all sessions end, the account is locked until its password is"
        " reset.",
        Severity.ALERT,
        Retention.ACCOUNTABILITY,
    )
