"""System checks of this app."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

from django.contrib.auth.hashers import get_hashers
from django.core.checks import CheckMessage, Error, Tags, register
from django.db import Error as DatabaseProblem
from django.db import router
from django.utils.module_loading import import_string
from oauth2_provider.models import get_application_model
from oauth2_provider.settings import oauth2_settings

from auth_core.oauth.clients.authorization_details import is_type
from auth_core.oauth.clients.redirect_uris import why_not_allowed
from auth_core.oauth.conf import ALL_DOCUMENTS, HIGH, LISTED_DOCUMENTS, NO_DOCUMENTS, oauth
from auth_core.oauth.hashers import ALGORITHM
from auth_core.oauth.keys.algorithms import ALGORITHMS
from auth_core.oauth.keys.boot import missing_keys
from auth_core.oauth.keys.subjects import has_subject_key
from auth_core.oauth.models import ApplicationPolicy, SigningKey, SubjectKey
from auth_core.oauth.models.application_policy import SubjectType
from auth_core.text import Pattern

#: Most addresses that one run names.
_MOST_ERRORS = 20

#: A host with a letter in front, or a domain with a dot in front. ``*`` is none, because `all` says so.
_HOST = Pattern(r"[.]?[a-z0-9][a-z0-9.-]*", at_most=253)

_LONGEST_PUSHED = timedelta(minutes=10)
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@register()
def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Refuse unknown keys of ``AUTH_OAUTH``."""
    return oauth.unknown_key_errors("auth_oauth.E001")


@register()
def check_issuer(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an issuer that clients refuse: it is an https URL without query and fragment (RFC 8414 section 2)."""
    parts = urlsplit(oauth.issuer)
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in _LOCAL)
    if is_safe and parts.hostname and not parts.query and not parts.fragment:
        return []
    hint = "Set AUTH_CORE['PUBLIC_URL'] or AUTH_OAUTH['ISSUER'] to an address such as 'https://auth.example.org'."
    return [Error(f"The issuer {oauth.issuer!r} is not an https URL.", hint=hint, id="auth_oauth.E002")]


@register()
def check_algorithms(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an algorithm that is not offered, or a site without the two that every client needs."""
    unknown = sorted(set(oauth.SIGNING_ALGORITHMS) - set(ALGORITHMS))
    missing = sorted({"ES256", "RS256"} - set(oauth.SIGNING_ALGORITHMS))
    problems = [f"unknown: {', '.join(unknown)}"] if unknown else []
    problems += [f"missing: {', '.join(missing)}"] if missing else []
    hint = f"Known algorithms: {', '.join(ALGORITHMS)}."
    return [
        Error(f"AUTH_OAUTH['SIGNING_ALGORITHMS']: {problem}.", hint=hint, id="auth_oauth.E003") for problem in problems
    ]


@register()
def check_profile(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an unknown profile, and pushed requests that live longer than RFC 9126 allows (FAPI 2.0 section 5.3.2.2)."""
    errors: list[CheckMessage] = []
    if oauth.PROFILE not in ("default", HIGH):
        errors.append(Error("AUTH_OAUTH['PROFILE'] is neither 'default' nor 'high'.", id="auth_oauth.E010"))
    if not timedelta(0) < oauth.PUSHED_REQUEST_LIFETIME < _LONGEST_PUSHED:
        errors.append(Error("AUTH_OAUTH['PUSHED_REQUEST_LIFETIME'] is not below 10 minutes.", id="auth_oauth.E011"))
    return errors


@register()
def check_client_documents(**kwargs: Any) -> list[CheckMessage]:
    """Refuse an unknown policy, and hosts that no client id has: a typo would shut everyone out, or let everyone in."""
    errors: list[CheckMessage] = []
    policies, policy = (NO_DOCUMENTS, LISTED_DOCUMENTS, ALL_DOCUMENTS), oauth.CLIENT_DOCUMENTS
    if policy not in policies:
        hint = f"Known values: {', '.join(policies)}."
        errors.append(Error(f"AUTH_OAUTH['CLIENT_DOCUMENTS'] is {policy!r}.", hint=hint, id="auth_oauth.E012"))
    hosts = oauth.CLIENT_DOCUMENT_HOSTS
    wrong = [hosts] if isinstance(hosts, str) else [host for host in hosts if not _is_host(host)]
    hint = "List hosts in lower case, such as 'client.example.org', or '.example.org' with its subdomains."
    errors += [
        Error(f"AUTH_OAUTH['CLIENT_DOCUMENT_HOSTS'] has {host!r}.", hint=hint, id="auth_oauth.E013") for host in wrong
    ]
    if policy == LISTED_DOCUMENTS and not hosts:
        errors.append(Error("AUTH_OAUTH['CLIENT_DOCUMENT_HOSTS'] is empty.", hint=hint, id="auth_oauth.E013"))
    if policy in (LISTED_DOCUMENTS, ALL_DOCUMENTS) and oauth.is_high:
        text = "AUTH_OAUTH['CLIENT_DOCUMENTS'] has no effect with the profile high, which wants every request pushed."
        errors.append(Error(text, hint="Set it to 'none'.", id="auth_oauth.E014"))
    return errors


def _is_host(host: object) -> bool:
    return isinstance(host, str) and _HOST.fullmatch(host) is not None


@register()
def check_claims(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a claim whose function cannot be imported, because the first login of an application would fail."""
    errors: list[CheckMessage] = []
    for name, path in oauth.CLAIMS.items():
        try:
            import_string(path)
        except ImportError as problem:
            errors.append(Error(f"AUTH_OAUTH['CLAIMS'][{name!r}]: {problem}.", id="auth_oauth.E004"))
    return errors


@register()
def check_hashers(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a site that cannot hash secrets of applications, or that would hash passwords as fast as those."""
    algorithms = [hasher.algorithm for hasher in get_hashers()]
    hint = "Put 'auth_core.oauth.hashers.ClientSecretHasher' at the end of PASSWORD_HASHERS."
    if ALGORITHM not in algorithms:
        text = "PASSWORD_HASHERS has no hasher for the secrets of applications, so none can be registered."
        return [Error(text, hint=hint, id="auth_oauth.E008")]
    if algorithms[0] == ALGORITHM:
        text = "The first of PASSWORD_HASHERS is that of secrets of applications. It is too fast for passwords."
        return [Error(text, hint=hint, id="auth_oauth.E009")]
    return []


@register(Tags.database)
def check_signing_keys(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse a service that cannot sign, or cannot read one of its keys."""
    if router.db_for_read(SigningKey) not in (databases or ()):
        return []
    try:
        problem = missing_keys()
    except DatabaseProblem:
        # Before the first migration there is no table. The migration makes the first keys.
        return []
    hint = "Run `manage.py rotate_keys --signing`, or set AUTH_OAUTH['SIGNING_KEYS']."
    return [Error(problem, hint=hint, id="auth_oauth.E005")] if problem else []


@register()
def check_detail_types(**kwargs: Any) -> list[CheckMessage]:
    """Refuse a type of authorization details that no application could have, or about which people would read nothing."""
    types = oauth.AUTHORIZATION_DETAILS_TYPES
    wrong = [name for name, sentence in types.items() if not is_type(name) or not str(sentence).strip()]
    hint = "A type has letters, digits and . : / # _ -, and a sentence."
    return [
        Error(f"AUTH_OAUTH['AUTHORIZATION_DETAILS_TYPES'][{name!r}] is not valid.", hint=hint, id="auth_oauth.E016")
        for name in wrong
    ]


@register(Tags.database)
def check_subject_key(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse applications with pairwise ids whose key is lost. No id of theirs can be made."""
    if router.db_for_read(SubjectKey) not in (databases or ()):
        return []
    try:
        pairwise = ApplicationPolicy.objects.filter(subject_type=SubjectType.PAIRWISE)
        is_lost = pairwise.exists() and not has_subject_key()
    except DatabaseProblem:
        # Before the first migration there is no table.
        return []
    hint = "Restore the row of auth_oauth_subjectkey, and FIELD_KEYS, from a backup. Another key would change every id."
    text = "The key of pairwise ids is missing or cannot be read."
    return [Error(text, hint=hint, id="auth_oauth.E017")] if is_lost else []


@register(Tags.security, deploy=True)
def check_toolkit_schemes(**kwargs: Any) -> list[CheckMessage]:
    """Refuse ``http`` for django-oauth-toolkit, which would then register addresses of any host (RFC 9700 section 2.1).

    It stands in place of ``oauth2_provider.E003``. Loopback addresses need no such scheme here, see `redirect_uris`.
    """
    schemes = {str(scheme).lower() for scheme in oauth2_settings.ALLOWED_REDIRECT_URI_SCHEMES}
    if "http" not in schemes:
        return []
    hint = "Remove 'http'. This app itself allows http for the computer of the person, and for nothing else."
    text = "OAUTH2_PROVIDER['ALLOWED_REDIRECT_URI_SCHEMES'] has http."
    return [Error(text, hint=hint, id="auth_oauth.E006")]


@register(Tags.security)
def check_toolkit_registration(**kwargs: Any) -> list[CheckMessage]:
    """Refuse the registration of django-oauth-toolkit: its applications would obey none of the rules of this app."""
    if not oauth2_settings.DCR_ENABLED:
        return []
    hint = "Remove it, and set AUTH_OAUTH['DYNAMIC_REGISTRATION']."
    return [Error("OAUTH2_PROVIDER['DCR_ENABLED'] is on.", hint=hint, id="auth_oauth.E015")]


@register(Tags.database, deploy=True)
def check_redirect_uris(databases: Sequence[str] | None = None, **kwargs: Any) -> list[CheckMessage]:
    """Refuse applications with an address to which no answer may go. People would see an error at every login."""
    model = get_application_model()
    if router.db_for_read(model) not in (databases or ()):
        return []
    try:
        rows = list(model._base_manager.values_list("client_id", "redirect_uris"))
    except DatabaseProblem:
        return []
    wrong = [(client_id, uri) for client_id, text in rows for uri in text.split() if why_not_allowed(uri)]
    hint = "Use https, http for the computer of the person, or a scheme with a dot."
    return [
        Error(f"The application {client_id} has the redirect address {uri!r}.", hint=hint, id="auth_oauth.E007")
        for client_id, uri in wrong[:_MOST_ERRORS]
    ]
