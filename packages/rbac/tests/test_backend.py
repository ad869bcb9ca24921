"""The backend beside Django's own: it has no people, and async questions get the same answers."""

from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import get_user_model
from django.test import Client

from auth_core.backends import backend_knowing
from auth_rbac.backends import RoleBackend
from auth_rbac.roles.assignments import assign_role
from auth_rbac.roles.roles import create_role
from conftest import again, permission
from shop.models import Branch, Company, Order

pytestmark = pytest.mark.django_db


def test_the_test_client_signs_people_in_although_this_backend_is_the_first(alice: Any) -> None:
    browser = Client()
    browser.force_login(alice)

    assert browser.session["_auth_user_backend"] == "auth_core.backends.IdentifierBackend"
    assert not hasattr(RoleBackend(), "get_user")
    assert backend_knowing(alice) == "auth_core.backends.IdentifierBackend"


@pytest.mark.django_db(transaction=True)
def test_an_async_question_gets_the_answer_of_a_sync_one(alice: Any) -> None:
    branch = Branch.objects.create(company=Company.objects.create())
    order, other = Order.objects.create(branch=branch), Order.objects.create(branch=branch)
    clerk = create_role(name="Clerk", wildcards=["shop.order.*"], denials=[permission("shop.delete_order")])
    alice.user_permissions.add(permission("shop.delete_order"))
    assign_role(user=alice, role=clerk, scope=order)

    names = ["shop.change_order", "shop.delete_order", "shop.view_branch"]
    questions = [(name, one) for name in names for one in (None, order, other)]
    person = get_user_model().objects.get(pk=alice.pk)

    answers = [async_to_sync(person.ahas_perm)(name, one) for name, one in questions]

    assert answers == [again(alice).has_perm(name, one) for name, one in questions]
    assert (answers[1], answers[4]) == (True, False)


@pytest.mark.django_db(transaction=True)
def test_an_async_question_about_a_module_knows_the_roles(alice: Any) -> None:
    assert not async_to_sync(again(alice).ahas_module_perms)("shop")

    assign_role(user=alice, role=create_role(name="Clerk", wildcards=["shop.order.*"]))

    assert async_to_sync(again(alice).ahas_module_perms)("shop")
