"""System checks; a setting that is wrong stops the start with an id and a remedy."""

import ipaddress
from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.core.checks import CheckMessage, Error, Warning, register  # noqa: A004 - Django's name
from django.utils.module_loading import import_string

from auth_core.conf import core, secret_keys
from auth_core.crypto.encryption import key_problems
from auth_core.crypto.weak_keys import RECIPE, weakness_of
from auth_core.messages.sms import BACKENDS, backend_path
from auth_core.request.client import UNIX


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
    missing = [use for use, counted in core.budgets.items() if not counted]
    return [Error(f"AUTH_CORE['BUDGETS'] has no budget for {use!r}.", id="auth_core.E003") for use in missing]


@register()
def check_hashes(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a number of hashes with which nobody could ever sign in."""
    most = core.MAX_PARALLEL_HASHES
    if (most is None or most >= 1) and timedelta(0) <= core.HASH_WAIT:
        return []
    hint = "So many threads as the server has in one process, less one; None: any number."
    message = "AUTH_CORE['MAX_PARALLEL_HASHES'] must be 1 or more, or None, and 'HASH_WAIT' not below 0."
    return [Error(message, hint=hint, id="auth_core.E013")]


@register()
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Refuse field keys that cannot encrypt: the first secret that is stored would fail."""
    return [Error(f"AUTH_CORE['FIELD_KEYS']: {problem}.", id="auth_core.E004") for problem in key_problems()]


@register(deploy=True)
def check_keys_are_random(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a field key that could be guessed: one of zeros, of a test, or that is the secret key as well."""
    weak = {key_id: weakness_of(str(key), secrets=secret_keys()) for key_id, key in core.FIELD_KEYS.items()}
    return [
        Error(
            f"AUTH_CORE['FIELD_KEYS']: key {key_id!r} is {weakness}.",
            hint=f"Make a good one, and rotate to it: {RECIPE}",
            id="auth_core.E029",
        )
        for key_id, weakness in weak.items()
        if weakness
    ]


@register()
def check_public_url(**kwargs: Any) -> list[CheckMessage]:
    """Refuse what no link can begin with; a site that mails no links needs none."""
    if not core.PUBLIC_URL:
        return []
    parts = urlsplit(core.PUBLIC_URL)
    if parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment:
        return [] if parts.hostname.isascii() else [_unencoded_host(parts.hostname)]
    return [Error(f"AUTH_CORE['PUBLIC_URL']: {core.PUBLIC_URL!r} is no address of a site.", id="auth_core.E006")]


def _unencoded_host(host: str) -> Error:
    """Refuse a host that mail clients encode each by their own rule: some make fass.example of faß.example."""
    hint = "Write the host as its A-labels, such as xn--fa-hia.example."
    message = f"AUTH_CORE['PUBLIC_URL']: the host {host!r} is not in ASCII, and links could lead to another domain."
    return Error(message, hint=hint, id="auth_core.E018")


@register(deploy=True)
def check_public_url_is_there(**kwargs: Any) -> list[CheckMessage]:
    """Warn before sign-up and recovery fail for the first person who asks."""
    if core.PUBLIC_URL:
        return []
    hint = "Set it to where people reach the site, such as 'https://auth.example.org'."
    return [Warning("AUTH_CORE['PUBLIC_URL'] is empty: no link can be mailed.", hint=hint, id="auth_core.W001")]


@register()
def check_signup(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a word for who may sign up that means nothing: it would close the door, or seem to."""
    known = ("open", "domain", "invitation", "closed")
    if core.SIGNUP in known:
        return []
    return [Error(f"AUTH_CORE['SIGNUP'] is none of {', '.join(known)}.", id="auth_core.E007")]


@register()
def check_sms_backend(**kwargs: Any) -> list[CheckMessage]:
    """Refuse what cannot send: the first person who waits for a code would wait in vain."""
    if not core.SMS_BACKEND:
        return []
    problem = _import_problem(backend_path())
    if not problem and not callable(getattr(import_string(backend_path()), "send", None)):
        problem = "it has no method `send`"
    known = ", ".join(BACKENDS)
    hint = f"Name one of {known}, a class with `send(text, *, idempotency_key)`, or leave it empty: none are sent."
    message = f"AUTH_CORE['SMS_BACKEND'] names {core.SMS_BACKEND!r}: {problem}."
    return [Error(message, hint=hint, id="auth_core.E008")] if problem else []


@register()
def check_sms_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a gateway whose settings are missing: it would refuse every text, an hour later and in a log."""
    if not core.SMS_BACKEND or _import_problem(backend_path()):
        return []
    problems: Sequence[str] = getattr(import_string(backend_path()), "problems", list)()
    hint = "Set it in AUTH_CORE (in the service: the environment variable of that name), or name another backend."
    return [
        Error(f"AUTH_CORE['SMS_BACKEND'] is {core.SMS_BACKEND!r}: {problem}.", hint=hint, id="auth_core.E009")
        for problem in problems
    ]


@register(deploy=True)
def check_texts_leave_the_house(**kwargs: Any) -> list[CheckMessage]:
    """Refuse what prints codes or keeps them: nobody would get one, and whoever reads the output would have all."""
    if backend_path() not in (BACKENDS["console"], BACKENDS["memory"]):
        return []
    hint = "Name 'http' or 'twilio', or a class that sends texts; empty: none are sent."
    return [Error("AUTH_CORE['SMS_BACKEND'] sends no texts.", hint=hint, id="auth_core.E012")]


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
