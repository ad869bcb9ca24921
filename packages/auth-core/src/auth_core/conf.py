"""The settings of this package: ``AUTH_CORE = {...}``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings

from auth_core.options import Option, PackageSettings

#: A budget: the number of guesses in a period.
Budget = tuple[int, timedelta]


class CoreSettings(PackageSettings):
    """The keys of ``AUTH_CORE``. Every key has a safe default."""

    setting = "AUTH_CORE"

    LOGIN_STEPS = Option[Sequence[str]]((), doc="Dotted paths of the `LoginStep`s, in order.")
    GRANT_ISSUER = Option(
        "auth_core.login.django_session.OpenDjangoSession",
        doc="Dotted path of the `GrantIssuer`, which opens the session.",
    )
    RISK_ASSESSOR = Option("auth_core.assurance.levels.NoRisk", doc="Dotted path of the `RiskAssessor`.")
    AUTHENTICATION_CLASSES = Option[Sequence[str]](
        ("auth_core.api.authentication.CookieAuthentication",),
        doc="Dotted paths of the API authenticators. Those that read a header come first, the cookie last.",
    )
    LOGIN_COOKIE = Option("__Host-login", doc="Name of the cookie that binds a pending login to its browser.")
    DEVICE_COOKIE = Option(
        "__Host-device", doc="Name of the cookie that identifies a browser, if a package recognises devices."
    )
    LINK_COOKIE = Option("__Host-link", doc="Name of the cookie that keeps a mailed link out of the address bar.")
    PENDING_LOGIN_LIFETIME = Option(timedelta(minutes=10), doc="Lifetime of an unfinished login.")
    PENDING_LOGIN_ATTEMPTS = Option(5, unit="answers", doc="Answers that one pending login accepts.")
    BUDGETS = Option[Mapping[str, Mapping[str, Budget]]](
        {
            "login": {
                "identifier": (10, timedelta(minutes=15)),
                "network": (100, timedelta(minutes=15)),
                "wide_network": (300, timedelta(minutes=15)),
                "device": (10, timedelta(minutes=15)),
                "identifier_total": (300, timedelta(hours=1)),
                "device_total": (300, timedelta(hours=1)),
                "network_total": (5000, timedelta(hours=1)),
                "wide_network_total": (15_000, timedelta(hours=1)),
            },
            "begun": {"person": (300, timedelta(hours=1))},
            "change": {"person": (1000, timedelta(hours=1))},
            "choice": {"person": (100, timedelta(hours=1))},
            "answer": {"person": (10, timedelta(minutes=15)), "device": (10, timedelta(minutes=15))},
            "password": {
                "person": (10, timedelta(minutes=15)),
                "person_total": (100, timedelta(hours=1)),
            },
            "confirm": {
                "identifier": (10, timedelta(minutes=15)),
                "network": (100, timedelta(minutes=15)),
                "wide_network": (300, timedelta(minutes=15)),
            },
            "mail": {
                "identifier": (20, timedelta(hours=1)),
                "identifier_network": (5, timedelta(hours=1)),
                "network": (50, timedelta(hours=1)),
                "wide_network": (150, timedelta(hours=1)),
                "device": (5, timedelta(hours=1)),
                "network_total": (100, timedelta(hours=1)),
            },
            "code": {
                "destination": (20, timedelta(hours=1)),
                "destination_network": (5, timedelta(hours=1)),
                "network": (50, timedelta(hours=1)),
                "wide_network": (150, timedelta(hours=1)),
            },
            "sms": {
                "number": (10, timedelta(hours=1)),
                "number_network": (5, timedelta(hours=1)),
                "prefix": (200, timedelta(hours=1)),
                "network": (20, timedelta(hours=1)),
                "wide_network": (60, timedelta(hours=1)),
                "everybody": (5000, timedelta(days=1)),
            },
            "authorize": {
                "network": (1000, timedelta(minutes=15)),
                "wide_network": (3000, timedelta(minutes=15)),
            },
            "passkey": {
                "network": (1000, timedelta(minutes=15)),
                "wide_network": (3000, timedelta(minutes=15)),
            },
            "user_code": {
                "person": (10, timedelta(minutes=15)),
                "session": (10, timedelta(minutes=15)),
                "network": (50, timedelta(minutes=15)),
                "wide_network": (150, timedelta(minutes=15)),
            },
            "provider": {
                "network": (300, timedelta(minutes=15)),
                "wide_network": (900, timedelta(minutes=15)),
            },
            "client": {
                "network": (100, timedelta(minutes=15)),
                "wide_network": (300, timedelta(minutes=15)),
            },
            "client_document": {
                "person": (30, timedelta(minutes=15)),
                "network": (100, timedelta(minutes=15)),
                "wide_network": (300, timedelta(minutes=15)),
            },
            "refusal": {
                "person": (30, timedelta(minutes=15)),
                "network": (300, timedelta(minutes=15)),
                "wide_network": (900, timedelta(minutes=15)),
            },
        },
        doc="Limits on guesses: use, then counted value, then number of guesses and period. A use that is left out"
        " keeps its default. Names that begin with 'device' apply instead of the others in a browser that the person"
        " has used before. Names that end in '_total' also count right guesses (raise them for a load test). Names"
        " that end in '_network' count per network.",
    )
    PUBLIC_URL = Option("", doc="Address of the site, such as https://auth.example.org. Links begin with it.")
    LINK_PATHS = Option[Mapping[str, str]](
        {}, doc="Targets of mailed links, by kind, with `{token}`. Kinds that are left out lead to the built-in pages."
    )
    SITE_NAME = Option("", doc="Name of the site in mails and on pages. Empty: the host of `PUBLIC_URL`.")
    TRUST_EXISTING_EMAILS = Option(
        False,
        doc="Whether the site has verified every address in the email field of its user model. They then count as"
        " verified, except those that several accounts share.",
    )
    SIGNUP = Option("open", doc="Who may sign up: 'open', 'domain', 'invitation' or 'closed'.")
    SIGNUP_DOMAINS = Option[Sequence[str]]((), doc="Domains whose addresses may sign up if `SIGNUP` is 'domain'.")
    SIGNUP_LIFETIME = Option(timedelta(hours=24), doc="Time to confirm an email address.")
    SIGNUP_CODE_ATTEMPTS = Option(5, unit="codes", doc="Codes that one sign-up accepts.")
    RESET_LIFETIME = Option(timedelta(hours=1), doc="Lifetime of a password reset link.")
    INVITATION_LIFETIME = Option(timedelta(days=7), doc="Lifetime of an invitation.")
    BOOTSTRAP_LIFETIME = Option(timedelta(minutes=15), doc="Lifetime of the link that creates the first administrator.")
    SMS_BACKEND = Option(
        "", doc="Backend for text messages: 'console', 'memory', 'http', 'twilio' or a dotted path. Empty: none."
    )
    SMS_HTTP_URL = Option(
        "", doc="Address to which 'http' posts each text as JSON. Put secrets in the token, not here."
    )
    SMS_HTTP_TOKEN = Option("", doc="Bearer token that 'http' sends.")
    TWILIO_ACCOUNT_SID = Option("", doc="Account SID for 'twilio': AC and 32 hexadecimal digits.")
    TWILIO_AUTH_TOKEN = Option("", doc="Auth token of that account.")
    TWILIO_FROM = Option("", doc="Sender number for 'twilio', or the SID of a messaging service.")
    NOTICES = Option(True, doc="Whether people get security notices by email (ASVS 6.3.7).")
    PASSWORD_TIME_COST = Option(2, unit="passes", doc="argon2id t (OWASP: t=2 with 19 MiB).")
    PASSWORD_MEMORY_COST = Option(19 * 1024, unit="KiB", doc="argon2id m.")
    PASSWORD_PARALLELISM = Option(1, unit="lanes", doc="argon2id p.")
    MAX_PARALLEL_HASHES = Option[int | None](
        None,
        unit="hashes",
        doc="Passwords that one process hashes at the same time. Others wait, see `HASH_QUEUE`. At most the number of"
        " threads minus 1. None: no limit.",
    )
    HASH_QUEUE = Option(
        32,
        unit="requests",
        doc="Requests of one process that may wait for a hash, each in its thread. The next one is refused with 503."
        " Keep `MAX_PARALLEL_HASHES` + `HASH_QUEUE` below the number of threads: the others always serve the requests"
        " that hash nothing.",
    )
    HASH_WAIT = Option(
        timedelta(seconds=5),
        doc="How long a request waits for a hash at most. Then it is refused with 503. Zero: no request waits.",
    )
    HASH_NICENESS = Option(
        0,
        unit="steps",
        doc="How much lower the priority of a hash is than that of other work, from 0 to 19, on Linux and if"
        " `MAX_PARALLEL_HASHES` is set. Signed-in people then wait less while many others log in. 0: a request hashes in"
        " its own thread.",
    )
    PASSWORD_MIN_LENGTH = Option(
        15,
        unit="code points",
        doc="Minimum length of new passwords: 15 if it is the only factor, never below 8 (NIST).",
    )
    PASSWORD_CONTEXT_WORDS = Option[Sequence[str]](
        (), doc="Words that no password may be based on: product, company, host (ASVS 6.2.11)."
    )
    FIELD_KEYS = Option[Mapping[str, str]](
        {}, doc="Key id to base64url of 32 random bytes. The first key encrypts, the others only decrypt."
    )
    TRUSTED_PROXIES = Option[Sequence[str]](
        (), doc="Networks (CIDR) of your reverse proxies. 'unix' for a proxy on a Unix socket."
    )
    PROXY_HEADER = Option(
        "X-Forwarded-For",
        doc="The header in which those proxies pass the client address: a list of addresses, with or without ports."
        " 'Forwarded' is read as RFC 7239 describes.",
    )
    OUTBOUND_TIMEOUT = Option(timedelta(seconds=5), doc="Total time limit of one request to another service.")
    OUTBOUND_MAX_BYTES = Option(65_536, unit="bytes", doc="Maximum size of a response from another service.")
    OUTBOUND_ALLOWED_NETWORKS = Option[Sequence[str]](
        (), doc="Private networks (CIDR) that requests to other services may reach."
    )
    OUTBOUND_CA_FILE = Option(
        "",
        doc="File with the certificates, in PEM, that vouch for other services, for a network with a certificate authority"
        " of its own. Empty: those that every browser knows.",
    )
    REDIS_URL = Option("", doc="Address of the shared cache. Empty: no cache, all data comes from the database.")
    REDIS_PREFIX = Option("auth", doc="Prefix of every cache key, so that several sites can share one Redis.")
    REDIS_TIMEOUT = Option(
        timedelta(milliseconds=100), doc="Time limit of one command. After it, the database is used."
    )
    OUTBOX_RELAY = Option("thread", doc="What delivers the outbox: 'thread', 'celery' or 'manual'.")
    MAX_BODY_BYTES = Option(65_536, unit="bytes", doc="Maximum size of a JSON body.")
    ADMINISTRATION = Option[Mapping[str, Any]](
        {},
        doc="Proof required of administrators besides permissions: `assurance` ('aal2'), and the maximum age of the"
        " proof for `read`, `change` and `critical` actions. Empty: none.",
    )
    READINESS = Option[Sequence[str]](
        (
            "auth_core.observability.health.database",
            "auth_core.observability.health.migrations",
            "auth_core.observability.health.keys",
            "auth_core.observability.health.cache",
        ),
        doc="Dotted paths of the probes of /ready/.",
    )

    @property
    def budgets(self) -> Mapping[str, Mapping[str, Budget]]:
        """The budgets of every use. A site that changes one keeps the others."""
        return {**type(self).BUDGETS.default, **self.BUDGETS}


core = CoreSettings()


def session_engine() -> str:
    """Return the host's ``SESSION_ENGINE``."""
    engine: str = settings.SESSION_ENGINE
    return engine


def secret_keys() -> Sequence[str]:
    """Return the site's ``SECRET_KEY`` and the former keys that still verify."""
    return [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]


def site_policy() -> Mapping[str, Sequence[str]]:
    """Return the Content-Security-Policy that the host has set for Django 6. Empty: none."""
    policy: Mapping[str, Sequence[str]] = getattr(settings, "SECURE_CSP", {})
    return policy


def site_middleware() -> Sequence[str]:
    """Return the host's ``MIDDLEWARE``."""
    names: Sequence[str] = settings.MIDDLEWARE
    return names
