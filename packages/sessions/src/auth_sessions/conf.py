"""The settings of this package: ``AUTH_SESSIONS = {...}``."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from auth_core.conf import core, session_engine
from auth_core.options import Option, PackageSettings

#: How long a session may go unused, and how long it may last at all.
Lifetime = tuple[timedelta, timedelta]

#: What we plug into a login, and who reads its sessions.
ISSUER, ENGINE = "auth_sessions.login.OpenSession", "auth_sessions.engine"

#: The step that lets people say which session ends.
STEP = "auth_sessions.login.SessionLimit"


#: What may happen when somebody signs in who has as many sessions as they may.
LIMIT_POLICIES = ("deny_new", "end_oldest", "end_least_recent", "ask")

#: The policy that lets the person say which session ends.
ASK = "ask"


class SessionsSettings(PackageSettings):
    """What a host may say in ``AUTH_SESSIONS``."""

    setting = "AUTH_SESSIONS"

    LIFETIMES = Option[Mapping[str, Lifetime]](
        {
            "aal0": (timedelta(days=7), timedelta(days=30)),
            "aal1": (timedelta(days=7), timedelta(days=30)),
            "aal2": (timedelta(hours=1), timedelta(hours=24)),
            "aal3": (timedelta(minutes=15), timedelta(hours=12)),
        },
        doc="Idle and absolute lifetime by what was proved (NIST SP 800-63B-4 sections 2.1.3, 2.2.3, 2.3.3).",
    )
    REDIS_URL = Option("", doc="The shared cache for snapshots; empty: the one of AUTH_CORE.")
    SNAPSHOT_LIFETIME = Option(timedelta(seconds=60), doc="How long a snapshot may answer without the database.")
    EPOCH_READER = Option(
        "thread",
        doc="Who reads the epoch of the shared cache: 'thread', once a second; 'alone': a request, because"
        " no other process shares the cache (tests).",
    )
    EPOCH_TRUST = Option(
        timedelta(seconds=2), doc="How long a process that could not read the epoch still believes the cache."
    )
    LAST_SEEN_STEP = Option(timedelta(minutes=1), doc="How far a row's last-seen may lag behind.")
    ROTATION_GRACE = Option(
        timedelta(seconds=15),
        doc="How long a credential is still good after another took its place, for what is under way.",
    )
    DEVICE_LIFETIME = Option(
        timedelta(days=400), doc="How long a browser keeps its device cookie; browsers keep none longer."
    )
    NEW_DEVICE_MAILS = Option(
        20,
        unit="mails",
        doc="How many mails about new devices one person is sent in an hour; the devices beyond are in the trail and on"
        " the page of devices.",
    )
    NOT_ME_LIFETIME = Option(timedelta(days=7), doc="How long the link in the mail about a new device is good for.")
    KEEP_DEAD = Option(
        timedelta(days=100), doc="How long a session that has ended is kept; what is known of risk looks back 90 days."
    )
    LIMIT = Option[int | None](
        None, doc="How many sessions a person may have at once; None: any number.", unit="sessions"
    )
    LIMIT_POLICY = Option(
        "end_least_recent",
        doc="What happens at the next login: 'deny_new', 'end_oldest', 'end_least_recent', or 'ask' the person.",
    )
    LIMITS = Option[Sequence[Mapping[str, Any]]](
        (),
        doc="Limits by what is known of a person, each {'fact', 'value', 'sessions', 'policy'}; the strictest that is"
        " met comes before LIMIT.",
    )
    ALLOWANCES = Option(
        False, doc="Whether limits of single persons (SessionAllowance) are looked for where nobody else has one."
    )

    GEOIP_PATH = Option(
        "", doc="An .mmdb file with countries or cities; empty: the country table of iptocc, if it is there."
    )
    ANONYMISING_NETWORKS = Option("", doc="A file with networks (CIDR), one a line, that hide where somebody is.")
    RISK_WEIGHTS = Option[Mapping[str, int]](
        {},
        unit="points of 100",
        doc="What signals add to the score; one left out keeps its own weight, 0 switches it off.",
    )
    RISK_BANDS = Option[Sequence[tuple[int, str]]](
        ((30, "second_factor"), (60, "aal2")),
        doc="From which score on what is demanded: 'second_factor', 'aal2', 'aal3' or 'deny'; below the first nothing.",
    )
    STRAYS = Option[Sequence[str]](
        ("country", "user_agent"),
        doc="What of a request must not change within a session without a new proof: 'country', 'user_agent' (family and"
        " system), 'network'; where it did, nothing counts as proved lately.",
    )
    RISK_NEUTRAL = Option(50, unit="points of 100", doc="The score when a signal that was configured cannot be asked.")

    @property
    def cache_url(self) -> str:
        """The URL of the cache that snapshots go to; empty: there is none, and rows answer."""
        return self.REDIS_URL or core.REDIS_URL

    @property
    def opens_cookies_for(self) -> str:
        """The host's ``SESSION_ENGINE``, if our issuer opens the sessions that it reads; else empty."""
        return session_engine() if core.GRANT_ISSUER == ISSUER else ""


sessions = SessionsSettings()
