"""The settings of this package: ``AUTH_CORE = {...}``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings

from auth_core.options import Option, PackageSettings

#: A budget: so many guesses, in so long a time.
Budget = tuple[int, timedelta]


class CoreSettings(PackageSettings):
    """What a host may say in ``AUTH_CORE``; every key has a default that is safe."""

    setting = "AUTH_CORE"

    LOGIN_STEPS = Option[Sequence[str]]((), doc="Dotted paths of the `LoginStep`s, in the order in which they ask.")
    GRANT_ISSUER = Option(
        "auth_core.login.django_session.OpenDjangoSession",
        doc="Dotted path of the one `GrantIssuer`: what a login yields.",
    )
    RISK_ASSESSOR = Option("auth_core.assurance.levels.NoRisk", doc="Dotted path of the one `RiskAssessor`.")
    AUTHENTICATION_CLASSES = Option[Sequence[str]](
        ("auth_core.api.authentication.CookieAuthentication",),
        doc="Dotted paths of the authenticators of the API; those that read a header first, the cookie last.",
    )
    LOGIN_COOKIE = Option("__Host-login", doc="Name of the cookie that binds a pending login to its browser.")
    DEVICE_COOKIE = Option(
        "__Host-device", doc="Name of the cookie by which a browser is recognised, if a package does."
    )
    LINK_COOKIE = Option("__Host-link", doc="Name of the cookie that keeps a mailed link out of the address bar.")
    PENDING_LOGIN_LIFETIME = Option(timedelta(minutes=10), doc="How long a login may stay half done.")
    PENDING_LOGIN_ATTEMPTS = Option(5, unit="answers", doc="How often one pending login may be answered.")
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
            "passkey": {
                "network": (1000, timedelta(minutes=15)),
                "wide_network": (3000, timedelta(minutes=15)),
            },
            "refusal": {
                "person": (30, timedelta(minutes=15)),
                "network": (300, timedelta(minutes=15)),
                "wide_network": (900, timedelta(minutes=15)),
            },
        },
        doc="How often may be guessed: use, then what is counted, then guesses and time; a use left out keeps these."
        " What begins with 'device' counts in a browser that the person is known in, instead of all others; what ends in"
        " '_total' counts right guesses, too (raise it for a test of load); what ends in '_network' counts for each"
        " network that asks.",
    )
    PUBLIC_URL = Option("", doc="Where people reach the site, such as https://auth.example.org; links begin with it.")
    LINK_PATHS = Option[Mapping[str, str]](
        {}, doc="Where the links in mails lead, by kind, with `{token}`; what is left out leads to our own pages."
    )
    SITE_NAME = Option("", doc="What mails and pages call the site; empty: the host of `PUBLIC_URL`.")
    SIGNUP = Option("open", doc="Who may sign up: 'open', 'domain', 'invitation' or 'closed'.")
    SIGNUP_DOMAINS = Option[Sequence[str]]((), doc="Domains whose addresses may sign up where `SIGNUP` is 'domain'.")
    SIGNUP_LIFETIME = Option(timedelta(hours=24), doc="How long an address may take to be proven.")
    SIGNUP_CODE_ATTEMPTS = Option(5, unit="codes", doc="How many wrong codes one sign-up takes.")
    RESET_LIFETIME = Option(timedelta(hours=1), doc="How long a link that resets a password is good for.")
    INVITATION_LIFETIME = Option(timedelta(days=7), doc="How long an invitation is good for.")
    BOOTSTRAP_LIFETIME = Option(
        timedelta(minutes=15), doc="How long the link that makes the first administrator is good for."
    )
    SMS_BACKEND = Option(
        "", doc="What sends text messages: 'console', 'memory', 'http', 'twilio' or a dotted path; empty: nothing does."
    )
    SMS_HTTP_URL = Option("", doc="Where 'http' posts each text as JSON; it holds no secret, the token does.")
    SMS_HTTP_TOKEN = Option("", doc="Bearer token that 'http' sends with it.")
    TWILIO_ACCOUNT_SID = Option("", doc="Account of 'twilio': AC and 32 hexadecimal digits.")
    TWILIO_AUTH_TOKEN = Option("", doc="Token of that account.")
    TWILIO_FROM = Option("", doc="Number that 'twilio' sends from, or the SID of a messaging service.")
    NOTICES = Option(True, doc="Whether people are told by mail what happened to their account (ASVS 6.3.7).")
    PASSWORD_TIME_COST = Option(2, unit="passes", doc="argon2id t (OWASP: t=2 with 19 MiB).")
    PASSWORD_MEMORY_COST = Option(19 * 1024, unit="KiB", doc="argon2id m.")
    PASSWORD_PARALLELISM = Option(1, unit="lanes", doc="argon2id p.")
    MAX_PARALLEL_HASHES = Option[int | None](
        None,
        unit="hashes",
        doc="So many passwords are hashed at once in one process, and one more is refused with 503; no more than threads"
        " - 1. None: any number.",
    )
    HASH_WAIT = Option(
        timedelta(milliseconds=500),
        doc="How long one more waits for its turn; the thread that waits answers nobody else meanwhile.",
    )
    PASSWORD_MIN_LENGTH = Option(
        15, unit="code points", doc="Shortest new password; 15 where it is the only factor, 8 is the least (NIST)."
    )
    PASSWORD_CONTEXT_WORDS = Option[Sequence[str]](
        (), doc="Words that no password may be built around: product, company, host (ASVS 6.2.11)."
    )
    FIELD_KEYS = Option[Mapping[str, str]](
        {}, doc="Key id to base64url of 32 random bytes; the first encrypts, the others still decrypt."
    )
    TRUSTED_PROXIES = Option[Sequence[str]](
        (), doc="Networks (CIDR) of our own reverse proxies; 'unix' for a proxy on a Unix socket."
    )
    PROXY_HEADER = Option("X-Forwarded-For", doc="The one header in which those proxies name the client.")
    OUTBOUND_TIMEOUT = Option(timedelta(seconds=5), doc="Total time of one request to another service.")
    OUTBOUND_MAX_BYTES = Option(65_536, unit="bytes", doc="Longest answer that is read from another service.")
    OUTBOUND_ALLOWED_NETWORKS = Option[Sequence[str]](
        (), doc="Private networks (CIDR) that requests to other services may reach."
    )
    REDIS_URL = Option("", doc="The shared cache; empty: none, and everything comes from the database.")
    REDIS_PREFIX = Option("auth", doc="Begins every key of ours, so that one Redis may serve several sites.")
    REDIS_TIMEOUT = Option(
        timedelta(milliseconds=100), doc="How long one command may take before the database answers."
    )
    OUTBOX_RELAY = Option("thread", doc="Who delivers the outbox: 'thread', 'celery' or 'manual'.")
    MAX_BODY_BYTES = Option(65_536, unit="bytes", doc="Longest JSON body that is read.")
    ADMINISTRATION = Option[Mapping[str, Any]](
        {},
        doc="What administrators prove beside their permissions: `assurance` ('aal2'), and how old the proof may be to"
        " `read`, to `change`, and for what is `critical`; empty: nothing.",
    )
    READINESS = Option[Sequence[str]](
        (
            "auth_core.observability.health.database",
            "auth_core.observability.health.migrations",
            "auth_core.observability.health.keys",
            "auth_core.observability.health.cache",
        ),
        doc="Dotted paths of the probes that /ready/ runs.",
    )

    @property
    def budgets(self) -> Mapping[str, Mapping[str, Budget]]:
        """The budget of every use: a site that changes one keeps the others."""
        return {**type(self).BUDGETS.default, **self.BUDGETS}


core = CoreSettings()


def session_engine() -> str:
    """Return the host's own ``SESSION_ENGINE``."""
    engine: str = settings.SESSION_ENGINE
    return engine


def secret_keys() -> Sequence[str]:
    """Return the site's ``SECRET_KEY`` and the former ones that still verify."""
    return [settings.SECRET_KEY, *map(str, settings.SECRET_KEY_FALLBACKS)]


def site_middleware() -> Sequence[str]:
    """Return the host's own ``MIDDLEWARE``."""
    names: Sequence[str] = settings.MIDDLEWARE
    return names
