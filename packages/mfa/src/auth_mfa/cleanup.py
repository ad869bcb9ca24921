"""Deletion of abandoned enrolments and expired codes. Expiry itself is checked when a row is read."""

from datetime import timedelta

from django.utils import timezone

from auth_core.runtime.batches import delete_in_batches
from auth_mfa.conf import mfa
from auth_mfa.models import EmailFactor, PhoneFactor, RecoveryCodeSet, SentCode, TotpFactor

#: How long the row of an expired code is kept. It holds the guesses of its login.
_KEPT = timedelta(days=1)


def delete_abandoned() -> int:
    """Delete enrolments that can no longer be confirmed and codes of expired logins.

    Recovery codes that were never shown are wiped. Their sheet stays.
    """
    RecoveryCodeSet.wipe_unread()
    now = timezone.now()
    begun = (
        model.objects.filter(confirmed=False, created_at__lte=now - mfa.ENROLMENT_LIFETIME)
        for model in (TotpFactor, PhoneFactor, EmailFactor)
    )
    codes = SentCode.objects.filter(expires_at__lte=now - _KEPT)
    return sum(delete_in_batches(rows) for rows in (*begun, codes))
