"""The events of this app."""

from auth_core.events import EventName, Retention, Severity, register_events


@register_events
class OAuthEvent(EventName):
    """What applications asked for, and what they got."""

    AUTHORIZATION_GRANTED = (
        "oauth.authorization.granted",
        "A person authorized an application, and a code was issued.",
        Severity.INFO,
        Retention.SECURITY,
        ("scope", "resources", "acr", "offline"),
    )
    AUTHORIZATION_ENDED = (
        "oauth.authorization.ended",
        "An authorization ended, with everything that it issued.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("authorization",),
    )
    CODE_EXCHANGED = (
        "oauth.code.exchanged",
        "An application exchanged a code for tokens.",
        Severity.INFO,
        Retention.SECURITY,
        ("authorization", "scope"),
    )
    CODE_REPLAYED = (
        "oauth.code.replayed",
        "A spent code was presented again, and the authorization ended.",
        Severity.ALERT,
        Retention.SECURITY,
        ("authorization",),
    )
    TOKEN_REFRESHED = (
        "oauth.token.refreshed",
        "An application got new tokens for a refresh token.",
        Severity.INFO,
        Retention.SECURITY,
        ("authorization", "scope"),
    )
    TOKEN_REPLAYED = (
        "oauth.token.replayed",
        "A used refresh token was presented again, and the authorization ended.",
        Severity.ALERT,
        Retention.SECURITY,
        ("authorization",),
    )
    TOKENS_ISSUED = (
        "oauth.tokens.issued",
        "An application got tokens for itself. One entry counts those of an hour in one process.",
        Severity.INFO,
        Retention.SECURITY,
        ("count",),
    )
    TOKEN_REVOKED = (
        "oauth.token.revoked",
        "An application revoked a token.",
        Severity.INFO,
        Retention.SECURITY,
        ("authorization",),
    )
    REQUEST_REFUSED = (
        "oauth.request.refused",
        "An application was refused at an OAuth endpoint.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("endpoint", "grant"),
    )
    CLIENT_FAILED = (
        "oauth.client.failed",
        "An application failed to authenticate.",
        Severity.WARNING,
        Retention.SECURITY,
        ("method",),
    )
    KEY_ADDED = (
        "oauth.key.added",
        "A signing key was published.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("algorithm",),
    )
