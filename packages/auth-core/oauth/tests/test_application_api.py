"""``/api/v1/applications/``: what administrators see and change, and who may."""

import json
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.test import Client as Browser
from oauth2_provider.models import get_application_model

from administrators import API, browser_of_clerk, send, state
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.models import Authorization, Consent, RefreshToken
from auth_core.oauth.testing.factories import (
    REDIRECT_URI,
    Registered,
    make_application,
    make_tokens,
    refresh,
    userinfo,
)
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_administrator, make_user
from auth_core.testing.sessions import sign_in
from people import allowed, browser_of

pytestmark = pytest.mark.django_db


def new(**values: Any) -> dict[str, Any]:
    return {"name": "New", "redirect_uris": [REDIRECT_URI], **values}


def test_a_new_application_has_its_secret_in_the_answer_and_nowhere_else(administrator: Browser, alice: Any) -> None:
    made = send(administrator, "post", API, **new())

    body = made.json()
    secret = body.pop("client_secret")
    row = get_application_model().objects.get()
    application = Registered(row=row, secret=secret)
    assert made.status_code == 201
    assert administrator.get(made.headers["Location"]).json() == body
    assert administrator.get(API).json()["results"] == [body]
    assert secret not in str(state())
    assert make_tokens(application, alice)["access_token"]


def test_every_value_is_taken_and_returned(administrator: Browser) -> None:
    Group.objects.create(name="staff")
    values = new(
        post_logout_redirect_uris=["https://rp.example/"], allowed_origins=["https://rp.example"],
        grants=["authorization_code", "client_credentials"], scopes=["orders:read"], first_party=True,
        service_account=True, auth_method="client_secret_post", required_assurance="aal2", allowed_groups=["staff"],
        token_format="opaque", access_token_lifetime=60, refresh_token_lifetime=3600, rotates_refresh_tokens=True,
        id_token_algorithm="PS256", backchannel_logout_uri="https://rp.example/logout",
        backchannel_session_required=False, client_uri="https://rp.example/", logo_uri="https://rp.example/l.png",
        policy_uri="https://rp.example/p", tos_uri="https://rp.example/t", subject_type="pairwise",
        sector_identifier_uri="", userinfo_signed_response_alg="EdDSA", authorization_details_types=["account"],
        exchange_audiences=["https://api.example"],
    )  # fmt: skip

    body = send(administrator, "post", API, **values).json()

    assert {name: body[name] for name in values} == values
    changed = send(administrator, "patch", f"{API}{body['id']}/", access_token_lifetime=None, allowed_groups=[])
    assert changed.json()["access_token_lifetime"] is None
    assert changed.json()["allowed_groups"] == []
    assert changed.json()["scopes"] == ["orders:read"], "what is left out does not change"


@pytest.mark.asvs("10.4.16")
def test_an_application_with_a_key_has_no_secret_and_never_gets_one(administrator: Browser) -> None:
    holder = KeyHolder()
    values = new(
        grants=["client_credentials"], auth_method="private_key_jwt", jwks=json.loads(holder.jwks), jwks_uri="", profile="high",
        require_par=True, require_dpop=True,
    )  # fmt: skip

    body = send(administrator, "post", API, **values).json()

    assert {name: body[name] for name in values} == values
    assert "client_secret" not in body
    application = SigningApplication(row=get_application_model().objects.get(), secret="", holder=holder)
    token = application.post("/oauth/token", grant_type="client_credentials", proof=KeyHolder().proof()).json()
    assert token["token_type"] == "DPoP"
    before = state()
    refused = send(administrator, "post", f"{API}{body['id']}/secret/")
    assert refused.json()["errors"][0]["detail"] == "It authenticates with its key."
    assert state() == before


def test_private_keys_are_refused_and_not_repeated(administrator: Browser) -> None:
    private = {"keys": [KeyHolder().key.as_dict(private=True)]}

    refused = send(administrator, "post", API, **new(auth_method="private_key_jwt", jwks=private))

    assert [error["field"] for error in refused.json()["errors"]] == ["jwks"]
    assert private["keys"][0]["d"] not in refused.content.decode()
    assert not get_application_model().objects.exists()


@pytest.mark.parametrize("member", ["d", "p", "q", "dp", "dq", "qi", "oth", "k"])
def test_one_private_member_beside_a_usable_key_is_refused(member: str, administrator: Browser) -> None:
    """The key set is recorded with the registration, so a part of a private key must not be in it."""
    usable = KeyHolder().key.as_dict(private=False)
    mixed = {"keys": [usable, {"kty": "RSA", member: "c2VjcmV0"}]}

    refused = send(administrator, "post", API, **new(auth_method="private_key_jwt", jwks=mixed))

    assert [error["field"] for error in refused.json()["errors"]] == ["jwks"]
    assert not get_application_model().objects.exists()


def test_a_public_application_has_no_secret_and_never_gets_one(administrator: Browser) -> None:
    body = send(administrator, "post", API, **new(public=True)).json()
    address = f"{API}{body['id']}/"

    assert "client_secret" not in body
    assert send(administrator, "post", f"{address}secret/").status_code == 400
    assert send(administrator, "patch", address, public=False).json()["errors"][0]["code"] == "unknown_field"


@pytest.mark.parametrize(
    "values",
    [
        {"allowed_groups": ["nobody"]}, {"access_token_lifetime": 0}, {"access_token_lifetime": -1},
        {"access_token_lifetime": "60"}, {"required_assurance": "aal9"}, {"token_format": ""}, {"grants": "password"},
        {"id_token_algorithm": "HS256"}, {"id_token_algorithm": "none"}, {"userinfo_signed_response_alg": "none"}, {"redirect_uris": REDIRECT_URI},
        {"redirect_uris": [1]}, {"scopes": ["a b"]}, {"name": ""}, {"name": "x" * 256}, {"name": "a\x00b"},
        {"client_secret": "mine"}, {"id": str(uuid4())}, {"client_id": "mine"}, {"previous_secret": "x"},
        {"tos_uri": "https://rp.example/" + "x" * 600}, {"active": None},
    ],
)  # fmt: skip
def test_a_bad_value_is_a_field_error_and_changes_nothing(
    values: dict[str, Any], administrator: Browser, web: Registered
) -> None:
    before = state()

    for answer in (
        send(administrator, "post", API, **new(**values)),
        send(administrator, "patch", f"{API}{web.policy.pk}/", **values),
    ):
        assert (answer.status_code, answer.json()["code"]) == (400, "invalid_request"), answer.content
        assert answer.json()["errors"]
    assert state() == before


def given(application: Registered, person: Any) -> dict[str, Any]:
    """Let *person* consent to *application* and give it offline access, and return the tokens."""
    allowed(browser_of(person), application)
    return make_tokens(application, person, scopes=["openid", "offline_access"])


def disable(browser: Browser, application: Registered) -> None:
    """Disable an application through the API."""
    assert send(browser, "patch", f"{API}{application.policy.pk}/", active=False).status_code == 200


def remove(browser: Browser, application: Registered) -> None:
    """Remove an application through the API."""
    assert browser.delete(f"{API}{application.policy.pk}/").status_code == 204


@pytest.mark.asvs("10.4.9")
def test_what_people_gave_to_a_disabled_application_ends_and_does_not_come_back(
    administrator: Browser, web: Registered, alice: Any, events: list[Any]
) -> None:
    tokens, other = given(web, alice), given(make_application(), alice)

    disable(administrator, web)

    assert userinfo(tokens["access_token"]).status_code == 401
    assert refresh(web, tokens["refresh_token"]).status_code == 401
    send(administrator, "patch", f"{API}{web.policy.pk}/", active=True)
    assert userinfo(tokens["access_token"]).status_code == 401
    assert refresh(web, tokens["refresh_token"]).json()["error"] == "invalid_grant"
    assert set(Authorization.objects.filter(application=web.row).values_list("ended_reason", flat=True)) == {
        "application_disabled"
    }
    assert not Consent.objects.filter(application=web.row, revoked_at=None).exists()
    assert userinfo(other["access_token"]).status_code == 200
    (event, _enabled) = [event for event in events if event.name is OAuthEvent.APPLICATION_CHANGED]
    assert event.data == {"ended": 2}
    assert event.changes == {"active": {"before": True, "after": False}}


def test_a_removed_application_is_gone_with_all_that_people_gave(
    administrator: Browser, web: Registered, alice: Any, events: list[Any]
) -> None:
    tokens, policy = given(web, alice), web.policy

    remove(administrator, web)

    assert userinfo(tokens["access_token"]).status_code == 401
    assert not get_application_model().objects.exists()
    for model in (Authorization, Consent, RefreshToken):
        assert not model._base_manager.exists()
    assert administrator.delete(f"{API}{policy.pk}/").status_code == 404
    (event,) = [event for event in events if event.name is OAuthEvent.APPLICATION_REMOVED]
    assert event.data == {"ended": 2}
    assert event.changes["name"] == {"before": "Example"}


#: Every request, with the permission that it needs.
REQUESTS: dict[str, tuple[str, str]] = {
    "list": ("get", "view"), "create": ("post", "add"), "show": ("get", "view"), "change": ("patch", "change"),
    "secret": ("post", "change"), "end secret": ("delete", "change"), "remove": ("delete", "delete"),
}  # fmt: skip


def request(browser: Browser, name: str, application: Registered) -> Any:
    one = f"{API}{application.policy.pk}/"
    addresses = {"list": API, "create": API, "secret": f"{one}secret/", "end secret": f"{one}secret/previous/"}
    body = new() if name == "create" else {"name": "Renamed"} if name == "change" else {}
    return send(browser, REQUESTS[name][0], addresses.get(name, one), **body)


@pytest.mark.asvs("8.2.1")
@pytest.mark.parametrize("name", REQUESTS)
def test_each_request_needs_its_own_permission(name: str, web: Registered) -> None:
    others = [f"{action}_applicationpolicy" for action in ("view", "add", "change", "delete")]
    others.remove(f"{REQUESTS[name][1]}_applicationpolicy")
    before = state()

    assert request(Browser(), name, web).status_code == 401
    assert request(browser_of_clerk(*others, is_staff=True), name, web).status_code == 403
    assert state() == before

    assert request(browser_of_clerk(f"{REQUESTS[name][1]}_applicationpolicy"), name, web).status_code in (
        200, 201, 204, 404,
    )  # fmt: skip


@pytest.mark.asvs("7.5.3")
@pytest.mark.parametrize("name", REQUESTS)
def test_changes_need_a_fresh_proof(name: str, web: Registered, settings: Any, clock: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "ADMINISTRATION": {"assurance": "aal2"}}
    browser = sign_in(make_administrator(), assurance="aal2")
    before = state()

    clock.forward(minutes=6)
    answer = request(browser, name, web)

    if REQUESTS[name][0] == "get":
        assert answer.status_code == 200
    else:
        assert (answer.status_code, answer.json()["code"]) == (401, "insufficient_user_authentication")
        assert answer.json()["max_age"] == timedelta(minutes=5).total_seconds()
    assert state() == before


@pytest.mark.parametrize("name", REQUESTS)
def test_a_token_opens_none_of_them(name: str, web: Registered) -> None:
    token = make_tokens(web, make_administrator())["access_token"]
    browser = Browser(HTTP_AUTHORIZATION=f"Bearer {token}")

    assert request(browser, name, web).status_code == 403


def test_the_list_takes_the_same_queries_for_many(administrator: Browser) -> None:
    def queries() -> int:
        with counted() as counts:
            assert administrator.get(API).status_code == 200
        return counts.queries

    group = Group.objects.create(name="staff")
    make_application().policy.allowed_groups.add(group)
    few = queries()
    for _number in range(20):
        make_application().policy.allowed_groups.add(group)

    assert queries() == few


def test_the_list_is_filtered_and_paged(administrator: Browser, web: Registered, native: Registered) -> None:
    (found,) = administrator.get(API, {"client_id": web.client_id}).json()["results"]
    page = administrator.get(API, {"page_size": 1}).json()

    assert found["id"] == str(web.policy.pk)
    assert page["results"][0]["id"] == str(native.policy.pk), "newest first"
    assert administrator.get(page["next"]).json()["results"][0]["id"] == str(web.policy.pk)
    assert administrator.get(API, {"name": "x"}).status_code == 400


def test_an_unknown_application_is_not_found(administrator: Browser) -> None:
    for name, (method, _permission) in REQUESTS.items():
        if name not in ("list", "create"):
            suffix = {"secret": "secret/", "end secret": "secret/previous/"}.get(name, "")
            assert send(administrator, method, f"{API}{uuid4()}/{suffix}").status_code == 404


def test_a_person_without_permission_learns_nothing(web: Registered) -> None:
    browser = sign_in(make_user(), assurance="aal2")

    answers = [browser.get(f"{API}{one}/").content for one in (web.policy.pk, uuid4())]

    assert b"Example" not in answers[0]
    assert len({answer[:60] for answer in answers}) == 1


@pytest.mark.parametrize("jwks", ["{}", '{"keys":[]}', [], 1, True, {"keys": {}}, {"keys": [1]}, {}, {"keys": []}])
def test_a_key_set_is_an_object_with_keys(jwks: Any, administrator: Browser) -> None:
    refused = send(administrator, "post", API, **new(auth_method="private_key_jwt", jwks=jwks))

    assert (refused.status_code, refused.json()["errors"][0]["field"]) == (400, "jwks")
    assert not get_application_model().objects.exists()


def test_a_key_set_is_recorded_as_an_object(administrator: Browser, events: list[Any]) -> None:
    first, second = (json.loads(KeyHolder().jwks) for _number in range(2))
    made = send(administrator, "post", API, **new(auth_method="private_key_jwt", jwks=first))

    send(administrator, "patch", made.headers["Location"], jwks=second)
    send(administrator, "patch", made.headers["Location"], jwks=None, jwks_uri="https://rp.example/keys")

    added, changed, removed = (event.changes["jwks"] for event in events if "jwks" in event.changes)
    assert added["after"] == first
    assert changed == {"before": first, "after": second}
    assert removed == {"before": second, "after": None}
    assert administrator.get(made.headers["Location"]).json()["jwks"] is None
