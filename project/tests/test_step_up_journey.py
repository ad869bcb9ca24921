"""An old proof on the pages of second factors redirects to the step-up and back."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from auth_core.testing.browsers import answer, log_in, log_in_on_page, post, with_credential
from auth_core.testing.factories import PASSWORD
from auth_core.testing.settings import redis_url
from auth_mfa.testing.factors import KEY, add_totp, current_code
from auth_sessions.models import Session

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


def test_an_old_proof_is_renewed_before_a_factor_is_removed(alice: Any) -> None:
    factor, browser = add_totp(alice), Browser()
    page = f"/account/second-factors/{factor.pk}/remove/"
    log_in_on_page(browser)
    browser.post("/login/answer/", {"code": current_code(KEY)})
    session = Session.objects.get().pk

    with time_machine.travel(timezone.now() + timedelta(minutes=10), tick=False):
        proof_page = browser.get(page).headers["Location"]
        browser.post(proof_page)
        refused = browser.get(page)
        browser.post("/login/answer/", {"password": PASSWORD})
        back = browser.post("/login/answer/", {"code": current_code(KEY)})
        removed = browser.post(page)

    assert proof_page.startswith("/login/again/?next=")
    assert refused.headers["Location"] == proof_page
    assert (back.status_code, back.headers["Location"]) == (303, page)
    assert removed.headers["Location"] == "/account/second-factors/"
    assert Session.objects.live().get().pk == session


def test_a_step_up_with_a_token_keeps_the_session(alice: Any) -> None:
    factor = add_totp(alice)
    began = timezone.now()
    with time_machine.travel(began, tick=False):
        challenged = log_in(Browser(), transport="token")
        granted = answer(Browser(), challenged, code=current_code(KEY))
    caller = with_credential(granted)

    with time_machine.travel(began + timedelta(minutes=10), tick=False):
        refused = caller.delete(f"/api/v1/mfa/factors/{factor.pk}/")
        demand = {name: refused.json()[name] for name in ("required_assurance", "max_age")}
        again = post(caller, "reauthenticate", **demand)
        stranger = answer(Browser(), again, password=PASSWORD)
        again = answer(caller, again, password=PASSWORD)
        raised = answer(caller, again, code=current_code(KEY))
        removed = with_credential(raised).delete(f"/api/v1/mfa/factors/{factor.pk}/")

    assert (refused.status_code, refused.json()["code"]) == (401, "insufficient_user_authentication")
    assert demand == {"required_assurance": "aal2", "max_age": 300}
    assert stranger.json()["code"] == "login_expired"
    assert raised.json()["session"]["id"] == granted.json()["session"]["id"]
    assert removed.status_code == 204
    assert caller.get("/api/v1/me/").status_code == 401, "the old credential is invalid"
