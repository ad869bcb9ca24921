"""An authorization with its user and the state of its application, in one statement. It is prepared on PostgreSQL."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.contrib.auth import get_user_model
from django.core.signals import setting_changed
from django.db.models import BooleanField, Exists, F, QuerySet, Value

from auth_core.models import Identity
from auth_core.oauth.clients.versions import version_of
from auth_core.oauth.models import Authorization, RevokedToken
from auth_core.runtime.compiled_query import CompiledQuery, compile_query

#: Two ids that no row has.
_UNUSED = (UUID(int=1), UUID(int=2))
_UNUSED_NUMBERS = (-11, -12)

_STATE = (
    "application__auth_policy__id", "application__auth_policy__is_active", "application__auth_policy__userinfo_algorithm",
    "first", "second", "version",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Grounds:
    """What a token rests on.

    Args:
        authorization: With its user, and the identity of the user.
        application_id: Public id of its application.
        is_application_active: Whether the application is enabled.
        userinfo_algorithm: What the application wants userinfo signed with. Empty: nothing.
        first: Whether the access token was revoked, or when the refresh token was used.
        second: When the refresh token expires.
        version: Of the application that asks, read by the same statement.
    """

    authorization: Authorization
    application_id: UUID | None
    is_application_active: bool
    userinfo_algorithm: str = ""
    first: Any = None
    second: Any = None
    version: str = ""


def find_by_access_token(authorization_id: UUID, jti: str, *, asked_by: Any = None) -> Grounds | None:
    """Return what an access token rests on, and whether it was revoked.

    Args:
        asked_by: Primary key of the application that asks, for its version. It learns nothing about the person, so only the
            columns that `admission` needs are read. Each of the others would cost a query.
    """
    values = {"jti": jti, "id": authorization_id, "caller": 0 if asked_by is None else asked_by}
    examples = {"id": _UNUSED, "caller": _UNUSED_NUMBERS}
    if asked_by is None:
        return _find("access", _by_access_token, values, examples)
    return _find("asked", _by_access_token, values, examples, is_whole=False)


def find_by_refresh_token(digest: str, application_pk: Any) -> Grounds | None:
    """Return what a refresh token of that application rests on, and whether it is used or expired."""
    return _find("refresh", _by_refresh_token, {"digest": digest, "pk": application_pk}, {"pk": _UNUSED_NUMBERS})


def columns(*, is_whole: bool) -> list[str]:
    """Return the columns of an authorization, its user and their identity, as `built` takes them."""
    of_authorization, of_user, of_identity = _names(is_whole=is_whole)
    of_user = [f"user__{name}" for name in of_user]
    return [*of_authorization, *of_user, *(f"user__auth_identity__{name}" for name in of_identity)]


#: The columns that `admission` reads, besides the primary key.
_FOR_ADMISSION: tuple[frozenset[str], ...] = (
    frozenset({"user_id", "actor_id", "expires_at", "ended_at"}),
    frozenset({"is_active"}),
    frozenset({"user_id", "locked_at"}),
)


@cache
def _names(*, is_whole: bool) -> tuple[list[str], list[str], list[str]]:
    """Return the attributes of the columns that are read of an authorization, of its user, and of their identity."""
    models: tuple[Any, ...] = (Authorization, get_user_model(), Identity)
    authorization, user, identity = (
        [
            field.attname
            for field in model._meta.concrete_fields
            if is_whole or field.primary_key or field.attname in needed
        ]
        for model, needed in zip(models, _FOR_ADMISSION, strict=True)
    )
    return authorization, user, identity


def built(row: Sequence[Any], alias: str, *, is_whole: bool = True) -> Authorization:
    """Return the authorization of a row of `columns`, with its user, as the ORM makes them."""
    of_authorization, of_user, of_identity = _names(is_whole=is_whole)
    ends = (len(of_authorization), len(of_authorization) + len(of_user))
    authorization = Authorization.from_db(alias, of_authorization, row[: ends[0]])
    user: Any = get_user_model().from_db(alias, of_user, row[ends[0] : ends[1]])
    stored = row[ends[1] : ends[1] + len(of_identity)]
    identity = None if stored[0] is None else Identity.from_db(alias, of_identity, stored)
    user._state.fields_cache["auth_identity"] = identity
    if identity is not None:
        identity._state.fields_cache["user"] = user
    authorization._state.fields_cache["user"] = user
    return authorization


def _by_access_token(values: Mapping[str, Any]) -> "QuerySet[Any]":
    revoked = RevokedToken.objects.filter(jti=values["jti"])
    rows = Authorization.objects.filter(pk=values["id"]).annotate(first=Exists(revoked))
    return rows.annotate(second=Value(None, BooleanField()), version=version_of(values["caller"]))


def _by_refresh_token(values: Mapping[str, Any]) -> "QuerySet[Any]":
    rows = Authorization.objects.filter(refresh_tokens__digest=values["digest"], application=values["pk"])
    return rows.annotate(
        first=F("refresh_tokens__used_at"), second=F("refresh_tokens__expires_at"), version=version_of(values["pk"])
    )


_COMPILED: dict[tuple[str, str], CompiledQuery | None] = {}


def _find(
    name: str,
    make: Callable[[Mapping[str, Any]], "QuerySet[Any]"],
    values: Mapping[str, Any],
    examples: Mapping[str, tuple[Any, Any]],
    *,
    is_whole: bool = True,
) -> Grounds | None:
    def query(marks: Mapping[str, Any]) -> "QuerySet[Any]":
        return make(marks).order_by().values_list(*columns(is_whole=is_whole), *_STATE)

    alias = Authorization.objects.db
    if (name, alias) not in _COMPILED:
        texts = [key for key in values if key not in examples]
        _COMPILED[name, alias] = compile_query(query, texts, examples=examples)
    compiled = _COMPILED[name, alias]
    rows = query(values) if compiled is None else compiled.fetch(values)
    return next((_grounds(row, alias, is_whole=is_whole) for row in rows), None)


def _grounds(row: Sequence[Any], alias: str, *, is_whole: bool) -> Grounds:
    application_id, is_active, userinfo_algorithm, first, second, version = row[-len(_STATE) :]
    return Grounds(
        authorization=built(row, alias, is_whole=is_whole),
        application_id=application_id,
        is_application_active=bool(is_active),
        userinfo_algorithm=userinfo_algorithm or "",
        first=first,
        second=second,
        version=version,
    )


def _forget_compiled(**kwargs: Any) -> None:
    _COMPILED.clear()
    _names.cache_clear()


setting_changed.connect(_forget_compiled, dispatch_uid="auth_oauth.tokens.authorization_lookup")
