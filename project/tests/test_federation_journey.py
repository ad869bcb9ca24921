"""Signing in with a provider in the composed service: second factors, sessions, the trail and the policy of pages."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client as Browser

from auth_audit.models import AuditEntry
from auth_core.federation.models import Connection
from auth_core.federation.protocol.metadata import forget_metadata
from auth_core.federation.protocol.transport import forget_breakers
from auth_core.federation.testing.browsers import sign_in_at
from auth_core.federation.testing.providers import FakeProvider, running
from auth_core.testing.browsers import new_browser, submit
from auth_mfa.testing.factors import add_totp, current_code
from auth_sessions.models import Session
from enterprise_auth.core.setup_report import Status, report

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake(settings: Any) -> Iterator[FakeProvider]:
    """A provider that is configured and trusted for example.org."""
    forget_metadata()
    forget_breakers()
    with running(FakeProvider()) as provider:
        settings.AUTH_CORE = {**settings.AUTH_CORE, "OUTBOUND_ALLOWED_NETWORKS": ["127.0.0.0/8"]}
        settings.AUTH_FEDERATION = {"PROVIDERS": {"openid": provider.options()}}
        yield provider


def test_a_second_factor_is_asked_for_as_after_a_password(fake: FakeProvider, alice: Any) -> None:
    add_totp(alice)
    browser = new_browser()

    answer = sign_in_at(browser, "openid")

    assert answer.headers["Location"] == "/login/answer/"
    assert not Session.objects.exists()
    assert submit(browser, "/login/answer/", code=current_code()).headers["Location"] == "/account/"
    assert Session.objects.get().user == alice


def test_a_provider_that_is_disabled_before_the_second_factor(fake: FakeProvider, alice: Any, settings: Any) -> None:
    add_totp(alice)
    browser = new_browser()
    sign_in_at(browser, "openid")
    settings.AUTH_FEDERATION = {"PROVIDERS": {"openid": fake.options(enabled=False)}}

    assert submit(browser, "/login/answer/", code=current_code()).status_code == 401
    assert not Session.objects.exists()


def test_the_trail_names_the_provider(fake: FakeProvider, alice: Any) -> None:
    assert sign_in_at(new_browser(), "openid").status_code == 303

    [entry] = AuditEntry.objects.filter(name="federation.connection.added")
    assert entry.data["provider"] == "openid"
    assert Connection.objects.get().user == alice


def test_the_setup_report_names_what_is_missing_and_the_callback_address(fake: FakeProvider, settings: Any) -> None:
    callback = "https://auth.example.org/federation/openid/callback/"
    found = {finding.part: finding for finding in report()}["providers"]
    assert (found.status, callback in found.message) == (Status.OK, True)

    settings.AUTH_FEDERATION = {"PROVIDERS": {"openid": fake.options(client_secret="")}}
    found = {finding.part: finding for finding in report()}["providers"]

    assert found.status is Status.ERROR
    assert "openid: client_secret is missing" in found.message
    assert callback in found.remedy


def test_the_policy_of_the_login_page_names_the_provider(fake: FakeProvider) -> None:
    policy = Browser().get("/login/").headers["Content-Security-Policy"]

    assert f"form-action 'self' {fake.origin}" in policy
    assert fake.origin not in Browser().get("/password/forgot/").headers["Content-Security-Policy"]
