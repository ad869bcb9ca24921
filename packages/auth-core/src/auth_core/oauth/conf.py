"""The settings of this app: ``AUTH_OAUTH = {...}``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from django.conf import settings

from auth_core.conf import core
from auth_core.options import Option, PackageSettings

#: Which clients may describe themselves by a document at their id.
NO_DOCUMENTS, LISTED_DOCUMENTS, ALL_DOCUMENTS = "none", "listed", "all"

#: The profile that meets the FAPI 2.0 Security Profile, of the site or of one application.
HIGH = "high"


class OAuthSettings(PackageSettings):
    """The keys of ``AUTH_OAUTH``. Every key has a safe default."""

    setting = "AUTH_OAUTH"

    ISSUER = Option(
        "",
        doc="The issuer in tokens and metadata. Empty: `AUTH_CORE['PUBLIC_URL']`. Every client stores it, so keep it.",
    )
    REQUEST_LIFETIME = Option(
        timedelta(minutes=10), doc="How long a person may take to answer an authorization request."
    )
    CODE_LIFETIME = Option(timedelta(seconds=60), doc="Lifetime of an authorization code (ASVS 10.4.3).")
    ACCESS_TOKEN_LIFETIME = Option(
        timedelta(minutes=10), doc="Lifetime of an access token. An application may have less."
    )
    ID_TOKEN_LIFETIME = Option(timedelta(minutes=10), doc="Lifetime of an ID token.")
    REFRESH_TOKEN_LIFETIME = Option(
        timedelta(days=30),
        doc="Absolute lifetime of an authorization with refresh tokens (ASVS 10.4.8). No use prolongs it.",
    )
    REFRESH_TOKEN_IDLE_LIFETIME = Option(
        timedelta(days=14), doc="How long a refresh token that rotates may go unused (RFC 9700 section 4.14)."
    )
    BROWSER_AUTHORIZATION_LIFETIME = Option(
        timedelta(hours=24),
        doc="Absolute lifetime of an authorization of a public application with scripts in browsers, those with an allowed"
        " origin (RFC 10017). It is never longer than `REFRESH_TOKEN_LIFETIME`.",
    )
    DEVICE_GRANT = Option(
        False,
        doc="Whether applications with this grant may sign people in on devices without a browser (RFC 8628). Someone else can"
        " make a person approve a device that is not theirs, so it is off unless you need it. Never under the profile `high`.",
    )
    DEVICE_CODE_LIFETIME = Option(
        timedelta(minutes=10), doc="How long a device waits for the person, from the display of its code to its tokens."
    )
    DEVICE_INTERVAL = Option(
        timedelta(seconds=5),
        doc="How long a device waits between two polls. It grows by 5 seconds for one that does not.",
    )
    JWKS_LIFETIME = Option(
        timedelta(hours=1),
        doc="How long clients may cache the key set. A new key is published for this long, and once more, before it signs.",
    )
    KEY_LIFETIME = Option(timedelta(days=90), doc="How long a key signs before the sweep replaces it.")
    SIGNING_KEYS = Option(
        "",
        doc="Private keys in PEM, one after the other, instead of those in the database. The first of each type signs:"
        " EC on P-256, RSA, Ed25519. The others only verify.",
    )
    SIGNING_ALGORITHMS = Option[Sequence[str]](
        ("ES256", "RS256", "PS256", "EdDSA"),
        doc="Algorithms for which the database has keys. ES256 signs access tokens and RS256 is the default of ID tokens.",
    )
    SCOPES = Option[Mapping[str, str]](
        {}, doc="Scopes of the site, with the sentence that people read before they consent."
    )
    CLAIMS = Option[Mapping[str, str]](
        {}, doc="Further claims, each with the dotted path of a function from a user to its value. `None` is left out."
    )
    AUTHORIZATION_DETAILS_TYPES = Option[Mapping[str, str]](
        {},
        doc="Types of authorization details (RFC 9396) with the common fields, each with the sentence that people read before"
        " they consent. The values of the fields follow it.",
    )
    PROFILE = Option(
        "default",
        doc="`default`, or `high` for the FAPI 2.0 Security Profile: pushed requests, DPoP and `private_key_jwt` for every"
        " application, no shared secrets and no public applications. An application may have `high` alone.",
    )
    CLIENT_DOCUMENTS = Option(
        "none",
        doc="Which clients may use an https address as their id, with a document about themselves there (Client ID Metadata"
        " Documents): `none`, `listed` for those at `CLIENT_DOCUMENT_HOSTS`, or `all`.",
    )
    CLIENT_DOCUMENT_HOSTS = Option[Sequence[str]](
        (), doc="Hosts of such clients, if `CLIENT_DOCUMENTS` is `listed`. `.example.org` means its subdomains as well."
    )
    CLIENT_DOCUMENT_SCOPES = Option[Sequence[str]](
        (), doc="Scopes that such clients may ask for, besides those of OpenID Connect."
    )
    CLIENT_DOCUMENT_LIFETIME = Option(
        timedelta(hours=1),
        doc="How long a document is used at most. Its `Cache-Control` may shorten it, to five minutes at least.",
    )
    CLIENT_DOCUMENT_IDLE_LIFETIME = Option(
        timedelta(days=30), doc="How long such a client is kept that no one uses and to which no one gives access."
    )
    DYNAMIC_REGISTRATION = Option(
        False,
        doc="Whether applications may register themselves, each with an initial access token that an administrator issued"
        " (RFC 7591), and change and remove their registration (RFC 7592).",
    )
    PUSHED_REQUEST_LIFETIME = Option(
        timedelta(minutes=5), doc="How long a pushed request may wait for the person. Less than 10 minutes (RFC 9126)."
    )
    DPOP_NONCE_REQUIRED = Option(
        True, doc="Whether a DPoP proof needs a nonce of this service. Without it the clock of the client is trusted."
    )
    DPOP_NONCE_LIFETIME = Option(timedelta(minutes=5), doc="How long a client may use a nonce.")
    DPOP_PROOF_LIFETIME = Option(timedelta(minutes=1), doc="How old a DPoP proof may be. Its id is kept for as long.")
    MAX_BODY_BYTES = Option(65_536, unit="bytes", doc="Maximum size of a body at the OAuth endpoints.")

    @property
    def issuer(self) -> str:
        """The issuer, without a slash at the end."""
        return (self.ISSUER or core.PUBLIC_URL).rstrip("/")

    @property
    def has_device_grant(self) -> bool:
        """Whether this service has the device grant."""
        return self.DEVICE_GRANT and not self.is_high

    @property
    def is_high(self) -> bool:
        """Whether every application has the profile `high`."""
        return self.PROFILE == HIGH

    @property
    def accepts_documents(self) -> bool:
        """Whether some client may describe itself. Under `high` a request is pushed, and an unknown client can push none."""
        return self.CLIENT_DOCUMENTS != NO_DOCUMENTS and not self.is_high


oauth = OAuthSettings()


def application_model() -> str:
    """Return the model of applications, which a site may swap."""
    name: str = getattr(settings, "OAUTH2_PROVIDER_APPLICATION_MODEL", "oauth2_provider.Application")
    return name
