"""The mails about connections: who gets them, and that they print nothing that a stranger chose."""

from typing import Any

import pytest

from auth_core.federation.models import Connection
from auth_core.federation.providers.configuration import name_in_mail
from auth_core.federation.testing.browsers import sign_in_at
from auth_core.federation.testing.providers import FakeProvider
from auth_core.testing.hostile import marks_in_mail, not_closed, templates_in
from auth_core.testing.mails import delivered
from auth_core.testing.sessions import sign_in

pytestmark = pytest.mark.django_db

MAILS = templates_in("auth_core/mail", "auth_federation")


def test_both_mails_are_tested() -> None:
    assert MAILS == ["connection_added", "connection_removed"]


@pytest.mark.parametrize("template", MAILS)
def test_a_mail_prints_only_sanitised_values(template: str) -> None:
    assert not_closed(f"auth_core/mail/{template}.txt") == set()
    assert marks_in_mail(template) == []


def test_a_person_is_told_of_both_changes(provide: Any, alice: Any) -> None:
    provide(FakeProvider, name="Our directory")
    browser = sign_in(alice)
    sign_in_at(browser, "openid", connects=True)
    browser.delete(f"/api/v1/me/connections/{Connection.objects.get().pk}/")

    added, removed = delivered()

    assert added.to == removed.to == ["alice@example.org"]
    assert "An account at Our directory can now sign in" in added.body
    assert "An account at Our directory can no longer sign in" in removed.body


def test_the_name_of_a_provider_comes_from_the_settings() -> None:
    assert name_in_mail("<b>evil.example</b>") == "an identity provider"
