"""The events of this package. Events that other packages act on are in `auth_core.events.AuthEvent`."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class MfaEvent(EventName):
    """Events of second factors."""

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
        "A second factor was disabled after too many failures in a row.",
        Severity.ALERT,
        Retention.ACCOUNTABILITY,
        ("method",),
    )
    FACTOR_RENAMED = "mfa.factor.renamed", "A second factor was renamed."
    ENROLMENT_STARTED = "mfa.enrolment.started", "The enrolment of a second factor was started."
    FACTORS_RESET = (
        "mfa.factors.reset",
        "An administrator reset all second factors of a user.",
        Severity.ALERT,
        Retention.ACCOUNTABILITY,
    )
    CODE_SENT = "mfa.code.sent", "A code was sent.", Severity.INFO, Retention.SECURITY, ("method",)
    CODE_WITHHELD = (
        "mfa.code.withheld",
        "A code was not sent because of a limit or a refused number.",
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
        "A phone prefix was closed for text messages because hardly any codes were used.",
        Severity.ALERT,
        Retention.SECURITY,
        ("prefix", "sent", "used"),
    )
    SMS_PREFIX_OPENED = (
        "mfa.sms_prefix.opened",
        "An administrator reopened a phone prefix for text messages.",
        Severity.WARNING,
        Retention.SECURITY,
        ("prefix",),
    )
    FACTOR_CLONED = (
        "mfa.factor.regressed",
        "The signature counter of a key went backwards, so the key may have been copied.",
        Severity.ALERT,
        Retention.ACCOUNTABILITY,
        ("method",),
    )
