"""The provider in the composed service: what a token opens, what ends it, and what the trail says."""

from pathlib import Path
from typing import Any

import pytest
from django.test import Client as Browser

from auth_audit.models import AuditEntry
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import Authorization
from auth_core.oauth.testing.factories import (
    introspect,
    make_application,
    make_tokens,
    refresh,
    session_facts,
    userinfo,
)
from auth_core.registries import holder_kinds
from auth_core.testing.doors import Doors
from auth_core.testing.factories import make_administrator, make_user
from auth_core.testing.sessions import sign_in
from auth_rbac.models import HolderKind
from auth_sessions.models import Session

pytestmark = pytest.mark.django_db

DOORS = Doors.read(Path(__file__).with_name("doors.toml"))
API = sorted(
    address for address in DOORS.addresses("signed_in", "permitted", "open", "door") if address.startswith("/api/v1/")
)


@pytest.mark.parametrize("address", API)
def test_no_route_of_the_api_is_open_to_a_token(address: str) -> None:
    token = make_tokens(make_application(), make_administrator())["access_token"]

    for method in ("get", "post", "patch", "delete"):
        answer = getattr(Browser(), method)(address, HTTP_AUTHORIZATION=f"Bearer {token}")
        assert answer.status_code in (403, 405), f"{method} {address}: {answer.status_code}"


def test_the_end_of_a_session_ends_what_it_gave() -> None:
    person, application = make_user(), make_application()
    browser = sign_in(person)
    session = Session.objects.get()
    body = make_tokens(application, person, session=session_facts(id=session.pk))
    assert userinfo(body["access_token"]).status_code == 200

    browser.post("/api/v1/logout/", HTTP_X_CSRFTOKEN=browser.cookies["csrftoken"].value)

    assert introspect(application, body["access_token"]) == {"active": False}
    assert refresh(application, body["refresh_token"]).json()["error"] == "invalid_grant"
    assert Authorization.objects.get().ended_reason == "session_ended"


def test_a_logout_by_an_application_ends_the_session_after_the_person_confirmed() -> None:
    person, application = make_user(), make_application(is_first_party=True)
    browser = sign_in(person)
    session = Session.objects.get()
    body = make_tokens(application, person, session=session_facts(id=session.pk))
    before = list(Session.objects.values())

    page = browser.get("/oauth/logout", {"id_token_hint": body["id_token"]}, follow=True)

    assert page.status_code == 200
    assert list(Session.objects.values()) == before
    assert userinfo(body["access_token"]).status_code == 200
    browser.post(page.wsgi_request.path, HTTP_X_CSRFTOKEN=browser.cookies["csrftoken"].value)
    assert Session.objects.get().ended_reason == "logout"
    assert userinfo(body["access_token"]).status_code == 401


def test_the_trail_names_the_application_and_the_person() -> None:
    person, application = make_user(), make_application()
    body = make_tokens(application, person)
    refresh(application, body["refresh_token"])

    names = [OAuthEvent.AUTHORIZATION_GRANTED, OAuthEvent.CODE_EXCHANGED, OAuthEvent.TOKEN_REFRESHED]
    entries = AuditEntry.objects.filter(name__in=[name.value for name in names])

    assert entries.count() == len(names)
    for entry in entries:
        assert entry.application_id == application.policy.id


def test_a_service_account_may_hold_roles() -> None:
    application = make_application(grant="client-credentials", is_service_account=True)
    describe: Any = holder_kinds.get(HolderKind.SERVICE)

    described = describe([application.policy.id, make_application().policy.id])

    assert set(described) == {application.policy.id}
    assert described[application.policy.id].is_active
