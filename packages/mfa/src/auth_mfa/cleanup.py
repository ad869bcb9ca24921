"""What was begun and never confirmed, and codes that are over: swept now and then, judged when read."""

from datetime import timedelta

from django.utils import timezone

from auth_mfa.conf import mfa
from auth_mfa.models import EmailFactor, PhoneFactor, SentCode, TotpFactor
from auth_mfa.models.recovery_code import wipe_unread

#: How long a code's row is kept after its end: it holds the guesses of its login.
_KEPT = timedelta(days=1)


def delete_abandoned() -> int:
    """Delete enrolments that can no longer be confirmed, and codes of logins that are over.

    Recovery codes that were made and never shown are wiped; their sheet stays.
    """
    wipe_unread()
    now = timezone.now()
    begun = (
        model.objects.filter(confirmed=False, created_at__lte=now - mfa.ENROLMENT_LIFETIME)
        for model in (TotpFactor, PhoneFactor, EmailFactor)
    )
    codes = SentCode.objects.filter(expires_at__lte=now - _KEPT)
    return sum(rows.delete()[0] for rows in (*begun, codes))
