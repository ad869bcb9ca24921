"""The settings of an application as one set of values, over the two rows that hold them."""

import json
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any, TypedDict, cast

from django.contrib.auth.models import Group
from oauth2_provider.models import get_application_model

from auth_core.oauth.clients.registry import AUTHORIZATION_CODE, DEVICE_CODE, grants_of
from auth_core.oauth.clients.sectors import SECTOR_VALUES, sector_of
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.models.application_policy import AuthMethod


class ApplicationSettings(TypedDict, total=False):
    """What an administrator sets. What is left out keeps its value, or has the default of the column.

    Args:
        redirect_uris: Where answers of a login go.
        post_logout_redirect_uris: Where a logout may lead.
        allowed_origins: Origins of scripts that may read the answers of the token endpoint.
        grants: Names of grant types.
        scopes: Scopes that it may ask for besides those of OpenID Connect.
        is_first_party: Whether it belongs to the operator. People are not asked to consent.
        is_service_account: Whether it may hold roles and act for itself.
        auth_method: How it authenticates. Empty: by its secret, in either way. With ``private_key_jwt`` it has no secret.
        jwks: The public keys that verify its assertions: a JSON Web Key Set, as text.
        jwks_uri: Where its public keys are fetched from, if it has no `jwks`.
        profile: ``high``, or empty: that of the site.
        require_par: Whether it must push its authorization requests.
        require_dpop: Whether its tokens are bound to a key.
        required_assurance: The level that a session must have proved, such as ``aal2``. Empty: none.
        allowed_groups: Only their members may use it. None: everyone.
        token_format: ``jwt`` or ``opaque``.
        access_token_lifetime: ``None``: that of the site. Never more.
        refresh_token_lifetime: Absolute lifetime of what people authorize. ``None``: that of the site. Never more.
        rotates_refresh_tokens: Whether each refresh token works once. Those of public applications always do.
        id_token_algorithm: Empty: RS256.
        subject_type: ``public``: it sees the same id of a person as all others. ``pairwise``: that of its sector.
        sector_identifier_uri: An address whose host is the sector. Empty: the host of the redirect addresses.
        userinfo_signed_response_alg: What userinfo is signed with. Empty: it is JSON.
        authorization_details_types: Types of authorization details that it may ask for.
        exchange_audiences: URIs of resources for which it may exchange tokens of people.
        backchannel_logout_uri: Where the end of a session is posted to.
        backchannel_session_required: Whether that names the session.
        client_uri, logo_uri, policy_uri, tos_uri: Pages that people see before they consent.
    """

    redirect_uris: Sequence[str]
    post_logout_redirect_uris: Sequence[str]
    allowed_origins: Sequence[str]
    grants: Sequence[str]
    scopes: Sequence[str]
    is_first_party: bool
    is_service_account: bool
    auth_method: str
    jwks: str
    jwks_uri: str
    profile: str
    require_par: bool
    require_dpop: bool
    required_assurance: str
    allowed_groups: Sequence[Group]
    token_format: str
    access_token_lifetime: timedelta | None
    refresh_token_lifetime: timedelta | None
    rotates_refresh_tokens: bool
    id_token_algorithm: str
    subject_type: str
    sector_identifier_uri: str
    userinfo_signed_response_alg: str
    authorization_details_types: Sequence[str]
    exchange_audiences: Sequence[str]
    backchannel_logout_uri: str
    backchannel_session_required: bool
    client_uri: str
    logo_uri: str
    policy_uri: str
    tos_uri: str


class ApplicationChanges(ApplicationSettings, total=False):
    """What may change later, besides the settings.

    Args:
        name: What people read before they consent.
        is_active: Whether it may be used. Without it, everything that people gave to it ends.
    """

    name: str
    is_active: bool


class ApplicationValues(ApplicationChanges):
    """All values of one application.

    Args:
        is_public: Whether it cannot keep a secret. It never changes.
    """

    is_public: bool


#: Values in columns of django-oauth-toolkit, and lists in columns of either row, by the name of the column.
_OF_APPLICATION = ("name", "redirect_uris", "post_logout_redirect_uris", "allowed_origins")
_LISTS_OF_POLICY = ("scopes", "authorization_details_types", "exchange_audiences")
_LISTS = ("redirect_uris", "post_logout_redirect_uris", "allowed_origins", *_LISTS_OF_POLICY)

#: Values that a column of the policy has as they are.
_OF_POLICY = (
    "is_active", "is_first_party", "is_service_account", "auth_method", "jwks", "jwks_uri", "profile", "require_par",
    "require_dpop", "required_assurance", "token_format", "access_token_lifetime", "refresh_token_lifetime",
    "rotates_refresh_tokens", "id_token_algorithm", "subject_type", "sector_identifier_uri", "userinfo_signed_response_alg",
    "backchannel_logout_uri", "backchannel_session_required", "client_uri", "logo_uri", "policy_uri", "tos_uri",
)  # fmt: skip

#: Columns of the policy of an application without a secret.
_WITHOUT_SECRET = {
    "previous_secret": "", "previous_secret_until": None, "unread": None, "unread_in": None, "unread_until": None,
}  # fmt: skip

#: The columns whose values the rules are about. `is_active` is not among them: what breaks a rule can be disabled.
RULED_COLUMNS = frozenset({
    *_OF_APPLICATION, "client_type", "grant_types", "sector", *_LISTS_OF_POLICY, *_OF_POLICY,
}) - {"is_active"}  # fmt: skip


def values_of(policy: ApplicationPolicy) -> ApplicationValues:
    """Return all values of an application. One query for the groups, unless they were prefetched."""
    row: Any = policy.application
    values: dict[str, Any] = {name: getattr(policy, name) for name in _OF_POLICY}
    values |= {name: getattr(row, name) for name in _OF_APPLICATION}
    values |= {name: getattr(policy, name) for name in _LISTS_OF_POLICY}
    values |= {name: values[name].split() for name in _LISTS}
    values["grants"] = sorted(grants_of(policy.grant_types, row.authorization_grant_type))
    values["allowed_groups"] = sorted(policy.allowed_groups.all(), key=str)
    values["is_public"] = row.client_type == get_application_model().CLIENT_PUBLIC
    return cast("ApplicationValues", values)


def default_values(*, name: str, is_public: bool) -> ApplicationValues:
    """Return the values of an application that sets nothing. It has no grant type yet."""
    policy = ApplicationPolicy()
    values: dict[str, Any] = {column: getattr(policy, column) for column in _OF_POLICY}
    values |= {column: [] for column in (*_LISTS, "grants", "allowed_groups")}
    return cast("ApplicationValues", {**values, "name": name, "is_public": is_public})


def merged(values: ApplicationValues, changes: Mapping[str, Any]) -> ApplicationValues:
    """Return *values* with *changes*. Lists have each member once, and those without an order are sorted."""
    once = {name: list(dict.fromkeys(new)) if isinstance(new, list | tuple) else new for name, new in changes.items()}
    once |= {name: sorted(once[name], key=str) for name in ("grants", "allowed_groups") if name in once}
    return cast("ApplicationValues", {**values, **once})


def write_values(policy: ApplicationPolicy, values: Mapping[str, Any]) -> None:
    """Write *values*, which obey the rules, to both rows. What is left out stays as it is.

    An application that starts to authenticate with its key loses its secret.
    """
    row: Any = policy.application
    columns = {name: " ".join(new) if name in _LISTS else new for name, new in values.items()}
    of_row = {name: columns[name] for name in _OF_APPLICATION if name in columns}
    of_policy = {name: columns[name] for name in (*_OF_POLICY, *_LISTS_OF_POLICY) if name in columns}
    if "grants" in values:
        model = get_application_model()
        names = {AUTHORIZATION_CODE: model.GRANT_AUTHORIZATION_CODE, DEVICE_CODE: model.GRANT_DEVICE_CODE}
        grant = next((names[name] for name in names if name in values["grants"]), model.GRANT_CLIENT_CREDENTIALS)
        of_policy["grant_types"], of_row["authorization_grant_type"] = " ".join(values["grants"]), grant
    if values.get("auth_method") == AuthMethod.PRIVATE_KEY:
        # Another method later must not make a secret from before valid again.
        of_row |= {"client_secret": "", "hash_client_secret": False}
        of_policy |= _WITHOUT_SECRET
    if SECTOR_VALUES & values.keys():
        of_policy["sector"] = sector_of(merged(values_of(policy), values))
    _save_both((row, of_row), (policy, of_policy))
    if "allowed_groups" in values:
        policy.allowed_groups.set(values["allowed_groups"])


def _save_both(*pairs: tuple[Any, Mapping[str, Any]]) -> None:
    """Save the columns of two rows. Both are set before one is saved, because the rules concern them together."""
    for instance, columns in pairs:
        for name, new in columns.items():
            setattr(instance, name, new)
    for instance, columns in pairs:
        if columns:
            instance.save(update_fields=list(columns))


def wire_name(name: str) -> str:
    """Return the name of a value in requests, answers and events: that of a flag has no ``is_``."""
    return name.removeprefix("is_")


def changes_between(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the values that differ, for an event."""
    pairs = {name: (wire_value(name, before.get(name)), wire_value(name, after[name])) for name in after}
    return {wire_name(name): {"before": old, "after": new} for name, (old, new) in pairs.items() if old != new}


def wire_value(name: str, new: object) -> Any:
    """Return a value in answers and events. A key set is an object, and ``None`` without one."""
    if name != "jwks" or not isinstance(new, str):
        return plain(new)
    try:
        return json.loads(new) if new else None
    except (ValueError, RecursionError):
        # A row that no rule has seen.
        return new


def plain(new: object) -> Any:
    """Return a value as JSON has it: groups by their names, durations in seconds."""
    if isinstance(new, timedelta):
        return int(new.total_seconds())
    if isinstance(new, list | tuple):
        return [str(member) for member in new]
    return str(new) if isinstance(new, str) else new
