"""A second factor from enrolment to login, with all packages."""

from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from auth_audit.testing.trail import recorded
from auth_core.testing.mails import the_mail
from auth_core.testing.settings import redis_url
from auth_mfa import totp
from auth_mfa.models import TotpFactor
from conftest import PASSWORD

pytestmark = pytest.mark.django_db(transaction=bool(redis_url()))


def post(caller: Browser, path: str, **body: Any) -> Any:
    return caller.post(f"/api/v1/{path}/", body, content_type="application/json")


def log_in() -> Any:
    body = {"identifier": "alice@example.org", "password": PASSWORD, "transport": "token"}
    return post(Browser(), "login", **body)


def code_for(secret: str, steps: int = 0) -> str:
    return totp.code_at(totp.from_base32(secret), totp.step_at(timezone.now().timestamp()) + steps)


def test_from_enrolment_to_a_login_at_aal2(alice: Any) -> None:
    caller = Browser(HTTP_AUTHORIZATION=f"Session {log_in().json()['credential']}")
    begun = post(caller, "mfa/totp", name="Phone").json()
    post(caller, f"mfa/totp/{begun['id']}/confirm", code=code_for(begun["secret"], -1))
    assert "second factor" in the_mail().subject

    asked = log_in()
    granted = post(
        Browser(), "login/answer", token=asked.json()["token"], answer={"code": code_for(begun["secret"])}
    ).json()

    assert asked.status_code == 202
    assert granted["session"]["acr"] == "aal2"
    assert [factor["name"] for factor in granted["user"]["second_factors"]] == ["Phone"]
    assert [entry.name for entry in recorded()][-10:] == [
        "auth.login.started",
        "session.session.opened",
        "auth.login.succeeded",
        "mfa.enrolment.started",
        "mfa.factor.added",
        "auth.login.started",
        "auth.login.challenged",
        "mfa.factor.used",
        "session.session.opened",
        "auth.login.succeeded",
    ]


def test_a_factor_that_is_added_shows_in_every_session_at_once(alice: Any) -> None:
    caller = Browser(HTTP_AUTHORIZATION=f"Session {log_in().json()['credential']}")
    assert caller.get("/api/v1/me/").json()["second_factors"] == []

    begun = post(caller, "mfa/totp", name="Phone").json()
    post(caller, f"mfa/totp/{begun['id']}/confirm", code=code_for(begun["secret"]))

    assert len(caller.get("/api/v1/me/").json()["second_factors"]) == 1


def test_an_administrator_takes_a_factor_away_and_the_person_is_told(alice: Any, db: None) -> None:
    from_admin = Browser()
    alice.is_staff = alice.is_superuser = True
    alice.save()
    from_admin.force_login(alice, backend="auth_core.backends.IdentifierBackend")
    factor = TotpFactor.objects.create(user=alice, name="Phone", seed=totp.to_base32(b"k" * 20), confirmed=True)

    page = from_admin.get("/admin/auth_mfa/totpfactor/")
    body = {"action": "remove", "_selected_action": [str(factor.pk)]}
    from_admin.post("/admin/auth_mfa/totpfactor/", body)

    assert totp.to_base32(b"k" * 20) not in page.content.decode()
    assert not TotpFactor.objects.exists()
    entry = recorded("mfa.factor.removed")[0]
    assert (entry.reason, entry.actor_id) == ("administrator", alice.auth_identity.subject_id)
    assert "removed" in the_mail().subject
