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
