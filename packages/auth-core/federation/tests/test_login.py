"""The journey of a sign-in at each kind of provider."""

from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from auth_core.events import Event
from auth_core.federation.models import Connection
from auth_core.federation.testing.browsers import sign_in_at
from auth_core.federation.testing.providers import (
    FakeApple,
    FakeGitHub,
    FakeGoogle,
    FakeMicrosoft,
    FakeProvider,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("kind", [FakeProvider, FakeGoogle, FakeApple, FakeGitHub])
def test_a_person_signs_up_and_signs_in_again(kind: type[FakeProvider], provide: Any, browser: Browser) -> None:
    fake = provide(kind)

    first = sign_in_at(browser, fake.kind)

    assert first.status_code == 303, first.content.decode()
    assert first.headers["Location"] == "/account/"
    assert browser.get("/account/").status_code == 200
    person = get_user_model().objects.get()
    assert not person.has_usable_password()
    connection = Connection.objects.get()
    assert (connection.user_id, connection.provider) == (person.pk, fake.kind)

    again = sign_in_at(Browser(), fake.kind)

    assert again.status_code == 303
    assert get_user_model().objects.count() == Connection.objects.count() == 1


def test_microsoft_signs_in_by_its_own_key_of_the_account(provide: Any, browser: Browser, alice: Any) -> None:
    fake = provide(FakeMicrosoft)
    subject = f"{fake.tenant}/{fake.person['oid']}"
    Connection.objects.create(user=alice, provider="microsoft", issuer=fake.issuer, subject=subject)

    assert sign_in_at(browser, "microsoft").status_code == 303
    row = Connection.objects.get()
    assert (row.label, row.used_at is not None) == ("alice@contoso.example", True)


@pytest.mark.asvs("6.8.4")
@pytest.mark.parametrize(
    ("options", "acr"),
    [
        ({}, "aal1"),
        ({"trusted_amr": ["hwk"]}, "aal1"),
        ({"trusted_acr": ["urn:silver"]}, "aal1"),
        ({"trusted_amr": ["mfa"]}, "aal2"),
        ({"trusted_acr": ["urn:gold"]}, "aal2"),
    ],
)
def test_what_a_provider_says_about_its_login_counts_where_the_site_trusts_it(
    options: dict[str, Any], acr: str, provide: Any, browser: Browser
) -> None:
    fake = provide(FakeProvider, **options)
    fake.claims = {"acr": "urn:gold", "amr": ["pwd", "mfa"]}
    sign_in_at(browser, "openid")

    assert browser.get("/api/v1/me/").json()["acr"] == acr


def test_nothing_said_counts_for_one_factor(provide: Any, browser: Browser) -> None:
    provide(FakeProvider, trusted_amr=["mfa"], trusted_acr=["urn:gold"])
    sign_in_at(browser, "openid")

    assert browser.get("/api/v1/me/").json()["acr"] == "aal1"


def test_the_trail_has_the_whole_journey(provide: Any, browser: Browser, events: list[Event]) -> None:
    provide(FakeProvider)
    sign_in_at(browser, "openid")

    assert [event.name.value for event in events] == [
        "auth.account.created",
        "auth.email.verified",
        "federation.connection.added",
        "auth.login.started",
        "auth.login.succeeded",
    ]
    assert get_user_model().objects.get().display_name == "Alice"
