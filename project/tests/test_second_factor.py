"""A second factor from enrolment to login, with all packages."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client as Browser
from django.utils import timezone

from auth_audit.testing.trail import recorded
from auth_core.people.lookup import identity_of
from auth_core.testing.browsers import answer, log_in, log_in_on_page, post, with_credential
from auth_core.testing.factories import make_administrator
from auth_core.testing.mails import the_mail
from auth_core.testing.sessions import sign_in
from auth_core.testing.settings import redis_url
from auth_mfa import oath
from auth_mfa.models import TotpFactor
from auth_mfa.testing.factors import current_code

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


def code_for(secret: str, steps: int = 0) -> str:
    return current_code(oath.from_base32(secret), steps=steps)


def test_from_enrolment_to_a_login_at_aal2(alice: Any) -> None:
    caller = with_credential(log_in(Browser(), transport="token"))
    enrolment = post(caller, "mfa/totp", name="Phone").json()
    post(caller, f"mfa/totp/{enrolment['id']}/confirm", code=code_for(enrolment["secret"], -1))
    assert "second factor" in the_mail().subject

    challenged = log_in(Browser(), transport="token")
    granted = answer(Browser(), challenged, code=code_for(enrolment["secret"])).json()

    assert challenged.status_code == 202
    assert granted["session"]["acr"] == "aal2"
    assert [factor["name"] for factor in granted["user"]["second_factors"]] == ["Phone"]
    assert [entry.name for entry in recorded()][-11:] == [
        "auth.login.started",
        "session.session.opened",
        "session.device.added",
        "auth.login.succeeded",
        "mfa.enrolment.started",
        "mfa.factor.added",
        "auth.login.started",
        "auth.login.challenged",
        "mfa.factor.used",
        "session.session.opened",
        "auth.login.succeeded",
    ]


def test_a_new_factor_appears_in_every_session_at_once(alice: Any) -> None:
    caller = with_credential(log_in(Browser(), transport="token"))
    assert caller.get("/api/v1/me/").json()["second_factors"] == []

    enrolment = post(caller, "mfa/totp", name="Phone").json()
    post(caller, f"mfa/totp/{enrolment['id']}/confirm", code=code_for(enrolment["secret"]))

    assert len(caller.get("/api/v1/me/").json()["second_factors"]) == 1


def test_the_pages_add_ask_for_and_remove_an_app(alice: Any) -> None:
    browser = Browser()
    log_in_on_page(browser)
    assert "Only your password" in browser.get("/account/second-factors/").content.decode()

    enrolment = browser.post("/account/second-factors/add/")
    page = browser.get(enrolment.headers["Location"]).content.decode()
    secret = TotpFactor.objects.get().seed
    wrong = browser.post(enrolment.headers["Location"], {"code": "12345"})
    confirmed = browser.post(enrolment.headers["Location"], {"code": code_for(secret, -1)})
    browser.post("/logout/")
    challenged = log_in_on_page(browser)
    assert browser.get("/account/").status_code == 302
    granted = browser.post("/login/answer/", {"code": code_for(secret)})
    factor = TotpFactor.objects.get()
    confirmation = browser.get(f"/account/second-factors/{factor.pk}/remove/")
    removed = browser.post(f"/account/second-factors/{factor.pk}/remove/")

    assert "data:image/svg+xml;base64," in page
    assert "style=" not in page
    assert "<script>" not in page
    assert (wrong.status_code, confirmed.status_code) == (400, 303)
    assert (challenged.headers["Location"], granted.headers["Location"]) == ("/login/answer/", "/account/")
    assert (confirmation.status_code, removed.status_code) == (200, 303)
    assert not TotpFactor.objects.exists()
    assert browser.get(enrolment.headers["Location"]).status_code == 404
    with time_machine.travel(timezone.now() + timedelta(minutes=6), tick=False):
        old = browser.get("/account/second-factors/add/")
    again = "/login/again/?next=%2Faccount%2Fsecond-factors%2Fadd%2F&assurance=second_factor"
    assert old.headers["Location"] == again


def test_a_session_without_a_strong_proof_adds_no_factor(alice: Any) -> None:
    browser = Browser()
    log_in_on_page(browser)
    TotpFactor.objects.create(user=alice, name="Phone", seed=oath.to_base32(b"k" * 20), confirmed=True)

    refused = browser.post("/account/second-factors/add/")

    assert refused.status_code == 303
    assert refused.headers["Location"].startswith("/login/again/?next=")
    assert TotpFactor.objects.count() == 1


def test_removing_a_factor_as_administrator_notifies_the_user(alice: Any, db: None) -> None:
    chief = make_administrator()
    from_admin = sign_in(chief, assurance="aal2")
    factor = TotpFactor.objects.create(user=alice, name="Phone", seed=oath.to_base32(b"k" * 20), confirmed=True)

    page = from_admin.get("/admin/auth_mfa/totpfactor/")
    body = {"action": "remove", "_selected_action": [str(factor.pk)]}
    from_admin.post("/admin/auth_mfa/totpfactor/", body)

    assert oath.to_base32(b"k" * 20) not in page.content.decode()
    assert not TotpFactor.objects.exists()
    entry = recorded("mfa.factor.removed")[0]
    assert (entry.reason, entry.actor_id) == ("administrator", identity_of(chief).subject_id)
    assert "removed" in the_mail().subject
