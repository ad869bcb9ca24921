"""The functions that take factors away compare the actor with the person, whichever page or command calls them."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from auth_core.errors import PermissionRefused
from auth_core.request.client import Client
from auth_mfa.factors import remove_factor, reset_factors
from auth_mfa.models import TotpFactor
from conftest import enrolled

pytestmark = pytest.mark.django_db

ACTS: dict[str, Callable[[Any, Any], object]] = {
    "remove": lambda factor, actor: remove_factor(factor=factor, actor=actor),
    "reset": lambda factor, actor: reset_factors(user=factor.user, actor=actor, client=Client()),
}


@pytest.mark.parametrize("act", ACTS)
def test_no_one_takes_a_factor_from_a_person_who_holds_more(act: str) -> None:
    root = User.objects.create_superuser("root")
    staff = User.objects.create_user("staff", is_staff=True)
    factor = enrolled(root)

    with pytest.raises(PermissionRefused):
        ACTS[act](factor, staff)

    assert TotpFactor.objects.filter(pk=factor.pk, confirmed=True).exists()


@pytest.mark.parametrize("act", ACTS)
def test_a_superuser_takes_a_factor_from_anybody_else(act: str, alice: User) -> None:
    factor = enrolled(alice)

    ACTS[act](factor, User.objects.create_superuser("root"))

    assert not TotpFactor.objects.filter(pk=factor.pk).exists()
