"""The events of this app."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class FederationEvent(EventName):
    """What happened at providers, and to connections."""

    LOGIN_REFUSED = (
        "federation.login.refused",
        "A sign-in at a provider was refused.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("provider",),
    )
    PROVIDER_FAILED = (
        "federation.provider.failed",
        "A provider did not answer, or its answer could not be used.",
        Severity.WARNING,
        Retention.SECURITY,
        ("provider",),
    )
    CONNECTION_ADDED = (
        "federation.connection.added",
        "An account of a provider was connected. It can sign in.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("provider",),
    )
    CONNECTION_REMOVED = (
        "federation.connection.removed",
        "An account of a provider was disconnected.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("provider",),
    )
    CONNECTION_DISABLED = (
        "federation.connection.disabled",
        "An administrator disabled a connection. It signs no one in.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("provider",),
    )
    CONNECTION_ENABLED = (
        "federation.connection.enabled",
        "An administrator enabled a connection again.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("provider",),
    )
