"""Queries that are compiled once give the same rows as the ORM, for every text."""

from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth import get_user_model
from django.db.models import Q
from django.db.models.functions import Lower

from auth_core.flows.account_creation import create_account
from auth_core.models import EmailAddress
from auth_core.people import identifiers
from auth_core.people.identifiers import matches_of
from auth_core.runtime.compiled_query import compile_query
from auth_core.testing.factories import PASSWORD, make_user

pytestmark = pytest.mark.django_db


def addresses(texts: Any) -> Any:
    return EmailAddress.objects.filter(Q(key=texts["key"]) | Q(address=texts["key"]), is_primary=True).values_list(
        "key"
    )


@pytest.mark.postgresql
def test_a_compiled_query_finds_what_the_orm_finds() -> None:
    create_account(email="alice@example.org", password=PASSWORD, verified=True)
    compiled = compile_query(addresses, ["key"])

    assert compiled is not None
    for text in ("alice@example.org", "bob@example.org", "%s", "'; --", "\\", "%(key)s", " Mark \uff21 key "):
        assert [tuple(row) for row in compiled.fetch({"key": text})] == list(addresses({"key": text}))


@pytest.mark.postgresql
@pytest.mark.parametrize(
    "make",
    [
        lambda texts: addresses({"key": texts["key"].lower()}),
        lambda texts: addresses({"key": texts["key"].strip()}),
        lambda texts: addresses({"key": sha256(texts["key"].encode()).hexdigest()}),
        lambda texts: EmailAddress.objects.filter(pk=texts["key"]),
        lambda texts: EmailAddress.objects.filter(key__contains=texts["key"]),
    ],
    ids=["lower case", "stripped", "hashed", "a number", "a pattern"],
)
def test_a_query_that_changes_its_texts_is_not_compiled(make: Any) -> None:
    assert compile_query(make, ["key"]) is None


@pytest.mark.postgresql
def test_a_value_that_is_no_text_needs_two_examples() -> None:
    person = make_user()

    def rows_of(values: Any) -> Any:
        return EmailAddress.objects.filter(user=values["user"], key=values["key"]).values_list("key")

    compiled = compile_query(rows_of, ["key"], examples={"user": (UUID(int=1), UUID(int=2))})

    assert compiled is not None
    (key,) = EmailAddress.objects.values_list("key", flat=True)
    assert compiled.fetch({"user": person.pk, "key": key}) == [[key]]
    assert compiled.fetch({"user": uuid4(), "key": key}) == []
    assert compile_query(rows_of, ["key", "user"]) is None


@pytest.mark.sqlite
def test_other_databases_compile_nothing() -> None:
    assert compile_query(addresses, ["key"]) is None


def found(identifier: str) -> list[Any]:
    return [
        (match.user, match.user.__dict__.keys(), match.user.auth_identity.pk, match.claim, match.mailbox, match.row)
        for match in matches_of(identifier)
    ]


@pytest.mark.postgresql
def test_the_compiled_look_up_of_people_finds_whom_the_orm_finds(monkeypatch: pytest.MonkeyPatch) -> None:
    create_account(email="alice@example.org", password=PASSWORD, verified=True)
    make_user("bob@example.org")
    create_account(email="user@bücher.example", password=PASSWORD, verified=True)
    typed = ["alice@example.org", "ALICE@example.org ", "bob@example.org", "user@bücher.example",
             "user@xn--bcher-kva.example", "eve@example.org", "alice"]  # fmt: skip
    compiled = [found(identifier) for identifier in typed]
    assert any(query is not None for query in identifiers._COMPILED.values())

    monkeypatch.setattr(identifiers, "compiled_lookup", lambda terms: None)

    assert compiled == [found(identifier) for identifier in typed]
    assert [len(people) for people in compiled] == [1, 1, 1, 1, 1, 0, 0]


@pytest.mark.postgresql
def test_a_user_without_an_identity_is_found() -> None:
    user = make_user("bob@example.org")
    get_user_model()._default_manager.get(pk=user.pk)
    identifiers.Identity.objects.filter(user=user).delete()

    [match] = matches_of("bob@example.org")

    assert (match.user.pk, getattr(match.user, "auth_identity", None)) == (user.pk, None)


@pytest.mark.postgresql
def test_a_manager_that_makes_other_queries_is_left_to_the_orm(monkeypatch: pytest.MonkeyPatch) -> None:
    terms = identifiers._terms_of(identifiers.parse("alice@example.org"), "alice@example.org")
    manager = get_user_model()._default_manager
    identifiers._COMPILED.clear()
    monkeypatch.setattr(type(manager), "get_queryset", lambda self: self._queryset_class(self.model).annotate(
        name_in_lower_case=Lower("email")
    ))  # fmt: skip

    assert identifiers.compiled_lookup(terms) is None

    identifiers._COMPILED.clear()


@pytest.mark.postgresql
def test_a_manager_that_filters_by_the_request_is_asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    alice, bob = make_user("alice@example.org"), make_user("bob@example.org")
    manager, tenant = get_user_model()._default_manager, [alice.pk]
    identifiers._COMPILED.clear()
    monkeypatch.setattr(type(manager), "get_queryset", lambda self: self._queryset_class(self.model).filter(
        pk__in=tenant
    ))  # fmt: skip

    assert [len(matches_of(f"{name}@example.org")) for name in ("alice", "bob")] == [1, 0]
    tenant[:] = [bob.pk]
    assert [len(matches_of(f"{name}@example.org")) for name in ("alice", "bob")] == [0, 1]

    identifiers._COMPILED.clear()
