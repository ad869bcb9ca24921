"""System checks. A wrong setting stops the start with an id and a hint."""

import ipaddress
from collections.abc import Iterator, Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.apps import apps
from django.contrib.auth import get_user_model
from django.core.checks import CheckMessage, Error, Tags, Warning, register  # noqa: A004 - Django's name
from django.db import router
from django.urls import NoReverseMatch, reverse
from django.utils.module_loading import import_string

from auth_core.administration import demanded, setting_problems
from auth_core.assurance.levels import Assurance
from auth_core.conf import core, secret_keys, site_middleware
from auth_core.crypto.encryption import key_problems
from auth_core.crypto.weak_keys import RECIPE, weakness_of
from auth_core.flows.account_fields import obstacles
from auth_core.messages.sms import BACKENDS, backend_path
from auth_core.people import column_index
from auth_core.people.lookup import SECOND_FACTORS_PART
from auth_core.people.user_columns import address_fields
from auth_core.registries import snapshot_parts
from auth_core.request.client import UNIX

_CONTEXT = "auth_core.middleware.RequestContextMiddleware"
_SIGNUP_VALUES = ("open", "domain", "invitation", "closed")
_MIDDLEWARE = "auth_core.pages.administration.AdministrationMiddleware"


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse unknown keys of ``AUTH_CORE``, because a typo would silently use the default."""
    return core.unknown_key_errors("auth_core.E001")


@register()
def check_slots(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a slot that cannot be imported, because the first login would fail."""
    slots: Sequence[str] = [core.GRANT_ISSUER, core.RISK_ASSESSOR, *core.LOGIN_STEPS, *core.AUTHENTICATION_CLASSES]
    return [
        Error(f"AUTH_CORE refers to {path!r}, which cannot be imported: {problem}.", id="auth_core.E002")
        for path, problem in ((path, _import_problem(path)) for path in slots)
        if problem
    ]


@register()
def check_budgets(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a use of guesses without a budget: it would be unlimited, or fail."""
    missing = [use for use, counted in core.budgets.items() if not counted]
    return [Error(f"AUTH_CORE['BUDGETS'] has no budget for {use!r}.", id="auth_core.E003") for use in missing]


@register()
def check_hashes(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a number of parallel hashes that would block every login."""
    limit = core.MAX_PARALLEL_HASHES
    if (limit is None or limit >= 1) and timedelta(0) <= core.HASH_WAIT and core.HASH_QUEUE >= 0 <= core.HASH_NICENESS:
        return []
    hint = "Use the number of processor cores per process, or None for no limit."
    message = (
        "AUTH_CORE['MAX_PARALLEL_HASHES'] must be None or at least 1, and 'HASH_QUEUE', 'HASH_WAIT' and"
        " 'HASH_NICENESS' must not be negative."
    )
    return [Error(message, hint=hint, id="auth_core.E013")]


@register()
def check_keys(**kwargs: Any) -> list[CheckMessage]:
    """Refuse field keys that cannot encrypt, because storing the first secret would fail."""
    hint = "Print a key with `manage.py new_key` and add it under an id of your choice, such as '2026-11'."
    return [Error(f"AUTH_CORE['FIELD_KEYS']: {problem}.", hint=hint, id="auth_core.E004") for problem in key_problems()]


@register(deploy=True)
def check_keys_are_random(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a guessable field key: zeros, a test key, or the secret key of the site."""
    weak = {key_id: weakness_of(str(key), secrets=secret_keys()) for key_id, key in core.FIELD_KEYS.items()}
    return [
        Error(
            f"AUTH_CORE['FIELD_KEYS']: key {key_id!r} is {weakness}.",
            hint=f"Generate a random key and rotate to it: {RECIPE}",
            id="auth_core.E029",
        )
        for key_id, weakness in weak.items()
        if weakness
    ]


@register()
def check_public_url(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an address that links cannot begin with. A site that mails no links needs none."""
    if not core.PUBLIC_URL:
        return []
    parts = urlsplit(core.PUBLIC_URL)
    if parts.scheme in ("http", "https") and parts.hostname and not parts.query and not parts.fragment:
        return [] if parts.hostname.isascii() else [_unencoded_host(parts.hostname)]
    return [Error(f"AUTH_CORE['PUBLIC_URL']: {core.PUBLIC_URL!r} is not a valid site address.", id="auth_core.E006")]


@register()
def check_administration(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a demand that is malformed, that cannot be met, or that is not enforced."""
    problems: list[CheckMessage] = [
        Error(f"AUTH_CORE['ADMINISTRATION']: {problem}.", id="auth_core.E014") for problem in setting_problems()
    ]
    if problems or not core.ADMINISTRATION:
        return problems
    return [*_unattainable_demand(), *_missing_enforcement()]


@register(deploy=True)
def check_administration_is_guarded(**kwargs: Any) -> list[CheckMessage]:
    """Warn if the password alone gives access to administration."""
    needed = None if list(setting_problems()) else demanded()
    if needed is not None and needed >= Assurance.AAL2:
        return []
    hint = "Set it to {'assurance': 'aal2'} to require a recent second factor."
    message = "AUTH_CORE['ADMINISTRATION'] does not require a second factor of administrators."
    return [Warning(message, hint=hint, id="auth_core.W002")]


@register()
def check_request_context(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a site without the middleware that knows the client and the acting user of a request.

    Without it, sessions and audit entries lack address and browser, denials are not recorded, and staff could grant
    themselves rights in the admin that they do not hold.
    """
    if _CONTEXT in site_middleware():
        return []
    hint = f"Add {_CONTEXT!r} at the beginning of MIDDLEWARE."
    message = (
        "RequestContextMiddleware is missing. Sessions and audit entries would have no address and no browser, and the"
        " admin would let administrators grant rights that they do not hold."
    )
    return [Error(message, hint=hint, id="auth_core.E031")]


def _unencoded_host(host: str) -> Error:
    """Return the error for a host outside ASCII. Mail clients encode faß.example in different ways."""
    hint = "Write the host with A-labels, such as xn--fa-hia.example."
    message = f"AUTH_CORE['PUBLIC_URL']: the host {host!r} is not ASCII. Links could lead to another domain."
    return Error(message, hint=hint, id="auth_core.E018")


@register()
def check_public_url_is_there(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a site whose addresses mail links, but which has no address for them to begin with."""
    if core.PUBLIC_URL or not (has_url("core-api:signup") or has_url("core-pages:signup")):
        return []
    hint = "Set it to the address of the site, such as 'https://auth.example.org' or 'http://localhost:8000'."
    message = "AUTH_CORE['PUBLIC_URL'] is empty, so sign-up and password reset cannot mail links."
    return [Error(message, hint=hint, id="auth_core.E032")]


@register()
def check_signup(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an unknown value for who may sign up."""
    if core.SIGNUP in _SIGNUP_VALUES:
        return []
    hint = f"Known values: {', '.join(_SIGNUP_VALUES)}."
    return [Error(f"Unknown value of AUTH_CORE['SIGNUP']: {core.SIGNUP!r}.", hint=hint, id="auth_core.E007")]


@register()
def check_accounts_can_be_created(**kwargs: Any) -> list[CheckMessage]:
    """Warn if sign-up is closed because the user model needs more than an address and a password."""
    if core.SIGNUP not in _SIGNUP_VALUES or core.SIGNUP == "closed":
        return []
    reasons = obstacles()
    hint = (
        "Give the field a default, or create accounts in your own code and set AUTH_CORE['SIGNUP'] to 'closed'."
        " Everything else works with this model."
    )
    message = f"Sign-up and invitations are closed: {' '.join(reasons)}"
    return [Warning(message, hint=hint, id="auth_core.W004")] if reasons else []


@register(Tags.database)
def check_addresses_are_indexed(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Warn if people of a large user table are not found by their addresses, because that would read the whole table."""
    alias = router.db_for_write(get_user_model())
    if alias not in (databases or ()) or column_index.is_small(alias):
        return []
    hint = "Run `manage.py adopt_users`. It creates the index while the site runs, and adopts your users."
    return [
        Warning(
            f"The user table is large, and {field.model._meta.label}.{field.name} has no index that serves any case. People"
            " who were not adopted are not found by an address that is stored in another case, or by any if the column"
            " has no index at all.",
            hint=hint,
            id="auth_core.W005",
        )
        for field in column_index.fields_without_index(alias)
    ]


@register()
def check_trust(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a trust in addresses that is not a yes or a no. A text such as 'False' would be a yes."""
    if not isinstance(core.TRUST_EXISTING_EMAILS, bool):
        message = "AUTH_CORE['TRUST_EXISTING_EMAILS'] must be True or False."
        hint = "Set it to True only if the site has verified every address in the email field of its user model."
        return [Error(message, hint=hint, id="auth_core.E019")]
    if core.TRUST_EXISTING_EMAILS and not address_fields():
        message = "AUTH_CORE['TRUST_EXISTING_EMAILS'] is set, but the user model has no email field."
        return [Warning(message, hint="Remove the setting, or name the field in EMAIL_FIELD.", id="auth_core.W006")]
    return []


@register()
def check_sms_backend(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a backend that cannot send, because people would wait for codes in vain."""
    if not core.SMS_BACKEND:
        return []
    problem = _import_problem(backend_path())
    if not problem and not callable(getattr(import_string(backend_path()), "send", None)):
        problem = "it has no method `send`"
    names = ", ".join(BACKENDS)
    hint = f"Use one of {names}, or a class with `send(text, *, idempotency_key)`. Leave it empty to send no texts."
    message = f"AUTH_CORE['SMS_BACKEND'] is {core.SMS_BACKEND!r}: {problem}."
    return [Error(message, hint=hint, id="auth_core.E008")] if problem else []


@register()
def check_sms_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a gateway with missing settings, because every text would fail later."""
    if not core.SMS_BACKEND or _import_problem(backend_path()):
        return []
    problems: Sequence[str] = getattr(import_string(backend_path()), "problems", list)()
    hint = "Set it in AUTH_CORE (in the service: the environment variable of that name), or use another backend."
    return [
        Error(f"AUTH_CORE['SMS_BACKEND'] is {core.SMS_BACKEND!r}: {problem}.", hint=hint, id="auth_core.E009")
        for problem in problems
    ]


@register(deploy=True)
def check_sms_backend_sends_texts(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a backend that prints or keeps codes. People would not get them, and a reader of the output would."""
    if backend_path() not in (BACKENDS["console"], BACKENDS["memory"]):
        return []
    hint = "Use 'http', 'twilio' or a class that sends texts. Leave it empty to send no texts."
    return [
        Error(
            f"AUTH_CORE['SMS_BACKEND'] is {core.SMS_BACKEND!r}, which does not send texts.",
            hint=hint,
            id="auth_core.E012",
        )
    ]


@register()
def check_networks(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an invalid network: it would fail at every request, or match another network."""
    settings: dict[str, Sequence[str]] = {
        "TRUSTED_PROXIES": [network for network in core.TRUSTED_PROXIES if network != UNIX],
        "OUTBOUND_ALLOWED_NETWORKS": core.OUTBOUND_ALLOWED_NETWORKS,
    }
    return [
        Error(f"AUTH_CORE[{setting!r}]: {network!r} is not a network: {problem}.", id="auth_core.E005")
        for setting, networks in settings.items()
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


def _unattainable_demand() -> Iterator[CheckMessage]:
    needed = demanded()
    if needed is not None and needed >= Assurance.AAL2 and snapshot_parts.get(SECOND_FACTORS_PART) is None:
        message = f"AUTH_CORE['ADMINISTRATION'] requires {needed.acr}, but no installed app provides a second factor."
        hint = "Add 'auth_mfa' to INSTALLED_APPS and its step to AUTH_CORE['LOGIN_STEPS'], or remove the setting."
        yield Error(message, hint=hint, id="auth_core.E015")


def _missing_enforcement() -> Iterator[CheckMessage]:
    """Yield what is missing on the pages of an admin site. The API enforces the demand by itself."""
    if not apps.is_installed("django.contrib.admin"):
        return
    if _MIDDLEWARE not in site_middleware():
        message = "AUTH_CORE['ADMINISTRATION'] is set, but the admin site does not enforce it."
        hint = f"Add {_MIDDLEWARE!r} to MIDDLEWARE, after AuthenticationMiddleware."
        yield Error(message, hint=hint, id="auth_core.E016")
    if not has_url("core-pages:again"):
        message = "AUTH_CORE['ADMINISTRATION'] is set, but there is no page for reauthentication."
        yield Error(message, hint="Include 'auth_core.pages.urls' in the URLconf.", id="auth_core.E017")


def has_url(name: str) -> bool:
    """Return whether the site has a page with this name."""
    try:
        reverse(name)
    except NoReverseMatch:
        return False
    return True
