"""System checks; a setting that is wrong stops the start with an id and a remedy."""

import ipaddress
from collections.abc import Sequence
from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import import_string

from auth_core.client import UNIX
from auth_core.conf import core
from auth_core.encryption import key_problems


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse keys of ``AUTH_CORE`` that nobody reads: a typo must not be a silent default."""
    return core.unknown_key_errors("auth_core.E001")


@register()
def check_slots(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a slot that names nothing: it would fail at the first login."""
    slots: Sequence[str] = [core.GRANT_ISSUER, core.RISK_ASSESSOR, *core.LOGIN_STEPS, *core.AUTHENTICATION_CLASSES]
    return [
        Error(f"AUTH_CORE names {path!r}, which cannot be imported: {problem}.", id="auth_core.E002")
        for path, problem in ((path, _import_problem(path)) for path in slots)
        if problem
    ]


@register()
def check_budgets(**kwargs: Any) -> list[CheckMessage]:
    """Refuse to run a use of guesses without a budget: it would be unlimited, or fail."""
    missing = [use for use in ("login", "answer") if not core.BUDGETS.get(use)]
    return [Error(f"AUTH_CORE['BUDGETS'] has no budget for {use!r}.", id="auth_core.E003") for use in missing]


@register()
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Refuse field keys that cannot encrypt: the first secret that is stored would fail."""
    return [Error(f"AUTH_CORE['FIELD_KEYS']: {problem}.", id="auth_core.E004") for problem in key_problems()]


@register()
def check_networks(**kwargs: Any) -> list[CheckMessage]:
    """Refuse what is no network: it would fail at every request, or name another network than was meant."""
    named: dict[str, Sequence[str]] = {
        "TRUSTED_PROXIES": [network for network in core.TRUSTED_PROXIES if network != UNIX],
        "OUTBOUND_ALLOWED_NETWORKS": core.OUTBOUND_ALLOWED_NETWORKS,
    }
    return [
        Error(f"AUTH_CORE[{setting!r}]: {network!r} is no network: {problem}.", id="auth_core.E005")
        for setting, networks in named.items()
        for network, problem in ((network, _network_problem(network)) for network in networks)
        if problem
    ]


def _network_problem(network: str) -> str:
    try:
        ipaddress.ip_network(network)
    except ValueError as error:
        return str(error)
    return ""


def _import_problem(path: str) -> str:
    try:
        import_string(path)
    except ImportError as error:
        return str(error)
    return ""
