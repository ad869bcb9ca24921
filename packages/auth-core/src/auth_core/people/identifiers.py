"""The accounts that an identifier names, and which of them it signs in (decision record 0042).

An identifier is looked up by `EmailAddress` and by the columns of the site's user model, in one statement. People who
were there before this package, and people created by other code, are found like all others.

The claims, the strongest first. One of them hides all weaker ones:

1. A verified address. It has one owner.
2. The username, exactly as stored.
3. An unverified address in a column. It may stand in the columns of several accounts.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any

from django.contrib.auth import get_user_model
from django.core.signals import setting_changed
from django.db.models import (
    BooleanField,
    Exists,
    ExpressionWrapper,
    F,
    FilteredRelation,
    OuterRef,
    Q,
    QuerySet,
)
from django.db.models.query import ModelIterable

from auth_core.models import EmailAddress, Identity
from auth_core.people.addresses import Address, InvalidAddress, parse, unicode_domain
from auth_core.people.column_index import AsciiLower, gate, indexed_fields
from auth_core.people.user_columns import (
    address_fields,
    addresses_in,
    as_username,
    column_named,
    find_by_natural_key,
    has_own_natural_key,
    stores_address_keys,
    username_field,
)
from auth_core.runtime.compiled_query import CompiledQuery, compile_query
from auth_core.users import UserLike

#: The number of accounts with one unverified address that are considered. A reset mails a link to each.
MAX_MATCHES = 10

#: An account may have more than one row with an address. The strongest claims are read first.
_MAX_ROWS = 2 * MAX_MATCHES

#: Names of annotations of a user.
_ROW, _IS_NAMED = "auth_core_row", "auth_core_is_named"
_COLUMNS = [field.attname for field in EmailAddress._meta.concrete_fields]
_ANNOTATIONS = [_IS_NAMED, *(f"{_ROW}_{column}" for column in _COLUMNS)]


class Claim(IntEnum):
    """Why an identifier names an account, the strongest claim first."""

    VERIFIED = 1
    USERNAME = 2
    UNVERIFIED = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """An account that an identifier names.

    Args:
        user: The account, with its identity.
        claim: Why the identifier names it.
        mailbox: The stored address, where mail to this account goes. Empty for a username.
        row: The `EmailAddress` of the account with this address, if there is one.
    """

    user: Any
    claim: Claim
    mailbox: str = ""
    row: EmailAddress | None = None


def matches_of(identifier: str) -> list[Match]:
    """Return the accounts with the strongest claim to *identifier*. One query, whether or not there are any.

    A site whose manager has its own `get_by_natural_key` pays for a second one.
    """
    try:
        address = parse(identifier)
    except InvalidAddress:
        found = _named(identifier)
    else:
        found = _found(address, identifier)
    return _strongest([*found, *_named_naturally(identifier)] if has_own_natural_key() else found)


def addressees_of(address: Address) -> list[Match]:
    """Return the accounts that mail for *address* is about: its verified owner, or all that have it in a column.

    A username that only looks like the address is not looked up. One query.
    """
    return _strongest(_found(address))


def sole_match(matches: Sequence[Match]) -> Match | None:
    """Return the one of *matches* that may sign in, or ``None``. Of several accounts it is the only active one."""
    candidates = [match for match in matches if match.user.is_active] if len(matches) > 1 else list(matches)
    return candidates[0] if len(candidates) == 1 else None


def users_named_by(identifier: str) -> "QuerySet[Any]":
    """Return a queryset with the user that `matches_of` and `sole_match` find, for use inside another query.

    It finds no user where they compare in Python: among several accounts with one address, and for a stored address in
    an unusual spelling.
    """
    users = get_user_model()._default_manager
    name = as_username(identifier)
    # Not `none()`: a query that is known to be empty cannot be compiled into another one.
    named = users.filter(pk__isnull=True) if name is None else users.filter(**{username_field().name: name})
    try:
        address = parse(identifier)
    except InvalidAddress:
        return named
    holders = _union(_holders(_terms_of(address, "")))
    owners = _verified(address).filter(Q(is_adopted=False) | Q(user__in=holders))
    others = users.filter(pk__in=holders).exclude(pk=OuterRef("pk"))
    sole = users.filter(pk__in=holders).exclude(Exists(owners)).exclude(Exists(named)).exclude(Exists(others))
    return users.filter(pk__in=_union([_pks(owners, "user_id"), _pks(named.exclude(Exists(owners))), _pks(sole)]))


def spellings_of(address: Address) -> list[str]:
    """Return the ways in which a column may hold *address*, in lower case: with A-labels and with U-labels."""
    local, _at, domain = address.key.rpartition("@")
    return list(dict.fromkeys([address.key, f"{local}@{unicode_domain(domain)}"]))


def _strongest(found: Sequence[Match]) -> list[Match]:
    strongest = min((match.claim for match in found), default=None)
    matches = {match.user.pk: match for match in found if match.claim == strongest}
    return list(matches.values())


def _named(identifier: str) -> list[Match]:
    name = as_username(identifier)
    if name is None:
        return []
    users = get_user_model()._default_manager.select_related("auth_identity")
    user = users.filter(**{username_field().name: name}).first()
    return [] if user is None else [Match(user=user, claim=Claim.USERNAME)]


def _named_naturally(identifier: str) -> list[Match]:
    user = find_by_natural_key(identifier)
    return [] if user is None else [Match(user=user, claim=Claim.USERNAME)]


def _found(address: Address, identifier: str = "") -> list[Match]:
    """Return every account with *address*, or with the username *identifier*, each with its strongest claim."""
    terms = _terms_of(address, identifier)
    compiled = compiled_lookup(terms)
    found = _accounts(terms)[:_MAX_ROWS] if compiled is None else _built(compiled.fetch(terms.texts()), compiled.alias)
    matches: dict[Any, Match] = {}
    for user in found:
        match = _match(user, address)
        if match is not None and (user.pk not in matches or match.claim < matches[user.pk].claim):
            matches[user.pk] = match
    return list(matches.values())[:MAX_MATCHES]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Terms:
    """What the accounts with an address, or with a username, are searched by.

    Args:
        key: The key of the address.
        exact: The texts that a column is compared with.
        spellings: The same in lower case.
        name: The username, as the column has it. ``None``: no username.
    """

    key: str
    exact: Sequence[str]
    spellings: Sequence[str]
    name: Any

    def texts(self) -> dict[str, str]:
        """Return all texts by name."""
        texts = {"key": self.key} | ({} if self.name is None else {"name": self.name})
        texts |= {f"exact{number}": text for number, text in enumerate(self.exact)}
        return texts | {f"spelling{number}": text for number, text in enumerate(self.spellings)}

    def replaced(self, texts: Mapping[str, str]) -> "_Terms":
        """Return the same terms with other texts."""
        return _Terms(
            key=texts["key"],
            exact=[texts[f"exact{number}"] for number in range(len(self.exact))],
            spellings=[texts[f"spelling{number}"] for number in range(len(self.spellings))],
            name=texts.get("name"),
        )


def _terms_of(address: Address, identifier: str) -> _Terms:
    exact = list(dict.fromkeys([address.key, address.mailbox, *([identifier.strip(" ")] if identifier else [])]))
    name = as_username(identifier) if identifier else None
    return _Terms(key=address.key, exact=exact, spellings=spellings_of(address), name=name)


#: The look-ups that were compiled, by the database and the form of their terms.
_COMPILED: dict[tuple[Any, ...], CompiledQuery | None] = {}


def compiled_lookup(terms: _Terms) -> CompiledQuery | None:
    """Return the compiled query for accounts. ``None``: the manager of the model makes other rows or queries."""
    users = get_user_model()._default_manager.all()
    if users.query.where:
        # The manager filters, maybe by the tenant of this request. A compiled query would keep the first one.
        return None
    form = (users.db, len(terms.exact), len(terms.spellings), terms.name is None)
    if form not in _COMPILED:
        _COMPILED[form] = _compile(users, terms)
    # A username that is not a text has its own parameter type.
    return _COMPILED[form] if terms.name is None or isinstance(terms.name, str) else None


def _compile(users: "QuerySet[Any]", terms: _Terms) -> CompiledQuery | None:
    query: Any = users.query
    # Django has no public name for what a queryset makes of its rows. Packages for inheritance replace it.
    makes_users = getattr(users, "_iterable_class", None) is ModelIterable
    if not makes_users or query.annotations or query.select_related or query.deferred_loading[0] or query.extra:
        return None
    columns = [*_names_of(users.model), *(f"auth_identity__{name}" for name in _names_of(Identity)), *_ANNOTATIONS]
    return compile_query(
        lambda texts: _accounts(terms.replaced(texts)).values_list(*columns)[:_MAX_ROWS], list(terms.texts())
    )


def _built(rows: Sequence[Sequence[Any]], alias: str) -> Iterator[Any]:
    """Yield the users of *rows*, each with its identity and annotations, as the ORM makes them."""
    model = get_user_model()
    of_user, of_identity = _names_of(model), _names_of(Identity)
    for row in rows:
        user: Any = model.from_db(alias, of_user, row[: len(of_user)])
        stored, annotations = row[len(of_user) : -len(_ANNOTATIONS)], row[-len(_ANNOTATIONS) :]
        identity = None if stored[0] is None else Identity.from_db(alias, of_identity, stored)
        user._state.fields_cache["auth_identity"] = identity
        if identity is not None:
            identity._state.fields_cache["user"] = user
        for name, value in zip(_ANNOTATIONS, annotations, strict=True):
            setattr(user, name, value)
        yield user


def _names_of(model: Any) -> list[str]:
    return [field.attname for field in model._meta.concrete_fields]


def _forget_compiled(setting: str, **kwargs: Any) -> None:
    """Forget the queries when a test changes which models there are, or where they are."""
    if setting in {"AUTH_USER_MODEL", "DATABASES", "DATABASE_ROUTERS", "INSTALLED_APPS"}:
        _COMPILED.clear()


setting_changed.connect(_forget_compiled, dispatch_uid="auth_core.people.identifiers")


def _accounts(terms: _Terms) -> "QuerySet[Any]":
    """Return a query for every account with the address of *terms* or its username."""
    users = get_user_model()._default_manager
    name = terms.name
    rows = EmailAddress.objects.filter(Q(verified_at__isnull=False) | Q(is_primary=True), key=terms.key)
    named = [] if name is None else [_pks(users.filter(**{username_field().name: name}))]
    is_named = Q(pk__isnull=True) if name is None else Q(**{username_field().name: name})
    return (
        users.filter(pk__in=_union([_pks(rows, "user_id"), *named, *_holders(terms)]))
        .select_related("auth_identity")
        .annotate(
            **{_ROW: FilteredRelation("email_addresses", condition=Q(email_addresses__key=terms.key))},
            **{_IS_NAMED: ExpressionWrapper(is_named, output_field=BooleanField())},
        )
        .annotate(**{f"{_ROW}_{column}": F(f"{_ROW}__{column}") for column in _COLUMNS})
        # The strongest claims and the active accounts come first: ten thousand columns with an address must not hide the
        # row of its owner.
        .order_by(F(f"{_ROW}__verified_at").asc(nulls_last=True), F(_IS_NAMED).desc(), *_active_first(), "pk")
    )


def _active_first() -> list[str]:
    return [] if column_named("is_active") is None else ["-is_active"]


def _match(user: Any, address: Address) -> Match | None:
    """Return the strongest claim of a row. ``None`` if the database found a spelling of another mailbox."""
    row = _row_of(user)
    own = next((own for own in addresses_in(user) if own.key == address.key), None)
    # Without address columns there is nothing that could contradict the row.
    is_current = own is not None or not address_fields()
    if row is not None and not (row.is_proved or is_current):
        row = None
    mailbox = row.address if row is not None else own.mailbox if own is not None else ""
    if row is not None and row.verified_at is not None:
        return Match(user=user, claim=Claim.VERIFIED, mailbox=mailbox, row=row)
    if getattr(user, _IS_NAMED):
        return Match(user=user, claim=Claim.USERNAME, mailbox=mailbox, row=row)
    if own is not None or row is not None:
        return Match(user=user, claim=Claim.UNVERIFIED, mailbox=mailbox, row=row)
    return None


def _row_of(user: Any) -> EmailAddress | None:
    """Return the joined row of `EmailAddress`. ``None`` if the account has none with this address."""
    values = {column: getattr(user, f"{_ROW}_{column}") for column in _COLUMNS}
    if values["id"] is None:
        return None
    row = EmailAddress.from_db(user._state.db, list(values), list(values.values()))
    row.user = user
    return row


def _verified(address: Address) -> "QuerySet[EmailAddress]":
    return EmailAddress.objects.filter(key=address.key, verified_at__isnull=False)


def _holders(terms: _Terms) -> "list[QuerySet[Any]]":
    """Return queries for the users with the address of *terms* in a column, each served by one index."""
    users = get_user_model()._default_manager
    queries = [
        users.filter(**{f"{field.name}__in": terms.exact})
        for field in address_fields()
        if field.unique or getattr(field, "db_index", False) or stores_address_keys()
    ]
    for field in indexed_fields():
        lower = users.alias(auth_core_lower=AsciiLower(F(field.name)))
        queries.append(lower.filter(*gate(field, lower.db), auth_core_lower__in=terms.spellings))
    if not address_fields():
        queries.append(users.filter(email_addresses__key=terms.key, email_addresses__is_primary=True))
    return [_pks(query) for query in queries]


def _pks(query: "QuerySet[Any]", column: str = "pk") -> "QuerySet[Any]":
    return query.order_by().values(column)


def _union(queries: "Sequence[QuerySet[Any]]") -> "QuerySet[Any]":
    first, *others = queries
    return first.union(*others, all=True) if others else first


def is_sole_holder(user: UserLike, address: Address) -> bool:
    """Return whether *user* is the one account that *address* would be mailed and signed in to. One query."""
    match = sole_match(addressees_of(address))
    return match is not None and match.user.pk == user.pk
