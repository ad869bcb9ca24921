"""An old proof at the pages of second factors leads to the step-up and back, in the composed service."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from auth_core.testing.factories import PASSWORD
from auth_core.testing.settings import redis_url
from auth_mfa.testing.factors import KEY, add_totp, current_code
from auth_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


def test_an_old_proof_is_renewed_at_the_pages_and_the_factor_removed(alice: Any) -> None:
    factor, browser = add_totp(alice), Browser()
    page = f"/account/second-factors/{factor.pk}/remove/"
    browser.post("/login/", {"identifier": "alice@example.org", "password": PASSWORD})
    browser.post("/login/answer/", {"code": current_code(KEY)})
    session = Session.objects.get().pk

    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        led = browser.get(page).headers["Location"]
        browser.post(led)
        refused = browser.get(page)
        browser.post("/login/answer/", {"password": PASSWORD})
        back = browser.post("/login/answer/", {"code": current_code(KEY)})
        removed = browser.post(page)

    assert led.startswith("/login/again/?next=")
    assert refused.headers["Location"] == led
    assert (back.status_code, back.headers["Location"]) == (303, page)
    assert removed.headers["Location"] == "/account/second-factors/"
    assert Session.objects.live().get().pk == session
