"""Every query has its index."""

import pytest
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from auth_core.testing.plans import unindexed
from auth_mfa.cleanup import delete_abandoned
from auth_mfa.factors import factors_of
from auth_mfa.models import FactorHistory, SentCode, SmsPrefix, TotpFactor
from auth_mfa.models.sent_code import LIFETIME, code_of
from auth_mfa.recovery.code_sets import sheet_of
from auth_mfa.testing.factors import add_phone, add_recovery_codes, add_totp

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def test_an_index_serves_every_query(alice: User) -> None:
    factor = add_totp(alice)

    assert unindexed(lambda: factors_of(alice)) == []
    assert unindexed(lambda: (factor.spend_guess(), factor.spend_step(5))) == []
    assert unindexed(delete_abandoned) == []
    assert unindexed(lambda: list(TotpFactor.objects.begun_by(alice))) == []


def test_an_index_serves_every_query_of_codes(alice: User) -> None:
    phone = add_phone(alice)
    sheet = add_recovery_codes(alice).factor
    sent = SentCode(
        user=alice, occasion=phone.pk, factor_id=phone.pk, code="123456", expires_at=timezone.now() + LIFETIME
    )
    sent.save()

    assert unindexed(lambda: code_of(occasion=phone.pk, factor_id=phone.pk)) == []
    assert unindexed(lambda: (sent.spend_guess(), sent.spend())) == []
    assert unindexed(lambda: sheet_of(alice)) == []
    assert unindexed(lambda: sheet.spend_code("0" * 64)) == []


def test_an_index_serves_every_query_of_users_and_prefixes(alice: User) -> None:
    assert unindexed(lambda: FactorHistory.objects.had_factor(alice)) == []
    assert unindexed(lambda: FactorHistory.objects.note_factor(alice)) == []
    with transaction.atomic():
        assert unindexed(lambda: FactorHistory.objects.lock(alice)) == []
        assert unindexed(lambda: SmsPrefix.objects.lock("+41791")) == []
    assert unindexed(lambda: SmsPrefix.objects.note_used("+41791")) == []
