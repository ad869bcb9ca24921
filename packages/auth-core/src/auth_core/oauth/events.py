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
    AUTHORIZATION_DENIED = (
        "oauth.authorization.denied",
        "A person refused what an application asked for.",
        Severity.INFO,
        Retention.SECURITY,
        ("scope", "resources"),
    )
    CONSENT_GIVEN = (
        "oauth.consent.given",
        "A person agreed to what an application asked for. It is remembered.",
        Severity.INFO,
        Retention.SECURITY,
        ("scope", "resources"),
    )
    ACCESS_REVOKED = (
        "oauth.access.revoked",
        "A person took back all that they had given to an application.",
        Severity.NOTICE,
        Retention.SECURITY,
    )
    APPLICATION_ADDED = (
        "oauth.application.added",
        "An application was registered.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    APPLICATION_CHANGED = (
        "oauth.application.changed",
        "An application or its policy was changed. If it was disabled, what people had given it ended.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("ended",),
    )
    APPLICATION_REMOVED = (
        "oauth.application.removed",
        "An application was removed, and all that people had given it ended.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
        ("ended",),
    )
    SECRET_REPLACED = (
        "oauth.secret.replaced",
        "An application got a new secret.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
    )
    SECRET_ENDED = (
        "oauth.secret.ended",
        "The secret of an application before the last replacement was ended early.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    RESOURCE_ADDED = (
        "oauth.resource.added",
        "A resource was registered.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    RESOURCE_CHANGED = (
        "oauth.resource.changed",
        "A resource was changed.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    RESOURCE_REMOVED = (
        "oauth.resource.removed",
        "A resource was removed. No token for it is issued any more.",
        Severity.WARNING,
        Retention.ACCOUNTABILITY,
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
    DOCUMENT_REFUSED = (
        "oauth.document.refused",
        "The document of a client that describes itself could not be used.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("host",),
    )
    KEY_ADDED = (
        "oauth.key.added",
        "A signing key was published.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("algorithm",),
    )
