"""System checks."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.db import connections, router

from auth_core.assurance.levels import Assurance, Demand
from auth_core.conf import core
from auth_core.registries import facts
from auth_sessions import concurrency, geo
from auth_sessions.conf import ASK, ENGINE, LIMIT_POLICIES, STEP, Lifetime, sessions
from auth_sessions.context_change import NAMES
from auth_sessions.models import SessionAllowance
from auth_sessions.risk import MOST
from auth_sessions.risk_signals import SIGNALS

_LONGEST_SNAPSHOT = timedelta(seconds=60)


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse keys of ``AUTH_SESSIONS`` that nobody reads."""
    return sessions.unknown_key_errors("auth_sessions.E001")


@register()
def check_lifetimes(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to open sessions that nobody said the end of, or that would be over at once."""
    wrong = [level.acr for level in Assurance if not _is_lifetime(sessions.LIFETIMES.get(level.acr))]
    return [
        Error(
            f"AUTH_SESSIONS['LIFETIMES'][{acr!r}] must be two timedeltas: idle, and absolute, not shorter.",
            id="auth_sessions.E002",
        )
        for acr in wrong
    ]


@register()
def check_snapshot_lifetime(**kwargs: Any) -> list[CheckMessage]:
    """Refuse snapshots that outlive what a lost database may hide (DESIGN section 7)."""
    if timedelta(0) < sessions.SNAPSHOT_LIFETIME <= _LONGEST_SNAPSHOT:
        return []
    return [
        Error(
            "AUTH_SESSIONS['SNAPSHOT_LIFETIME'] must be above 0, and 60 seconds at the most.", id="auth_sessions.E003"
        )
    ]


@register()
def check_engine(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to open cookie sessions that the site's engine does not know: a login would seem to do nothing."""
    if sessions.opens_cookies_for in {"", ENGINE}:
        return []
    return [
        Error(
            f"Logins open sessions of auth_sessions, and SESSION_ENGINE is {sessions.opens_cookies_for!r}.",
            hint=f"Set SESSION_ENGINE = {ENGINE!r}.",
            id="auth_sessions.E004",
        )
    ]


@register()
def check_snapshots(**kwargs: Any) -> list[CheckMessage]:
    """Say that every request asks the database: a cache of one process would show what another has ended."""
    if sessions.cache_url:
        return []
    return [
        checks.Warning(
            "Sessions are read from the database with every request: there is no shared cache.",
            hint="Set AUTH_SESSIONS['REDIS_URL'] or AUTH_CORE['REDIS_URL'], or silence this where it is meant.",
            id="auth_sessions.W001",
        )
    ]


@register()
def check_risk(**kwargs: Any) -> list[CheckMessage]:
    """Refuse weights of signals that there are not, bands that no score reaches, and changes that nobody looks for."""
    found: list[CheckMessage] = []
    if unknown := set(sessions.RISK_WEIGHTS) - set(SIGNALS):
        found.append(
            Error(f"AUTH_SESSIONS['RISK_WEIGHTS'] names {', '.join(sorted(unknown))}.", id="auth_sessions.E021")
        )
    if not all(0 <= weight <= MOST for weight in [*sessions.RISK_WEIGHTS.values(), sessions.RISK_NEUTRAL]):
        found.append(Error("AUTH_SESSIONS: a weight of risk is 0 to 100.", id="auth_sessions.E022"))
    begins = [begin for begin, _demand in sessions.RISK_BANDS]
    known = {demand.value for demand in Demand}
    if begins != sorted(set(begins)) or not {demand for _begin, demand in sessions.RISK_BANDS} <= known:
        found.append(
            Error(
                "AUTH_SESSIONS['RISK_BANDS'] must be (score, demand), ascending, each demand known.",
                id="auth_sessions.E023",
            )
        )
    if unknown := set(sessions.STRAYS) - NAMES:
        found.append(Error(f"AUTH_SESSIONS['STRAYS'] names {', '.join(sorted(unknown))}.", id="auth_sessions.E024"))
    return found


@register()
def check_geo(**kwargs: Any) -> list[CheckMessage]:
    """Say that the operator's table cannot be read: every login would get the neutral score."""
    try:
        geo.place_of("8.8.8.8")
    except geo.GeoLost as problem:
        return [
            checks.Warning(
                f"AUTH_SESSIONS['GEOIP_PATH'] cannot be read ({problem}).",
                hint="Name an .mmdb file that this process may read, and install enterprise-auth-sessions[geoip].",
                id="auth_sessions.W021",
            )
        ]
    return []


@register()
def check_limits(**kwargs: Any) -> list[CheckMessage]:
    """Refuse limits that would hold nobody, or another than was meant."""
    found: list[CheckMessage] = []
    if sessions.LIMIT is not None and not _is_number(sessions.LIMIT):
        found.append(_wrong_limit("AUTH_SESSIONS['LIMIT'] must be None, or 1 or more."))
    if sessions.LIMIT_POLICY not in LIMIT_POLICIES:
        known = ", ".join(LIMIT_POLICIES)
        found.append(_wrong_limit(f"AUTH_SESSIONS['LIMIT_POLICY'] must be one of {known}."))
    for number, limit in enumerate(sessions.LIMITS):
        if problem := _problem_with(limit):
            found.append(Error(f"AUTH_SESSIONS['LIMITS'][{number}]: {problem}", id="auth_sessions.E012"))
    policies = {sessions.LIMIT_POLICY, *(limit.get("policy") for limit in sessions.LIMITS)}
    if not found and ASK in policies and STEP not in core.LOGIN_STEPS:
        found.append(
            checks.Warning(
                "Nobody can be asked which session is to end, and so the new one is refused.",
                hint=f"Add {STEP!r} to AUTH_CORE['LOGIN_STEPS'], as the last.",
                id="auth_sessions.W011",
            )
        )
    return found


@register(checks.Tags.database)
def check_allowances(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Say that the limits of single persons hold nobody: they are looked for only if the site says so."""
    alias = router.db_for_read(SessionAllowance)
    if concurrency.is_configured() or alias not in (databases or ()) or not _has_allowances(alias):
        return []
    return [
        checks.Warning(
            "There are session allowances, and no login reads them.",
            hint="Set AUTH_SESSIONS['ALLOWANCES'] = True.",
            id="auth_sessions.W012",
        )
    ]


def _wrong_limit(problem: str) -> CheckMessage:
    return Error(problem, id="auth_sessions.E011")


def _problem_with(limit: Mapping[str, Any]) -> str:
    """Return what is wrong with one of `LIMITS`; nothing when it is right."""
    if not {"fact", "value", "sessions"} <= set(limit) <= {"fact", "value", "sessions", "policy"}:
        return "it must have fact, value and sessions, may have policy, and nothing else."
    if facts.get(limit["fact"]) is None:
        return f"nobody registered the fact {limit['fact']!r}."
    if not _is_number(limit["sessions"]):
        return "sessions must be 1 or more."
    if limit.get("policy", sessions.LIMIT_POLICY) not in LIMIT_POLICIES:
        return f"policy must be one of {', '.join(LIMIT_POLICIES)}."
    return ""


def _is_number(given: Any) -> bool:
    """Say whether *given* is a number of sessions; True is 1 to Python, and to nobody else."""
    return isinstance(given, int) and not isinstance(given, bool) and given >= 1


def _has_allowances(alias: str) -> bool:
    """Say whether there is any; before the first migration there is not even the table."""
    tables = connections[alias].introspection.table_names()
    return SessionAllowance._meta.db_table in tables and SessionAllowance.objects.using(alias).exists()


def _is_lifetime(given: Lifetime | None) -> bool:
    return given is not None and timedelta(0) < given[0] <= given[1]
