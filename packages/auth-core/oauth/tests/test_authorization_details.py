"""Authorization details (RFC 9396): what is asked for, shown, given, carried and narrowed."""

import json
from collections.abc import Sequence
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.oauth.checks import check_detail_types
from auth_core.oauth.models import ApplicationPolicy, Authorization, Consent, Resource
from auth_core.oauth.registries import DetailType, detail_types
from auth_core.oauth.testing.factories import Registered, exchange, introspect, make_application, make_code, refresh
from auth_core.oauth.testing.proofs import KeyHolder, make_signing_application, push
from people import allowed, answer_in, approval_in, asked, authorize, browser_of, decide, error_in
from token_parts import claims_in

pytestmark = pytest.mark.django_db

API, OTHER = "https://api.example", "https://other.example"
READ: dict[str, Any] = {"type": "account", "actions": ["read", "list"], "identifier": "DE-1"}
PAY: dict[str, Any] = {"type": "payment", "amount": {"value": "12.50", "currency": "EUR"}, "to": "Bob"}


@pytest.fixture(autouse=True)
def types(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A type of the site, and one of a package with fields of its own."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "AUTHORIZATION_DETAILS_TYPES": {"account": "Use your account"}}
    payment = DetailType(
        sentence="Pay",
        fields=frozenset({"amount", "to"}),
        is_valid=lambda detail: "amount" in detail and detail.get("to") != "nobody",
        describe=lambda detail: f"Pay {detail['amount']['value']} {detail['amount']['currency']} to {detail['to']}",
    )
    monkeypatch.setattr(detail_types, "_entries", {"payment": payment})


@pytest.fixture
def bank(db: None) -> Registered:
    """An application that may ask for both types."""
    return make_application(authorization_details_types="account payment")


@pytest.fixture
def browser(alice: Any) -> Browser:
    """The browser of alice, who has signed in."""
    return browser_of(alice)


def ask(browser: Browser, application: Registered, *details: Any, text: str | None = None, **parameters: Any) -> Any:
    sent = json.dumps(details) if text is None else text
    return authorize(browser, application, authorization_details=sent, **parameters)


def tokens(application: Registered, user: Any, *details: Any, resources: Sequence[str] = (), **parameters: Any) -> Any:
    code = make_code(application, user, authorization_details=details, resources=resources)
    return exchange(application, code, **parameters)


def test_details_are_shown_in_words_given_and_carried(bank: Registered, browser: Browser) -> None:
    page = ask(browser, bank, READ, PAY)
    body = exchange(bank, answer_in(decide(browser, page))["code"]).json()

    text = page.content.decode()
    assert "Use your account (actions: read, list; for: DE-1)" in text
    assert "Pay 12.50 EUR to Bob" in text
    assert Authorization.objects.get().authorization_details == [READ, PAY]
    assert body["authorization_details"] == [READ, PAY]
    assert claims_in(body["access_token"])["authorization_details"] == [READ, PAY]
    assert introspect(bank, body["access_token"])["authorization_details"] == [READ, PAY]
    assert introspect(bank, body["refresh_token"])["authorization_details"] == [READ, PAY]
    assert "authorization_details" not in claims_in(body["id_token"])


def test_every_value_is_shown_and_none_is_markup(bank: Registered, browser: Browser) -> None:
    detail = {"type": "account", "actions": ["<b>"], "privileges": ["admin"], "datatypes": ["notes"]}

    text = ask(browser, bank, detail).content.decode()

    assert "actions: &lt;b&gt;; data: notes; privileges: admin" in text


def test_a_request_without_details_has_none(bank: Registered, browser: Browser) -> None:
    body = exchange(bank, allowed(browser, bank)["code"]).json()

    assert "authorization_details" not in body
    assert "authorization_details" not in claims_in(body["access_token"])
    assert "authorization_details" not in introspect(bank, body["access_token"])


BAD = {
    "no JSON": "[",
    "no list": json.dumps(READ),
    "an empty list": "[]",
    "no objects": '["account"]',
    "no type": '[{"actions":["read"]}]',
    "a type that is no text": '[{"type":1}]',
    "an unknown type": '[{"type":"unknown"}]',
    "an unknown field": json.dumps([{**READ, "extra": "x"}]),
    "a field of another type": json.dumps([{**READ, "amount": "x"}]),
    "actions that are no list": '[{"type":"account","actions":"read"}]',
    "actions that are empty": '[{"type":"account","actions":[]}]',
    "actions that are no texts": '[{"type":"account","actions":[1]}]',
    "an identifier that is no text": '[{"type":"account","identifier":{}}]',
    "what its type refuses": json.dumps([{**PAY, "to": "nobody"}]),
    "what its type needs": '[{"type":"payment","to":"Bob"}]',
    "a name that is repeated": '[{"type":"account","identifier":"a","identifier":"b"}]',
    "a number with a point": '[{"type":"payment","to":"Bob","amount":{"value":1.5}}]',
    "no number": '[{"type":"payment","to":"Bob","amount":NaN}]',
    "a location that was not asked for": json.dumps([{**READ, "locations": [API]}]),
    "a location that is no address": json.dumps([{**READ, "locations": ["api"]}]),
    "a control character": json.dumps([{**READ, "identifier": "a\nb"}]),
    "a hidden direction": json.dumps([{**READ, "identifier": "a\u202eb"}]),
    "a long text": json.dumps([{**READ, "identifier": "x" * 257}]),
    "a long parameter": json.dumps([{**READ, "actions": [f"{number:0>200}" for number in range(11)]}]),
    "too many": json.dumps([{**READ, "identifier": str(number)} for number in range(9)]),
    "too many members": json.dumps([{**READ, "actions": [str(number) for number in range(130)]}]),
    "too deep": '[{"type":"payment","to":"Bob","amount":{"a":{"b":{"c":{}}}}}]',
    "very deep": "[" * 2000,
}


@pytest.mark.parametrize("why", BAD)
def test_bad_details_are_refused_and_change_nothing(why: str, bank: Registered, browser: Browser) -> None:
    assert error_in(ask(browser, bank, text=BAD[why])) == "invalid_authorization_details"

    answer = push(bank, **{"response_type": "code", "redirect_uri": "https://rp.example/callback"} | {
        "code_challenge": "x" * 43, "code_challenge_method": "S256", "authorization_details": BAD[why],
    })  # fmt: skip
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_authorization_details")
    assert not Authorization.objects.exists()


def test_a_type_that_the_application_may_not_ask_for_is_refused(browser: Browser) -> None:
    application = make_application(authorization_details_types="account")

    assert error_in(ask(browser, application, PAY)) == "invalid_authorization_details"


def test_the_same_details_twice_are_once(bank: Registered, browser: Browser) -> None:
    decide(browser, ask(browser, bank, READ, READ))

    assert Authorization.objects.get().authorization_details == [READ]


def test_consent_is_asked_for_each_time_and_not_remembered(bank: Registered, browser: Browser) -> None:
    decide(browser, ask(browser, bank, READ))

    assert b'name="decision"' in ask(browser, bank, READ).content
    assert error_in(ask(browser, bank, READ, prompt="none")) == "consent_required"
    assert Consent.objects.get().scope == "openid"
    assert "code" in answer_in(authorize(browser, bank))


def test_consent_is_asked_for_an_application_of_the_operator_as_well(bank: Registered, browser: Browser) -> None:
    ApplicationPolicy.objects.update(is_first_party=True)

    assert b'name="decision"' in ask(browser, bank, READ).content


def test_details_that_read_differently_are_shown_again(bank: Registered, browser: Browser, settings: Any) -> None:
    page = ask(browser, bank, READ)
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "AUTHORIZATION_DETAILS_TYPES": {"account": "Empty your account"}}

    answer = decide(browser, page)

    assert answer.status_code == 409
    assert b"Empty your account" in answer.content
    assert approval_in(answer) != approval_in(page)
    assert not Authorization.objects.exists()


def test_the_trail_names_the_types_and_not_what_they_say(bank: Registered, browser: Browser, events: list[Any]) -> None:
    decide(browser, ask(browser, bank, READ, PAY))
    decide(browser, ask(browser, bank, PAY), "deny")

    granted, denied = (
        next(event.data for event in events if event.name == f"oauth.authorization.{what}")
        for what in ("granted", "denied")
    )
    assert (granted["details"], denied["details"]) == (["account", "payment"], ["payment"])
    assert "DE-1" not in str(events)


@pytest.mark.parametrize(
    "wanted",
    [[READ], [{**READ, "actions": ["read"]}], [{**READ, "actions": ["list", "read"]}], [READ, PAY], [PAY]],
)
@pytest.mark.parametrize("grant", ["code", "refresh"])
def test_a_token_may_have_less(grant: str, wanted: Any, bank: Registered, alice: Any) -> None:
    narrow = {"authorization_details": json.dumps(wanted)}

    if grant == "code":
        body = tokens(bank, alice, READ, PAY, **narrow).json()
    else:
        body = refresh(bank, tokens(bank, alice, READ, PAY).json()["refresh_token"], **narrow).json()

    assert body["authorization_details"] == wanted == claims_in(body["access_token"])["authorization_details"]
    # The next token may have all of it again.
    if "refresh_token" in body:
        assert refresh(bank, body["refresh_token"]).json()["authorization_details"] == [READ, PAY]


@pytest.mark.parametrize(
    "wanted",
    [
        [{**READ, "actions": ["read", "write"]}],
        [{"type": "account", "actions": ["read"]}],
        [{"type": "account", "identifier": "DE-1"}],
        [{**READ, "identifier": "DE-2"}],
        [{**READ, "actions": []}],
        [{**READ, "privileges": ["read"]}],
        [READ, {"type": "payment"}],
        [{**PAY, "amount": {"value": "1.00", "currency": "EUR"}}],
        [PAY, {**PAY, "to": "Eve"}],
        [{"type": "account"}],
    ],
)
@pytest.mark.parametrize("grant", ["code", "refresh"])
def test_a_token_never_has_more(grant: str, wanted: Any, bank: Registered, alice: Any) -> None:
    more = {"authorization_details": json.dumps(wanted)}

    if grant == "code":
        answer = tokens(bank, alice, READ, PAY, **more)
    else:
        answer = refresh(bank, tokens(bank, alice, READ, PAY).json()["refresh_token"], **more)

    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_authorization_details")


@pytest.mark.parametrize("text", ["[", "{}", "[]", "[" * 3000])
def test_malformed_details_at_the_token_endpoint(text: str, bank: Registered, alice: Any) -> None:
    token = tokens(bank, alice, READ).json()["refresh_token"]

    assert refresh(bank, token, authorization_details=text).json()["error"] == "invalid_authorization_details"
    assert refresh(bank, token).status_code == 200


def test_details_are_not_given_to_an_application_for_itself(service: Registered) -> None:
    sent = {"grant_type": "client_credentials", "authorization_details": json.dumps([READ])}

    assert service.post("/oauth/token", **sent).json()["error"] == "invalid_authorization_details"
    assert service.post("/oauth/token", grant_type="client_credentials").status_code == 200


def test_a_token_has_the_details_for_its_audience(bank: Registered, alice: Any) -> None:
    for uri in (API, OTHER):
        Resource.objects.create(uri=uri)
    here, there = ({**READ, "locations": [f"{uri}/"]} for uri in (API, OTHER))

    both = tokens(bank, alice, here, there, PAY, resources=[API, OTHER]).json()
    one = refresh(bank, both["refresh_token"], resource=API).json()

    assert both["authorization_details"] == [here, there, PAY]
    assert one["authorization_details"] == [here, PAY] == claims_in(one["access_token"])["authorization_details"]


def test_a_location_is_a_resource_that_the_request_names(bank: Registered, browser: Browser) -> None:
    Resource.objects.create(uri=API)

    page = ask(browser, bank, {**READ, "locations": [f"{API}/"]}, resource=API)

    assert b"at: https://api.example/" in page.content


def test_a_type_that_is_gone_is_refused_and_what_was_given_stays(bank: Registered, alice: Any, settings: Any) -> None:
    token = tokens(bank, alice, READ).json()["refresh_token"]
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "AUTHORIZATION_DETAILS_TYPES": {}}

    assert error_in(ask(browser_of(alice), bank, READ)) == "invalid_authorization_details"
    assert refresh(bank, token).json()["authorization_details"] == [READ]


@pytest.mark.asvs("10.4.15")
def test_under_high_details_come_by_a_pushed_request_alone(browser: Browser) -> None:
    application = make_signing_application(
        authorization_details_types="account payment", profile="high", redirect_uris="https://rp.example/callback"
    )
    sent = {**asked(application), "authorization_details": json.dumps([READ])}
    name = push(application, proof=KeyHolder().proof(path="/oauth/par"), **sent).json()["request_uri"]

    direct = ask(browser, application, READ)
    tampered = browser.get(
        "/oauth/authorize",
        {"client_id": application.client_id, "request_uri": name, "authorization_details": json.dumps([PAY])},
    )

    assert direct.status_code == 400
    assert b"The application must push its request first." in direct.content
    assert b"Use your account (actions: read, list; for: DE-1)" in tampered.content
    assert b"EUR" not in tampered.content


def test_people_see_what_they_gave_and_an_administrator_too(
    bank: Registered, browser: Browser, administrator: Browser
) -> None:
    for _number in range(2):
        decide(browser, ask(browser, bank, READ, PAY))

    (access,) = browser.get("/api/v1/me/applications/").json()["results"]
    page = browser.get("/account/applications/").content.decode()
    row = administrator.get(f"/admin/auth_oauth/authorization/{Authorization.objects.first().pk}/change/")

    assert access["authorization_details"] == [READ, PAY]
    assert page.count("Pay 12.50 EUR to Bob") == 1
    assert "DE-1" in row.content.decode()


@pytest.mark.parametrize("types", [{"a b": "Pay"}, {"": "Pay"}, {"payment": ""}, {"payment": " "}, {"x" * 129: "Pay"}])
def test_a_type_that_no_one_can_use_is_an_error(types: dict[str, str], settings: Any) -> None:
    assert check_detail_types() == []
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "AUTHORIZATION_DETAILS_TYPES": types}

    (error,) = check_detail_types()

    assert error.id == "auth_oauth.E016"
