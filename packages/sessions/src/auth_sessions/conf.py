"""The settings of this package: ``AUTH_SESSIONS = {...}``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from auth_core.conf import core, session_engine
from auth_core.options import Option, PackageSettings

#: Idle lifetime and absolute lifetime of a session.
Lifetime = tuple[timedelta, timedelta]

#: Dotted paths of the grant issuer and of the session engine that reads its sessions.
ISSUER, ENGINE = "auth_sessions.login.OpenSession", "auth_sessions.engine"

#: Dotted path of the login step that asks which session to end.
STEP = "auth_sessions.login.SessionLimit"


#: What may happen when a user who has reached the session limit signs in.
LIMIT_POLICIES = ("deny_new", "end_oldest", "end_least_recent", "ask")

#: The policy that asks the user which session to end.
ASK = "ask"


class SessionsSettings(PackageSettings):
    """The settings in ``AUTH_SESSIONS``."""

    setting = "AUTH_SESSIONS"

    LIFETIMES = Option[Mapping[str, Lifetime]](
        {
            "aal0": (timedelta(days=7), timedelta(days=30)),
            "aal1": (timedelta(days=7), timedelta(days=30)),
            "aal2": (timedelta(hours=1), timedelta(hours=24)),
            "aal3": (timedelta(minutes=15), timedelta(hours=12)),
        },
        doc="Idle and absolute lifetime per assurance level (NIST SP 800-63B-4 sections 2.1.3, 2.2.3, 2.3.3).",
    )
    REDIS_URL = Option("", doc="URL of the shared cache for snapshots. Empty: the one of AUTH_CORE.")
    SNAPSHOT_LIFETIME = Option(
        timedelta(seconds=60), doc="How long a snapshot is used before the session is read from the database again."
    )
    EPOCH_READER = Option(
        "thread",
        doc="Who reads the epoch of the shared cache. 'thread': a background thread, once a second. 'alone': the"
        " request itself, where no other process shares the cache (tests).",
    )
    EPOCH_TRUST = Option(
        timedelta(seconds=2), doc="How long a process trusts the cache after its last successful read of the epoch."
    )
    LAST_SEEN_STEP = Option(
        timedelta(minutes=1), doc="How far the last-seen time in the database may lag behind the last use."
    )
    ROTATION_GRACE = Option(
        timedelta(seconds=15),
        doc="How long the previous credential stays valid after a rotation, for requests in flight.",
    )
    DEVICE_LIFETIME = Option(timedelta(days=400), doc="Lifetime of the device cookie. Browsers allow 400 days at most.")
    NEW_DEVICE_MAILS = Option(
        20,
        unit="mails",
        doc="Maximum number of mails about new devices per user and hour. Further devices are only in the audit trail"
        " and on the devices page.",
    )
    NOT_ME_LIFETIME = Option(timedelta(days=7), doc="Lifetime of the link in the mail about a new device.")
    KEEP_DEAD = Option(
        timedelta(days=100), doc="How long ended sessions are kept. The risk assessment looks back 90 days."
    )
    LIMIT = Option[int | None](
        None, doc="Maximum number of concurrent sessions per user. None: unlimited.", unit="sessions"
    )
    LIMIT_POLICY = Option(
        "end_least_recent",
        doc="What happens when a user at the limit signs in: 'deny_new', 'end_oldest', 'end_least_recent' or 'ask'.",
    )
    LIMITS = Option[Sequence[Mapping[str, Any]]](
        (),
        doc="Limits by facts about a user, each {'fact', 'value', 'sessions', 'policy'}. The strictest limit that"
        " applies overrides LIMIT.",
    )
    ALLOWANCES = Option(
        False, doc="Whether the limits of single users (SessionAllowance) are read when no other limit is configured."
    )

    GEOIP_PATH = Option(
        "", doc="Path of an .mmdb file with countries or cities. Empty: the country table of iptocc, if installed."
    )
    ANONYMISING_NETWORKS = Option("", doc="Path of a file with anonymising networks (CIDR), one per line.")
    RISK_WEIGHTS = Option[Mapping[str, int]](
        {},
        unit="points of 100",
        doc="Points that each signal adds to the score. A missing signal keeps its default weight, 0 disables it.",
    )
    RISK_BANDS = Option[Sequence[tuple[int, str]]](
        ((30, "second_factor"), (60, "aal2")),
        doc="Demands by minimum score: 'second_factor', 'aal2', 'aal3' or 'deny'. Below the first band: no demand.",
    )
    CONTEXT_CHANGES = Option[Sequence[str]](
        ("country", "user_agent"),
        doc="Changes of context that require a new proof: 'country', 'user_agent' (browser and operating system family),"
        " 'network'. After such a change no earlier evidence counts as fresh.",
    )
    RISK_NEUTRAL = Option(50, unit="points of 100", doc="The score when a configured signal is unavailable.")

    @property
    def cache_url(self) -> str:
        """The URL of the snapshot cache. Empty: there is no cache, and sessions are read from the database."""
        return self.REDIS_URL or core.REDIS_URL

    @property
    def opens_cookies_for(self) -> str:
        """The site's ``SESSION_ENGINE`` if the grant issuer is `OpenSession`, otherwise empty."""
        return session_engine() if core.GRANT_ISSUER == ISSUER else ""


sessions = SessionsSettings()
