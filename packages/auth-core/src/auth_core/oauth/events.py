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
        ("scope", "resources", "details", "acr", "offline"),
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
        ("scope", "resources", "details"),
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
    REGISTRATION_ADDED = (
        "oauth.registration.added",
        "An application registered itself with an initial access token.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
        ("initial_token",),
    )
    REGISTRATION_CHANGED = (
        "oauth.registration.changed",
        "An application changed its registration, and got a new registration access token.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    INITIAL_TOKEN_ISSUED = (
        "oauth.initial_token.issued",
        "A token was issued with which applications can register themselves.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
    )
    INITIAL_TOKEN_ENDED = (
        "oauth.initial_token.ended",
        "A token with which applications can register themselves was ended.",
        Severity.NOTICE,
        Retention.ACCOUNTABILITY,
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
    USER_CODE_ENTERED = (
        "oauth.user_code.entered",
        "A person entered the code that a device shows. Nothing was given yet.",
        Severity.INFO,
        Retention.SECURITY,
        ("device_agent",),
        ("device_ip",),
    )
    USER_CODE_FAILED = (
        "oauth.user_code.failed",
        "A person entered a code that no device waits for.",
        Severity.NOTICE,
        Retention.SECURITY,
    )
    DEVICE_CODE_EXCHANGED = (
        "oauth.device_code.exchanged",
        "An application on a device exchanged its device code for tokens.",
        Severity.INFO,
        Retention.SECURITY,
        ("authorization", "scope"),
    )
    DEVICE_CODE_REPLAYED = (
        "oauth.device_code.replayed",
        "A spent device code was presented again, and the authorization ended.",
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
    TOKEN_EXCHANGED = (
        "oauth.token.exchanged",
        "An application got a token with which it acts for a person, for one that it had received.",
        Severity.NOTICE,
        Retention.SECURITY,
        ("authorization", "given_to", "actor", "scope", "resources", "chain"),
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
