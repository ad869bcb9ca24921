"""System checks."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from django.core import checks
from django.core.checks import CheckMessage, Error, register
from django.db import connections, router

from auth_core.assurance.levels import Assurance, Demand
from auth_core.conf import core, session_engine, site_middleware
from auth_core.registries import facts
from auth_sessions import concurrency, geo
from auth_sessions.conf import ASK, ENGINE, LIMIT_POLICIES, STEP, Lifetime, sessions
from auth_sessions.context_change import NAMES
from auth_sessions.models import SessionAllowance
from auth_sessions.risk import MAX_SCORE
from auth_sessions.risk_signals import SIGNALS

_LONGEST_SNAPSHOT = timedelta(seconds=60)

_MIDDLEWARE = "auth_sessions.middleware.AuthenticationMiddleware"


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Report unknown keys of ``AUTH_SESSIONS``."""
    return sessions.unknown_key_errors("auth_sessions.E001")


@register()
def check_lifetimes(**kwargs: Any) -> list[CheckMessage]:
    """Report missing or invalid lifetimes."""
    invalid = [level.acr for level in Assurance if not _is_lifetime(sessions.LIFETIMES.get(level.acr))]
    return [
        Error(
            f"AUTH_SESSIONS['LIFETIMES'][{acr!r}] must be two positive timedeltas: the idle lifetime"
            " and the absolute lifetime, which must not be shorter.",
            id="auth_sessions.E002",
        )
        for acr in invalid
    ]


@register()
def check_snapshot_lifetime(**kwargs: Any) -> list[CheckMessage]:
    """Report a snapshot lifetime that exceeds the allowed staleness (DESIGN section 7)."""
    if timedelta(0) < sessions.SNAPSHOT_LIFETIME <= _LONGEST_SNAPSHOT:
        return []
    return [
        Error("AUTH_SESSIONS['SNAPSHOT_LIFETIME'] must be positive and at most 60 seconds.", id="auth_sessions.E003")
    ]


@register()
def check_engine(**kwargs: Any) -> list[CheckMessage]:
    """Report a session engine that cannot read the sessions of the grant issuer. Logins would have no effect."""
    if sessions.opens_cookies_for in {"", ENGINE}:
        return []
    return [
        Error(
            f"Logins open sessions of auth_sessions, but SESSION_ENGINE is {sessions.opens_cookies_for!r}.",
            hint=f"Set SESSION_ENGINE = {ENGINE!r}.",
            id="auth_sessions.E004",
        )
    ]


@register()
def check_middleware(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a site that uses the session engine without the middleware, which renews the credentials of sessions."""
    if session_engine() != ENGINE or _MIDDLEWARE in site_middleware():
        return []
    hint = f"Put {_MIDDLEWARE!r} into MIDDLEWARE in the place of Django's AuthenticationMiddleware."
    message = (
        "AuthenticationMiddleware of auth_sessions is missing. The credential of a session would not be renewed after a"
        " change of rights, and every request would read its user from the database."
    )
    return [Error(message, hint=hint, id="auth_sessions.E005")]


@register()
def check_snapshots(**kwargs: Any) -> list[CheckMessage]:
    """Warn that every request reads the database. A cache of one process would show sessions that another ended."""
    if sessions.cache_url:
        return []
    return [
        checks.Warning(
            "Every request reads its session from the database because no shared cache is configured.",
            hint="Set AUTH_SESSIONS['REDIS_URL'] or AUTH_CORE['REDIS_URL'], or silence this check if that is intended.",
            id="auth_sessions.W001",
        )
    ]


@register()
def check_risk(**kwargs: Any) -> list[CheckMessage]:
    """Report unknown signals, invalid weights and bands, and unknown context changes."""
    messages: list[CheckMessage] = []
    if unknown := set(sessions.RISK_WEIGHTS) - set(SIGNALS):
        messages.append(
            Error(
                f"Unknown risk signal in AUTH_SESSIONS['RISK_WEIGHTS']: {', '.join(sorted(unknown))}.",
                hint=f"Known signals: {', '.join(SIGNALS)}.",
                id="auth_sessions.E021",
            )
        )
    if not all(0 <= weight <= MAX_SCORE for weight in [*sessions.RISK_WEIGHTS.values(), sessions.RISK_NEUTRAL]):
        messages.append(
            Error(
                "AUTH_SESSIONS['RISK_WEIGHTS'] and AUTH_SESSIONS['RISK_NEUTRAL'] must be between 0 and 100.",
                id="auth_sessions.E022",
            )
        )
    begins = [begin for begin, _demand in sessions.RISK_BANDS]
    demands = [demand.value for demand in Demand]
    if begins != sorted(set(begins)) or not {demand for _begin, demand in sessions.RISK_BANDS} <= set(demands):
        messages.append(
            Error(
                "AUTH_SESSIONS['RISK_BANDS'] must be pairs of score and demand, with ascending scores.",
                hint=f"Known demands: {', '.join(demands)}.",
                id="auth_sessions.E023",
            )
        )
    if unknown := set(sessions.CONTEXT_CHANGES) - NAMES:
        messages.append(
            Error(
                f"Unknown context change in AUTH_SESSIONS['CONTEXT_CHANGES']: {', '.join(sorted(unknown))}.",
                hint=f"Known changes: {', '.join(sorted(NAMES))}.",
                id="auth_sessions.E024",
            )
        )
    return messages


@register()
def check_geo(**kwargs: Any) -> list[CheckMessage]:
    """Warn that the GeoIP file cannot be read. Every login would get the neutral score."""
    try:
        geo.location_of("8.8.8.8")
    except geo.GeoDatabaseUnreadable as problem:
        return [
            checks.Warning(
                f"The file in AUTH_SESSIONS['GEOIP_PATH'] cannot be read ({problem}).",
                hint="Set the path of an .mmdb file that this process may read, and install"
                " enterprise-auth-sessions[geoip].",
                id="auth_sessions.W021",
            )
        ]
    return []


@register()
def check_limits(**kwargs: Any) -> list[CheckMessage]:
    """Report invalid session limits."""
    messages: list[CheckMessage] = []
    if sessions.LIMIT is not None and not _is_number(sessions.LIMIT):
        messages.append(_invalid_limit("AUTH_SESSIONS['LIMIT'] must be None or a positive integer."))
    if sessions.LIMIT_POLICY not in LIMIT_POLICIES:
        policies = ", ".join(LIMIT_POLICIES)
        messages.append(_invalid_limit(f"AUTH_SESSIONS['LIMIT_POLICY'] must be one of {policies}."))
    for number, limit in enumerate(sessions.LIMITS):
        if problem := _problem_with(limit):
            messages.append(Error(f"AUTH_SESSIONS['LIMITS'][{number}]: {problem}", id="auth_sessions.E012"))
    used_policies = {sessions.LIMIT_POLICY, *(limit.get("policy") for limit in sessions.LIMITS)}
    if not messages and ASK in used_policies and STEP not in core.LOGIN_STEPS:
        messages.append(
            checks.Warning(
                "The limit policy 'ask' refuses new sessions because no login step asks which session to end.",
                hint=f"Add {STEP!r} to AUTH_CORE['LOGIN_STEPS'] as the last step.",
                id="auth_sessions.W011",
            )
        )
    return messages


@register(checks.Tags.database)
def check_allowances(*, databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn that session allowances exist but no setting makes logins read them."""
    alias = router.db_for_read(SessionAllowance)
    if concurrency.is_configured() or alias not in (databases or ()) or not _has_allowances(alias):
        return []
    return [
        checks.Warning(
            "Session allowances exist, but no login reads them.",
            hint="Set AUTH_SESSIONS['ALLOWANCES'] = True.",
            id="auth_sessions.W012",
        )
    ]


def _invalid_limit(problem: str) -> CheckMessage:
    return Error(problem, id="auth_sessions.E011")


def _problem_with(limit: Mapping[str, Any]) -> str:
    """Return what is wrong with one entry of `LIMITS`, or an empty string."""
    if not {"fact", "value", "sessions"} <= set(limit) <= {"fact", "value", "sessions", "policy"}:
        return "the keys must be fact, value, sessions and, optionally, policy."
    if facts.get(limit["fact"]) is None:
        return f"the fact {limit['fact']!r} is not registered."
    if not _is_number(limit["sessions"]):
        return "sessions must be a positive integer."
    if limit.get("policy", sessions.LIMIT_POLICY) not in LIMIT_POLICIES:
        return f"policy must be one of {', '.join(LIMIT_POLICIES)}."
    return ""


def _is_number(value: object) -> bool:
    """Tell whether *value* is a valid number of sessions. ``True`` is an integer in Python and is refused."""
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _has_allowances(alias: str) -> bool:
    """Tell whether there are allowances. Before the first migration the table does not exist."""
    tables = connections[alias].introspection.table_names()
    return SessionAllowance._meta.db_table in tables and SessionAllowance.objects.using(alias).exists()


def _is_lifetime(lifetime: Lifetime | None) -> bool:
    return lifetime is not None and timedelta(0) < lifetime[0] <= lifetime[1]
