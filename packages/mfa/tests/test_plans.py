"""Every question has its index."""

import pytest
from django.contrib.auth.models import User

from auth_core.testing.plans import unindexed
from auth_mfa.enrolment import delete_abandoned
from auth_mfa.factors import factors_of
from auth_mfa.models import TotpFactor
from conftest import enrolled

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def test_an_index_serves_every_question(alice: User) -> None:
    factor = enrolled(alice)

    assert unindexed(lambda: factors_of(alice)) == []
    assert unindexed(lambda: (factor.spend_guess(), factor.spend_step(5))) == []
    assert unindexed(delete_abandoned) == []
    assert unindexed(lambda: list(TotpFactor.objects.begun_by(alice))) == []
