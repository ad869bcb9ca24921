"""What this package records besides the events that others act on (`auth_core.events.AuthEvent`)."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class MfaEvent(EventName):
    """What happens to second factors in use."""

    FACTOR_USED = "mfa.factor.used", "A second factor was proved.", Severity.INFO, Retention.SECURITY, ("method",)
    FACTOR_FAILED = (
        "mfa.factor.failed",
        "A second factor was not proved.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("method",),
    )
    FACTOR_DISABLED = (
        "mfa.factor.disabled",
        "A second factor failed so often in a row that it answers no more.",
        Severity.ALERT,
        Retention.ACCOUNTABILITY,
        ("method",),
    )
    FACTOR_RENAMED = "mfa.factor.renamed", "A second factor got another name."
    ENROLMENT_STARTED = "mfa.enrolment.started", "A second factor was begun, and is not confirmed yet."
    FACTORS_RESET = (
        "mfa.factors.reset",
        "An administrator took all second factors of a person away.",
        Severity.ALERT,
        Retention.ACCOUNTABILITY,
    )
    CODE_SENT = "mfa.code.sent", "A code was sent.", Severity.INFO, Retention.SECURITY, ("method",)
    CODE_WITHHELD = (
        "mfa.code.withheld",
        "A code was not sent: too many went there, or nowhere like it.",
        Severity.WARNING,
        Retention.SECURITY,
        ("method",),
    )
    RECOVERY_CODE_USED = (
        "mfa.recovery_code.used",
        "A recovery code was used.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
        ("left",),
    )
    SMS_PREFIX_CLOSED = (
        "mfa.sms_prefix.closed",
        "Texts to numbers that begin alike are hardly ever used; none go there for a while.",
        Severity.ALERT,
        Retention.SECURITY,
        ("prefix", "sent", "used"),
    )
    SMS_PREFIX_OPENED = (
        "mfa.sms_prefix.opened",
        "An administrator lets texts go again to numbers that begin alike.",
        Severity.WARNING,
        Retention.SECURITY,
        ("prefix",),
    )
    FACTOR_CLONED = (
        "mfa.factor.regressed",
        "The counter of a key fell: somebody may have a copy of it.",
        Severity.ALERT,
        Retention.ACCOUNTABILITY,
        ("method",),
    )
