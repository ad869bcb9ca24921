"""The functions that remove factors compare the permissions of actor and user, on every path."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User

from auth_core.errors import PermissionRefused
from auth_core.request.client import Client
from auth_mfa.factors import remove_factor, reset_factors
from auth_mfa.models import TotpFactor
from auth_mfa.testing.factors import add_totp

pytestmark = pytest.mark.django_db

ACTS: dict[str, Callable[[Any, Any], object]] = {
    "remove": lambda factor, actor: remove_factor(factor=factor, actor=actor),
    "reset": lambda factor, actor: reset_factors(user=factor.user, actor=actor, client=Client()),
}


@pytest.mark.parametrize("act", ACTS)
def test_a_factor_of_a_more_powerful_user_cannot_be_removed(act: str) -> None:
    root = User.objects.create_superuser("root")
    staff = User.objects.create_user("staff", is_staff=True)
    factor = add_totp(root)

    with pytest.raises(PermissionRefused):
        ACTS[act](factor, staff)

    assert TotpFactor.objects.filter(pk=factor.pk, confirmed=True).exists()


@pytest.mark.parametrize("act", ACTS)
def test_a_superuser_can_remove_factors_of_others(act: str, alice: User) -> None:
    factor = add_totp(alice)

    ACTS[act](factor, User.objects.create_superuser("root"))

    assert not TotpFactor.objects.filter(pk=factor.pk).exists()
