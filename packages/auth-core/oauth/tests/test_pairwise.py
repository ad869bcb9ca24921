"""Ids of people that each sector has for itself (OpenID Connect Core section 8)."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client as Browser

from administrators import ADMIN, API, CHANGE, CREATE, browser_of_clerk, form_of, send, state
from auth_core.crypto.encryption import new_key
from auth_core.errors import InvalidRequest, PermissionRefused
from auth_core.events import AuthEvent, Event, record
from auth_core.messages import outbox
from auth_core.oauth import checks
from auth_core.oauth.applications import changes
from auth_core.oauth.keys import subjects
from auth_core.oauth.logout import backchannel
from auth_core.oauth.models import ApplicationPolicy, Authorization, Consent, SubjectKey
from auth_core.oauth.testing.factories import (
    REDIRECT_URI,
    Registered,
    exchange,
    introspect,
    make_application,
    make_code,
    make_tokens,
    refresh,
    session_facts,
    userinfo,
)
from auth_core.oauth_resource.keys import documents
from auth_core.people.lookup import identity_of
from auth_core.runtime.http_client import Answer, OutboundFailed, OutboundRefused
from auth_core.testing.factories import make_user
from logouts import AFTER, BACK, confirmed, hint_of, leads_to, logout
from people import answer_in, authorize, browser_of, error_in, log_in
from token_parts import claims_in

pytestmark = pytest.mark.django_db

SECTOR = "https://sector.example/list.json"


@pytest.fixture
def rp(db: None) -> Registered:
    """An application with pairwise ids."""
    return make_application(
        subject_type="pairwise",
        sector="rp.example",
        is_first_party=True,
        post_logout_redirect_uris=AFTER,
        backchannel_logout_uri=BACK,
    )


def subject(application: Registered, user: Any) -> str:
    return str(claims_in(make_tokens(application, user)["id_token"])["sub"])


class Site:
    """The site of a sector."""

    def __init__(self, *listed: Any) -> None:
        self.answer: Any = Answer(200, {}, json.dumps(listed).encode())
        self.count = 0

    def fetch(self, url: str, **options: Any) -> Answer:
        assert url == SECTOR
        self.count += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        answer: Answer = self.answer
        return answer


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    """The site of a sector, which lists the usual address."""
    made = Site(REDIRECT_URI, "https://other.example/cb")
    monkeypatch.setattr(documents, "fetch", made.fetch)
    return made


def test_the_id_is_the_same_everywhere_and_is_not_the_public_one(rp: Registered, alice: Any) -> None:
    body = make_tokens(rp, alice)

    sub = claims_in(body["id_token"])["sub"]
    assert sub == claims_in(body["access_token"])["sub"] == userinfo(body["access_token"]).json()["sub"]
    assert sub == introspect(rp, body["access_token"])["sub"] == introspect(rp, body["refresh_token"])["sub"]
    assert sub == claims_in(refresh(rp, body["refresh_token"]).json()["id_token"])["sub"] == subject(rp, alice)
    assert str(identity_of(alice).subject_id) not in json.dumps(
        [claims_in(body[name]) for name in ("id_token", "access_token")]
    )
    assert len(sub) == 64


def test_an_opaque_token_has_the_same_id(alice: Any) -> None:
    application = make_application(subject_type="pairwise", sector="rp.example", token_format="opaque")

    body = make_tokens(application, alice)

    assert introspect(application, body["access_token"])["sub"] == claims_in(body["id_token"])["sub"]


def test_two_sectors_and_two_people_have_other_ids_and_one_sector_shares_one(rp: Registered, alice: Any) -> None:
    same = make_application(subject_type="pairwise", sector="rp.example")
    other = make_application(subject_type="pairwise", sector="other.example")
    public = make_application()

    assert subject(rp, alice) == subject(same, alice)
    assert subject(public, alice) == str(identity_of(alice).subject_id)
    assert len({subject(rp, alice), subject(other, alice), subject(public, alice), subject(rp, make_user())}) == 4


def test_the_session_has_an_id_of_the_sector_too(rp: Registered, web: Registered, alice: Any) -> None:
    session = session_facts()
    other = make_application(subject_type="pairwise", sector="other.example")

    sids = [
        claims_in(exchange(application, make_code(application, alice, session=session)).json()["id_token"])["sid"]
        for application in (rp, rp, other, web)
    ]

    assert sids[0] == sids[1]
    assert len(set(sids)) == 3
    assert sids[3] == str(session.id)
    assert str(session.id) not in sids[:3]


def test_a_logout_token_has_the_ids_of_the_id_token(
    rp: Registered, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    session, bodies = session_facts(), []
    id_token = claims_in(exchange(rp, make_code(rp, alice, session=session)).json()["id_token"])

    def fetch(url: str, *, body: bytes, **options: Any) -> Answer:
        bodies.append(body.decode().removeprefix("logout_token="))
        return Answer(200, {}, b"")

    monkeypatch.setattr(backchannel, "fetch", fetch)
    record(Event(name=AuthEvent.SESSION_ENDED, subject=alice, session=session.id))

    assert outbox.deliver_due() == 1
    claims = claims_in(bodies[0])
    assert (claims["sub"], claims["sid"]) == (id_token["sub"], id_token["sid"])
    assert str(session.id) not in bodies[0]


def test_an_id_token_is_a_hint_for_login_and_logout(rp: Registered, alice: Any) -> None:
    browser = browser_of(alice)
    hint = hint_of(browser, rp)

    assert "code" in answer_in(authorize(browser, rp, id_token_hint=hint, prompt="none"))
    assert error_in(authorize(browser_of(make_user()), rp, id_token_hint=hint, prompt="none")) == "login_required"
    assert leads_to(confirmed(browser, logout(browser, id_token_hint=hint, post_logout_redirect_uri=AFTER))) == AFTER


def test_a_hint_of_another_person_leads_to_the_login_and_back(rp: Registered, alice: Any) -> None:
    hint, browser = hint_of(browser_of(alice), rp), browser_of(make_user())

    response = authorize(browser, rp, id_token_hint=hint)

    assert "other=1" in response.headers["Location"]
    assert log_in(browser, response, alice).status_code == 303


def test_the_ids_outlive_every_rotation_of_keys(rp: Registered, alice: Any, settings: Any) -> None:
    before = subject(rp, alice)

    settings.SECRET_KEY = "another-secret-key-of-a-length-that-is-usual-for-one"
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"new": new_key(), **settings.AUTH_CORE["FIELD_KEYS"]}}
    call_command("rotate_keys", "--fields", stdout=io.StringIO())
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {"new": settings.AUTH_CORE["FIELD_KEYS"]["new"]}}
    subjects.forget_subject_key()

    # The secret of the first one was under the key that is gone.
    assert subject(make_application(subject_type="pairwise", sector="rp.example"), alice) == before


def test_no_key_is_made_up_and_its_loss_is_no_refusal(rp: Registered, alice: Any) -> None:
    lost = SubjectKey.objects.get()
    SubjectKey.objects.all().delete()

    answer = authorize(browser_of(alice), rp)

    assert answer.status_code == 503
    assert not Authorization.objects.exists()
    # The next migration makes none either.
    subjects.make_subject_key()
    assert not SubjectKey.objects.exists()
    (error,) = checks.check_subject_key(databases=["default"])
    assert error.id == "auth_oauth.E017"
    SubjectKey.objects.create(secret=lost.secret)
    assert checks.check_subject_key(databases=["default"]) == []
    assert "code" in answer_in(authorize(browser_of(alice), rp))


def test_the_key_is_made_once_and_is_encrypted(db: None) -> None:
    (before,) = SubjectKey.objects.values_list("secret", flat=True)

    subjects.make_subject_key()

    assert list(SubjectKey.objects.values_list("secret", flat=True)) == [before]
    assert before.startswith("v1.")
    assert SubjectKey.objects.get().secret not in before


def test_a_migration_makes_the_key(db: None) -> None:
    SubjectKey.objects.all().delete()

    subjects.make_subject_key()

    assert subjects.has_subject_key()


def test_an_application_without_a_sector_gets_nothing(alice: Any) -> None:
    application = make_application(subject_type="pairwise", is_first_party=True)

    assert authorize(browser_of(alice), application).status_code == 503


@pytest.mark.parametrize("path", CREATE)
def test_each_path_registers_the_sector_of_the_redirect_addresses(path: str) -> None:
    assert not CREATE[path](redirect_uris=[REDIRECT_URI, "https://RP.example/b"], subject_type="pairwise")

    policy = ApplicationPolicy.objects.get()
    assert (policy.subject_type, policy.sector) == ("pairwise", "rp.example")


@pytest.mark.parametrize("path", CREATE)
def test_each_path_registers_a_sector_whose_site_lists_the_addresses(path: str, site: Site) -> None:
    values = {"redirect_uris": [REDIRECT_URI, "https://other.example/cb"], "subject_type": "pairwise"}

    assert not CREATE[path](**values, sector_identifier_uri=SECTOR)

    assert ApplicationPolicy.objects.get().sector == "sector.example"
    assert site.count > 0


@pytest.mark.parametrize("path", CREATE)
@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, {}, json.dumps([REDIRECT_URI]).encode()),
        Answer(200, {}, b"{}"),
        Answer(200, {}, b"["),
        Answer(200, {}, b"\xff"),
        Answer(200, {}, b"[" * 20_000),
        Answer(404, {}, json.dumps([REDIRECT_URI, "https://other.example/cb"]).encode()),
        OutboundFailed("down"),
        OutboundRefused("The address is not public."),
    ],
)
def test_a_sector_that_does_not_name_the_application_is_refused(path: str, answer: Any, site: Site) -> None:
    site.answer, before = answer, state()
    values = {"redirect_uris": [REDIRECT_URI, "https://other.example/cb"], "subject_type": "pairwise"}

    assert CREATE[path](**values, sector_identifier_uri=SECTOR)

    assert state() == before


@pytest.mark.parametrize("path", CHANGE)
def test_an_address_that_the_sector_does_not_list_is_not_added(path: str, site: Site) -> None:
    application = make_application(subject_type="pairwise", sector_identifier_uri=SECTOR, sector="sector.example")
    before = state()

    assert CHANGE[path](application.policy, redirect_uris=[REDIRECT_URI, "https://evil.example/cb"])
    assert state() == before
    assert not CHANGE[path](application.policy, redirect_uris=[REDIRECT_URI, "https://other.example/cb"])


@pytest.mark.parametrize("path", CHANGE)
@pytest.mark.parametrize("kind", ["authorization", "consent"])
@pytest.mark.parametrize(
    "values",
    [
        {"subject_type": "public"},
        {"redirect_uris": ["https://other.example/cb"]},
        {"sector_identifier_uri": SECTOR, "redirect_uris": [REDIRECT_URI]},
    ],
)
def test_ids_of_people_who_use_an_application_do_not_change(
    values: dict[str, Any], kind: str, path: str, rp: Registered, alice: Any, site: Site
) -> None:
    if kind == "authorization":
        make_tokens(rp, alice)
        Authorization.objects.update(ended_at="2026-01-01T00:00Z")
    else:
        Consent.objects.create(user=alice, application=rp.row)
    before = state()

    assert CHANGE[path](rp.policy, **values)

    assert state() == before


@pytest.mark.parametrize("path", CHANGE)
def test_public_ids_of_people_do_not_become_pairwise(path: str, web: Registered, alice: Any) -> None:
    make_tokens(web, alice)

    assert CHANGE[path](web.policy, subject_type="pairwise")
    assert subject(web, alice) == str(identity_of(alice).subject_id)


@pytest.mark.parametrize("path", CHANGE)
def test_an_application_that_no_one_uses_may_change_its_sector(path: str, rp: Registered) -> None:
    assert not CHANGE[path](rp.policy, redirect_uris=["https://other.example/cb"])
    assert rp.policy.sector == "other.example"
    assert not CHANGE[path](rp.policy, subject_type="public")
    assert rp.policy.sector == ""


@pytest.mark.parametrize("path", CHANGE)
def test_an_application_that_people_use_may_change_what_keeps_its_sector(path: str, rp: Registered, alice: Any) -> None:
    before = subject(rp, alice)

    assert not CHANGE[path](rp.policy, redirect_uris=[REDIRECT_URI, "https://rp.example/other"], name="Other")
    assert subject(rp, alice) == before


@pytest.mark.parametrize("columns", [{"subject_type": "public"}, {"sector": "other.example"}, {"sector": ""}])
def test_code_that_saves_a_row_changes_no_ids(columns: dict[str, str], rp: Registered, alice: Any) -> None:
    make_tokens(rp, alice)
    policy, before = rp.policy, state()
    for name, value in columns.items():
        setattr(policy, name, value)

    with pytest.raises(InvalidRequest):
        policy.save()

    assert state() == before


def test_the_api_says_why(rp: Registered, alice: Any, administrator: Browser) -> None:
    make_tokens(rp, alice)

    answer = send(administrator, "patch", f"{API}{rp.policy.pk}/", subject_type="public")
    page = administrator.post(f"{ADMIN}{rp.policy.pk}/change/", form_of(rp.policy, subject_type="public"))

    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "subject_type")
    assert answer.json()["errors"][0]["code"] == "in_use"
    assert "it would see other ids for them" in page.content.decode()


def test_no_site_is_asked_for_an_administrator_who_may_not_change_it(
    rp: Registered, site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    clerk = browser_of_clerk("change_applicationpolicy", "view_applicationpolicy")

    def refuse(actor: Any, service: Any) -> None:
        raise PermissionRefused

    monkeypatch.setattr(changes, "check_service", refuse)
    answer = send(clerk, "patch", f"{API}{rp.policy.pk}/", sector_identifier_uri=SECTOR)

    assert answer.status_code == 403
    assert site.count == 0
