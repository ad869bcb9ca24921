"""Applications as the endpoints read them: the row of django-oauth-toolkit, and its policy.

A disabled application and a rotated secret count at the next request, in every process. So either one statement reads both
rows, or a statement that reads something else reads their version as well, and what the process remembers has the same one.
"""

from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any
from uuid import UUID

from django.core.signals import setting_changed
from django.db import connections
from django.db.models import Exists, OuterRef, QuerySet
from oauth2_provider.models import get_application_model

from auth_core.crypto.signature_algorithms import STRONG_ALGORITHMS
from auth_core.oauth.clients.versions import current_version_sql, database, own_version
from auth_core.oauth.conf import HIGH, oauth
from auth_core.oauth.models import ApplicationPolicy
from auth_core.oauth.models.application_policy import AuthMethod, SubjectType, TokenFormat
from auth_core.oauth.proofs.assertions import ALGORITHMS
from auth_core.registries import HolderDescription, application_checks, holder_kinds
from auth_core.runtime import prepared_statements
from auth_core.runtime.compiled_query import CompiledQuery, compile_query
from auth_core.users import UserLike

AUTHORIZATION_CODE = "authorization_code"
REFRESH_TOKEN = "refresh_token"  # noqa: S105 - the name of a grant type
CLIENT_CREDENTIALS = "client_credentials"

#: The grant types of an application whose policy names none, by the one of django-oauth-toolkit.
_GRANTS_OF_TOOLKIT: Mapping[str, tuple[str, ...]] = {
    "authorization-code": (AUTHORIZATION_CODE, REFRESH_TOKEN),
    "client-credentials": (CLIENT_CREDENTIALS,),
}

#: The longest client id: the address of a metadata document.
_LONGEST_ID = 255

_OF_APPLICATION = (
    "pk", "client_id", "client_type", "authorization_grant_type", "client_secret", "name", "redirect_uris",
    "post_logout_redirect_uris", "allowed_origins",
)  # fmt: skip
_OF_POLICY = (
    "id", "is_active", "is_first_party", "is_service_account", "grant_types", "scopes", "auth_method", "previous_secret",
    "previous_secret_until", "required_assurance", "token_format", "access_token_lifetime", "refresh_token_lifetime",
    "rotates_refresh_tokens", "id_token_algorithm", "subject_type", "sector", "backchannel_logout_uri",
    "backchannel_session_required", "jwks", "jwks_uri", "profile", "require_par", "require_dpop",
)  # fmt: skip
_LISTS = ("redirect_uris", "post_logout_redirect_uris", "allowed_origins")
_COLUMNS = (*_OF_APPLICATION, *(f"auth_policy__{name}" for name in _OF_POLICY), "has_groups", "version")


class StaleApplication(Exception):
    """The application has changed since this process read it. Nothing was answered and nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredApplication:
    """An application with its policy. The fields are those of the two rows.

    Args:
        id: Its public id.
        pk: The primary key of its row in django-oauth-toolkit.
        is_public: Whether it has no secret.
        grants: The grant types that it may use.
        own_scopes: The scopes that it may ask for besides the open ones.
        has_groups: Whether only members of some groups may use it.
        version: Of the rows. Empty if the database has none.
    """

    id: UUID
    pk: Any
    client_id: str
    name: str
    is_public: bool
    is_active: bool
    is_first_party: bool
    is_service_account: bool
    client_secret: str = field(repr=False)
    previous_secret: str = field(repr=False)
    previous_secret_until: datetime | None
    auth_method: str
    grants: frozenset[str]
    own_scopes: frozenset[str]
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...]
    allowed_origins: tuple[str, ...]
    required_assurance: str
    has_groups: bool
    version: str
    token_format: TokenFormat
    access_token_lifetime: timedelta | None
    refresh_token_lifetime: timedelta | None
    rotates_refresh_tokens: bool
    id_token_algorithm: str
    subject_type: SubjectType
    sector: str
    backchannel_logout_uri: str
    backchannel_session_required: bool
    jwks: str
    jwks_uri: str
    profile: str
    require_par: bool
    require_dpop: bool

    @property
    def is_high(self) -> bool:
        """Whether it has the profile `high`, by the site or by itself."""
        return oauth.is_high or self.profile == HIGH

    @property
    def must_push(self) -> bool:
        """Whether it must push its authorization requests."""
        return self.require_par or self.is_high

    @property
    def must_prove_key(self) -> bool:
        """Whether its tokens must be bound to a key."""
        return self.require_dpop or self.is_high

    @property
    def rotates(self) -> bool:
        """Whether each of its refresh tokens works once. FAPI 2.0 section 5.3.2.1 forbids it to clients with a key."""
        return self.is_public or (self.rotates_refresh_tokens and not self.is_high)

    @property
    def signs_id_tokens_with(self) -> str:
        """The algorithm of its ID tokens. RS256 is what OpenID Connect makes the default, and what FAPI 2.0 forbids."""
        if self.is_high:
            return self.id_token_algorithm if self.id_token_algorithm in STRONG_ALGORITHMS else "ES256"
        return self.id_token_algorithm or "RS256"

    @property
    def assertion_algorithms(self) -> tuple[str, ...]:
        """What its assertions may be signed with."""
        return STRONG_ALGORITHMS if self.is_high else ALGORITHMS

    @property
    def lifetime_of_access(self) -> timedelta:
        """The lifetime of its access tokens. Its own is never longer than that of the site."""
        return min(self.access_token_lifetime or oauth.ACCESS_TOKEN_LIFETIME, oauth.ACCESS_TOKEN_LIFETIME)

    @property
    def lifetime_of_authorizations(self) -> timedelta:
        """The absolute lifetime of what people authorize it for."""
        return min(self.refresh_token_lifetime or oauth.REFRESH_TOKEN_LIFETIME, oauth.REFRESH_TOKEN_LIFETIME)

    @property
    def methods(self) -> frozenset[str]:
        """How it may authenticate. Under `high` a public application may not, and no one has a shared secret."""
        if self.is_high:
            return frozenset() if self.is_public else frozenset({AuthMethod.PRIVATE_KEY.value})
        if self.is_public:
            return frozenset({AuthMethod.NONE.value})
        return frozenset({self.auth_method} if self.auth_method else {AuthMethod.BASIC.value, AuthMethod.POST.value})


#: The applications that this process has read, by client id. Callers choose ids, but only those that exist are kept.
_remembered: dict[str, RegisteredApplication] = {}
_MOST_REMEMBERED = 1024


def remembered_application(client_id: str) -> RegisteredApplication | None:
    """Return the application as this process read it last, without a statement. ``None`` if it has not.

    It may have changed since. The caller compares its `version` with that of the next statement (`versions.version_of`),
    before anything is answered or changed.
    """
    return _remembered.get(client_id)


def find_application(client_id: str) -> RegisteredApplication | None:
    """Return the application with this id, or ``None``. One statement. The process remembers it."""
    if not client_id or len(client_id) > _LONGEST_ID or "\x00" in client_id:
        return None
    compiled = _compiled()
    if compiled is None:
        row = _rows({"client_id": client_id}).first()
    else:
        row = next(map(tuple, compiled.fetch({"client_id": client_id})), None)
    if row is None:
        _remembered.pop(client_id, None)
        return None
    application = _parsed(row)
    if application.version:
        if len(_remembered) >= _MOST_REMEMBERED:
            _remembered.pop(next(iter(_remembered)), None)
        _remembered[client_id] = application
    return application


def confirm(application: RegisteredApplication) -> None:
    """Check that *application*, which this process remembers, has not changed. One statement.

    Raises:
        StaleApplication: it has.
    """
    rows = prepared_statements.put(connections[database()], current_version_sql(), [application.pk], uses_before=1)
    if not rows or rows[0][0] != application.version:
        raise StaleApplication


def find_by_public_id(application_id: UUID) -> RegisteredApplication | None:
    """Return the application with this public id, or ``None``. One statement."""
    return _only(auth_policy__id=application_id)


def find_by_pk(pk: object) -> RegisteredApplication | None:
    """Return the application with this primary key, or ``None``. One statement."""
    return _only(pk=pk)


def may_use(user: UserLike, application: RegisteredApplication) -> bool:
    """Return whether the groups of *user* let them use *application*. No query if it has no groups."""
    if not application.has_groups:
        return True
    allowed = ApplicationPolicy.allowed_groups.through.objects.filter(applicationpolicy_id=application.id)
    groups: Any = getattr(user, "groups", None)
    return groups is not None and groups.filter(pk__in=allowed.values("group_id")).exists()


#: The application that the current request has read. `admission` asks about it again and again.
_served: ContextVar[RegisteredApplication | None] = ContextVar("auth_oauth_served_application", default=None)


@contextmanager
def served(application: RegisteredApplication) -> Iterator[None]:
    """Answer `admission` from *application*, which this request has just read, inside the block."""
    token = _served.set(application)
    try:
        yield
    finally:
        _served.reset(token)


def connect() -> None:
    """Register what `auth_core` asks about applications."""
    application_checks.register("auth_oauth", is_usable)
    holder_kinds.register("service", describe_services)
    setting_changed.connect(_forget_compiled, dispatch_uid="auth_oauth.clients.registry")


def is_usable(application_id: UUID) -> bool:
    """Return whether the application exists and is active."""
    current = _served.get()
    if current is not None and current.id == application_id:
        return current.is_active
    return ApplicationPolicy.objects.filter(pk=application_id, is_active=True).exists()


def describe_services(ids: Collection[UUID]) -> dict[UUID, HolderDescription]:
    """Return the service accounts with these public ids, as holders of roles."""
    rows = ApplicationPolicy.objects.filter(pk__in=ids, is_service_account=True).select_related("application")
    return {row.pk: HolderDescription(label=str(row.application), is_active=row.is_active) for row in rows}


def _only(**conditions: Any) -> RegisteredApplication | None:
    row = _all().filter(**conditions).values_list(*_COLUMNS).first()
    return None if row is None else _parsed(row)


def _all() -> "QuerySet[Any]":
    groups = ApplicationPolicy.allowed_groups.through.objects.filter(applicationpolicy_id=OuterRef("auth_policy__id"))
    rows: QuerySet[Any] = get_application_model()._base_manager.filter(auth_policy__isnull=False)
    annotated: QuerySet[Any] = rows.annotate(has_groups=Exists(groups), version=own_version()).order_by()
    return annotated


def _rows(texts: Mapping[str, str]) -> "QuerySet[Any]":
    return _all().filter(client_id=texts["client_id"]).values_list(*_COLUMNS)


_COMPILED: dict[str, CompiledQuery | None] = {}


def _compiled() -> CompiledQuery | None:
    database = get_application_model()._base_manager.db
    if database not in _COMPILED:
        _COMPILED[database] = compile_query(_rows, ["client_id"])
    return _COMPILED[database]


def _forget_compiled(**kwargs: Any) -> None:
    _COMPILED.clear()


def grants_of(grant_types: str, grant_of_toolkit: str) -> frozenset[str]:
    """Return the grant types of an application, from the column of its policy or else that of django-oauth-toolkit."""
    return frozenset(grant_types.split() or _GRANTS_OF_TOOLKIT.get(grant_of_toolkit, ()))


@lru_cache(maxsize=1024)
def _parsed(row: tuple[Any, ...]) -> RegisteredApplication:
    values = dict(zip([*_OF_APPLICATION, *_OF_POLICY, "has_groups", "version"], row, strict=True))
    grants = grants_of(values.pop("grant_types"), values.pop("authorization_grant_type"))
    is_public, own_scopes = values.pop("client_type") == "public", values.pop("scopes").split()
    values |= {name: tuple(values[name].split()) for name in _LISTS}
    return RegisteredApplication(
        **values,
        is_public=is_public,
        grants=grants,
        own_scopes=frozenset(own_scopes),
    )
