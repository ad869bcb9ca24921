"""Ids of people, and what is signed, for clients that describe themselves."""

import json
from typing import Any

import pytest
from django.test import Client as Browser
from django.utils import timezone

from auth_core.oauth.models import ApplicationPolicy, ClientDocument
from auth_core.oauth.testing.document_site import CALLBACK, DocumentSite
from auth_core.oauth.testing.factories import make_application, make_tokens, userinfo
from auth_core.people.lookup import identity_of
from document_clients import Described, stored
from people import browser_of
from token_parts import claims_in, part_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


def subject(client: Described, browser: Browser) -> str:
    body = client.exchange(client.allow(browser)["code"]).json()
    assert claims_in(body["access_token"])["sub"] == claims_in(body["id_token"])["sub"]
    return str(claims_in(body["id_token"])["sub"])


def test_a_client_may_have_the_ids_of_its_sector(site: DocumentSite, browser: Browser, alice: Any) -> None:
    client = Described(site.describe(subject_type="pairwise"))
    same = make_application(subject_type="pairwise", sector="client.example")

    sub = subject(client, browser)

    assert sub == claims_in(make_tokens(same, alice)["id_token"])["sub"]
    assert sub != str(identity_of(alice).subject_id)


def test_the_site_of_a_sector_names_its_clients(site: DocumentSite, browser: Browser) -> None:
    sector = site.serve("/sector.json", json.dumps([CALLBACK]).encode())
    one, two = (
        Described(site.describe(path, subject_type="pairwise", sector_identifier_uri=sector))
        for path in ("/one.json", "/two.json")
    )

    assert subject(one, browser) == subject(two, browser)
    assert site.visits.count("/sector.json") == 2


@pytest.mark.parametrize("listed", [["https://other.example/callback"], {"a": 1}, []], ids=str)
def test_a_sector_that_does_not_name_the_client_is_refused(listed: Any, site: DocumentSite, browser: Browser) -> None:
    sector = site.serve("/sector.json", json.dumps(listed).encode())
    client = Described(site.describe(subject_type="pairwise", sector_identifier_uri=sector))

    answer = client.come(browser)

    assert answer.status_code == 400
    assert b"sector_identifier_uri" in answer.content
    assert stored() == (0, 0, 0)


@pytest.mark.parametrize(
    "member",
    [
        {"subject_type": "secret"},
        {"userinfo_signed_response_alg": "HS256"},
        {"id_token_signed_response_alg": "none"},
        {"subject_type": "pairwise", "redirect_uris": ["http://127.0.0.1/callback"]},
        {"sector_identifier_uri": "http://client.example/sector.json"},
    ],
    ids=str,
)
def test_what_is_not_offered_is_refused(member: dict[str, Any], site: DocumentSite, browser: Browser) -> None:
    client = Described(site.describe(**member))

    assert client.come(browser).status_code == 400
    assert stored() == (0, 0, 0)
    assert site.visits == ["/client.json"], "a sector was asked for a document that breaks the rules"


def test_a_document_does_not_change_the_ids_of_people(site: DocumentSite, browser: Browser) -> None:
    client = Described(site.describe())
    subject(client, browser)
    ClientDocument.objects.update(expires_at=timezone.now())
    site.describe(subject_type="pairwise")

    answer = client.come(browser)

    assert answer.status_code == 400
    assert b"subject_type" in answer.content
    assert ApplicationPolicy.objects.get().subject_type == "public"


def test_userinfo_and_id_tokens_are_signed_as_the_document_says(site: DocumentSite, browser: Browser) -> None:
    client = Described(site.describe(userinfo_signed_response_alg="PS256", id_token_signed_response_alg="ES256"))
    body = client.exchange(client.allow(browser)["code"]).json()

    answer = userinfo(body["access_token"])

    assert (answer.headers["Content-Type"], part_of(answer.text, 0)["alg"]) == ("application/jwt", "PS256")
    assert part_of(body["id_token"], 0)["alg"] == "ES256"
