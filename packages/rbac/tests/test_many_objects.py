"""A page of objects takes one statement, whose rows and plan do not depend on the number of objects."""

from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db import connection
from guardian.shortcuts import assign_perm

from auth_rbac.decisions.decisions import check_existing
from auth_rbac.roles.assignments import assign_role
from auth_rbac.statements import query
from auth_rbac.statements.parameters import listed
from conftest import again, make_role, permission
from shop.models import Paper
from test_services import chosen_plans

pytestmark = pytest.mark.django_db

AWKWARD = [
    "",
    "plain",
    "two words",
    'a "quote"',
    "a \\ backslash",
    '\\"',
    "{braces}",
    "a,comma",
    "NULL",
    "é",
    "'",
    "%s",
]


def rows_for(user: User, papers: list[Paper], monkeypatch: pytest.MonkeyPatch) -> int:
    """Decide about *papers*, each of which the user may view, in a new request. Return the number of rows read."""
    rows: list[Any] = []
    fetch = query.fetch
    with monkeypatch.context() as patch:
        patch.setattr(query, "fetch", lambda *statement: rows.extend(read := fetch(*statement)) or read)
        decisions = check_existing(again(user), "shop.view_paper", Paper, [paper.pk for paper in papers])
    assert all(decisions)
    return len(rows)


@pytest.mark.parametrize("way", ["objects", "everywhere"])
def test_a_page_of_objects_is_as_many_rows_as_one_object(
    way: str, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    papers = [Paper.objects.create() for _n in range(50)]
    if way == "everywhere":
        assign_role(user=alice, role=make_role("reader", "shop.view_paper"))
    else:
        for paper in papers:
            assign_perm("shop.view_paper", alice, paper)
    rows_for(alice, papers[:1], monkeypatch)  # It fills the cache of the roles.

    assert rows_for(alice, papers, monkeypatch) == rows_for(alice, papers[:1], monkeypatch)


def test_only_the_objects_of_the_page_that_exist_and_are_permitted_are_found(alice: User) -> None:
    papers = [Paper.objects.create() for _n in range(4)]
    assign_perm("shop.view_paper", alice, papers[1])
    keys = [papers[0].pk, uuid4(), papers[1].pk, papers[1].pk]

    decisions = check_existing(again(alice), "shop.view_paper", Paper, keys)

    reasons = [None if decision is None else decision.reason.value for decision in decisions]
    assert reasons == ["nothing", None, "object", "object"]


@pytest.mark.postgresql
def test_a_page_of_objects_is_found_by_indexes(alice: User) -> None:
    keys = fill(alice)

    plans = chosen_plans(lambda: check_existing(again(alice), "shop.view_paper", Paper, keys))

    [plan] = [plan for plan in plans if "shop_paper" in plan]
    assert "Seq Scan on shop_paper" not in plan
    assert "Seq Scan on guardian_userobjectpermission" not in plan


def fill(user: User, count: int = 20_000) -> list[Any]:
    """Create many papers, let *user* view all of them, and return the keys of fifty."""
    of = ContentType.objects.get_for_model(Paper).pk, permission("shop.view_paper").pk, user.pk
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO shop_paper (id) SELECT gen_random_uuid() FROM generate_series(1, %s)", [count])
        cursor.execute(
            "INSERT INTO guardian_userobjectpermission (object_pk, content_type_id, permission_id, user_id)"
            " SELECT id::text, %s, %s, %s FROM shop_paper",
            of,
        )
        cursor.execute("ANALYZE shop_paper, guardian_userobjectpermission")
    return list(Paper.objects.values_list("pk", flat=True)[:50])


@pytest.mark.postgresql
def test_the_text_of_an_array_has_every_element_as_it_is() -> None:
    keys = [uuid4(), uuid4()]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT CAST(%s AS text[]), CAST(%s AS uuid[]), CAST(%s AS bigint[]), CAST(%s AS text[])",
            [listed(AWKWARD), listed(keys), listed([1, -2]), listed([])],
        )
        [row] = cursor.fetchall()

    assert row == (AWKWARD, keys, [1, -2], [])
