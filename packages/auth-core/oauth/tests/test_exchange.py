"""Token exchange (RFC 8693): a service acts for the person of a token that it received."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import transaction
from django.test import Client as Browser

from auth_core.events import AuthEvent, Event, record
from auth_core.oauth.clients.registry import TOKEN_EXCHANGE
from auth_core.oauth.grants.exchange import ACCESS_TOKEN
from auth_core.oauth.models import AccessToken, ApplicationPolicy, Authorization, RefreshToken, Resource, RevokedToken
from auth_core.oauth.testing.factories import (
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
from auth_core.oauth.testing.proofs import KeyHolder, make_signing_application
from auth_core.people.locking import disable_account, lock_account
from auth_core.people.lookup import identity_of
from auth_core.testing.factories import make_user
from token_parts import claims_in

pytestmark = pytest.mark.django_db

FRONT, BACK, THIRD = "https://front.example", "https://back.example", "https://third.example"
SCOPES = {"notes:read": "Read your notes", "notes:write": "Change your notes"}
EVERYTHING = ("openid", "offline_access", "profile", *SCOPES)


def make_service(uri: str, *audiences: str, **columns: Any) -> Registered:
    """Create a service that owns the resource *uri* and may exchange tokens for *audiences*."""
    service = make_application(
        **{
            "grant_types": TOKEN_EXCHANGE,
            "scopes": "notes:read openid profile offline_access",
            "exchange_audiences": " ".join(audiences),
            "name": uri,
            **columns,
        }
    )
    Resource.objects.create(uri=uri, application=service.row, scopes=SCOPES)
    return service


@pytest.fixture
def front(db: None) -> Registered:
    """A service that calls another one."""
    return make_service(FRONT, BACK, THIRD)


@pytest.fixture
def back(db: None) -> Registered:
    """The other service, which calls a third one."""
    return make_service(BACK, THIRD)


@pytest.fixture
def app(db: None, front: Registered, back: Registered) -> Registered:
    """The application of a person, which calls the first service."""
    make_service(THIRD, FRONT)
    return make_application(scopes=" ".join(SCOPES))


def received(application: Registered, user: Any, *, audience: Any = FRONT, proof: str = "", **values: Any) -> str:
    """Return the token of *user* that *application* sends to the first service."""
    values = {"scopes": EVERYTHING, "resources": [FRONT, BACK, THIRD], **values}
    body = exchange(application, make_code(application, user, **values), resource=audience, proof=proof).json()
    token: str = body["access_token"]
    return token


def ask(service: Registered, token: str, *, proof: str = "", **changes: Any) -> Any:
    """Exchange *token* as *service*. ``None`` leaves a parameter out."""
    usual = {"grant_type": TOKEN_EXCHANGE, "subject_token": token, "subject_token_type": ACCESS_TOKEN, "audience": BACK}
    sent = {name: value for name, value in {**usual, **changes}.items() if value is not None}
    return service.post("/oauth/token", proof=proof, **sent)


def is_refused(answer: Any, error: str = "invalid_request") -> bool:
    assert (answer.status_code, answer.json()["error"]) == (400, error), answer.content
    assert "access_token" not in answer.json()
    return True


def test_a_service_acts_for_the_person_who_called_it(
    app: Registered, front: Registered, back: Registered, alice: Any
) -> None:
    token = received(app, alice)
    rows = Authorization.objects.count(), RefreshToken.objects.count()

    answer = ask(front, token)

    body, before = answer.json(), claims_in(token)
    assert answer.headers["Cache-Control"] == "no-store"
    assert set(body) == {"access_token", "issued_token_type", "token_type", "expires_in", "scope"}
    assert (body["issued_token_type"], body["token_type"], body["scope"]) == (ACCESS_TOKEN, "Bearer", "notes:read")
    claims = claims_in(body["access_token"])
    assert claims["act"] == {"sub": front.client_id}
    assert (claims["client_id"], claims["aud"], claims["scope"]) == (front.client_id, BACK, "notes:read")
    assert {name: claims[name] for name in ("sub", "grant_id", "acr", "auth_time")} == {
        name: before[name] for name in ("sub", "grant_id", "acr", "auth_time")
    }
    assert claims["jti"] != before["jti"]
    assert introspect(back, body["access_token"])["act"] == {"sub": front.client_id}
    assert introspect(front, body["access_token"])["active"]
    assert introspect(app, body["access_token"]) == {"active": False}
    assert (Authorization.objects.count(), RefreshToken.objects.count()) == rows, "the exchange wrote a grant"


def test_the_trail_has_the_person_and_the_service(
    app: Registered, front: Registered, alice: Any, events: list[Any]
) -> None:
    session = session_facts()
    token = received(app, alice, session=session)

    ask(front, token)

    (event,) = [event for event in events if event.name == "oauth.token.exchanged"]
    assert (event.subject, event.application, event.session) == (alice, front.policy.pk, session.id)
    assert event.data == {
        "authorization": claims_in(token)["grant_id"],
        "given_to": str(app.policy.pk),
        "actor": "",
        "scope": "notes:read",
        "resources": [BACK],
        "chain": [front.client_id],
    }


def test_a_refusal_is_recorded(app: Registered, back: Registered, alice: Any, events: list[Any]) -> None:
    is_refused(ask(back, received(app, alice), audience=THIRD))

    (event,) = [event for event in events if event.name == "oauth.request.refused"]
    assert (event.application, event.reason, event.data["grant"]) == (back.policy.pk, "invalid_request", TOKEN_EXCHANGE)


def test_a_token_of_another_service_is_refused(
    app: Registered, front: Registered, back: Registered, alice: Any
) -> None:
    assert is_refused(ask(back, received(app, alice), audience=THIRD))
    assert is_refused(ask(front, received(app, alice, audience=BACK)))
    assert is_refused(ask(front, received(app, alice, audience="https://auth.example.org")))


def test_a_disabled_resource_receives_no_token(app: Registered, front: Registered, alice: Any) -> None:
    token = received(app, alice)
    Resource.objects.filter(uri=FRONT).update(is_active=False)

    assert is_refused(ask(front, token))


def test_the_application_itself_cannot_exchange_its_tokens(app: Registered, alice: Any) -> None:
    ApplicationPolicy.objects.filter(pk=app.policy.pk).update(grant_types=TOKEN_EXCHANGE, exchange_audiences=BACK)
    ApplicationPolicy.objects.filter(pk=app.policy.pk).update(grant_types=f"authorization_code {TOKEN_EXCHANGE}")

    assert is_refused(ask(app, received(app, alice)))


@pytest.mark.parametrize("other", ["id_token", "refresh_token"])
def test_another_kind_of_token_is_refused(other: str, app: Registered, front: Registered, alice: Any) -> None:
    body = make_tokens(app, alice, scopes=EVERYTHING)

    assert is_refused(ask(front, body[other]))
    type_ = f"urn:ietf:params:oauth:token-type:{other}"
    assert is_refused(ask(front, body[other], subject_token_type=type_))
    assert is_refused(ask(front, received(app, alice), subject_token_type=type_))


def test_an_id_token_whose_audience_is_the_service_is_refused(front: Registered, alice: Any) -> None:
    ApplicationPolicy.objects.update(grant_types=f"authorization_code {TOKEN_EXCHANGE}")

    assert is_refused(ask(front, make_tokens(front, alice)["id_token"]))


@pytest.mark.parametrize("token", ["x", "a.b.c", "eat_" + "x" * 43, "x" * 20_000, "eyJhbGciOiJub25lIn0.e30."])
def test_what_is_no_token_is_refused(token: str, front: Registered) -> None:
    assert is_refused(ask(front, token))


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"subject_token": None}, "invalid_request"),
        ({"subject_token_type": None}, "invalid_request"),
        ({"subject_token_type": "urn:ietf:params:oauth:token-type:jwt"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:refresh_token"}, "invalid_request"),
        ({"requested_token_type": "urn:ietf:params:oauth:token-type:id_token"}, "invalid_request"),
        ({"actor_token": "x", "actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"actor_token_type": ACCESS_TOKEN}, "invalid_request"),
        ({"audience": None}, "invalid_target"),
        ({"audience": FRONT}, "invalid_target"),
        ({"audience": "https://unknown.example"}, "invalid_target"),
        ({"audience": "https://auth.example.org"}, "invalid_target"),
        ({"audience": "back"}, "invalid_target"),
        ({"audience": f"{BACK}#x"}, "invalid_target"),
        ({"audience": [BACK, FRONT]}, "invalid_target"),
        ({"resource": FRONT}, "invalid_target"),
        ({"audience": [f"https://{number}.example" for number in range(40)]}, "invalid_target"),
        ({"scope": "notes:write"}, "invalid_scope"),
        ({"scope": "notes:read openid"}, "invalid_scope"),
        ({"scope": "offline_access"}, "invalid_scope"),
        ({"scope": "unknown"}, "invalid_scope"),
        ({"scope": 'a"b'}, "invalid_scope"),
    ],
)
def test_a_request_for_more_or_for_something_else_is_refused(
    changes: dict[str, Any], error: str, app: Registered, front: Registered, alice: Any
) -> None:
    assert is_refused(ask(front, received(app, alice), **changes), error)


def test_the_resource_may_be_named_in_both_ways_and_each_once(app: Registered, front: Registered, alice: Any) -> None:
    body = ask(front, received(app, alice), audience=[f"{BACK}/", BACK], resource=THIRD).json()

    assert claims_in(body["access_token"])["aud"] == [THIRD, BACK]


def test_a_resource_that_the_person_did_not_give_is_refused(app: Registered, front: Registered, alice: Any) -> None:
    assert is_refused(ask(front, received(app, alice, resources=[FRONT])), "invalid_target")


def test_a_resource_that_is_gone_is_refused(app: Registered, front: Registered, alice: Any) -> None:
    token = received(app, alice)
    Resource.objects.filter(uri=BACK).update(is_active=False)

    assert is_refused(ask(front, token), "invalid_target")


def test_a_scope_that_the_received_token_lacks_is_refused(app: Registered, front: Registered, alice: Any) -> None:
    code = make_code(app, alice, scopes=["openid", "notes:write"], resources=[FRONT, BACK])
    token = exchange(app, code, resource=FRONT).json()["access_token"]

    assert is_refused(ask(front, token), "invalid_scope")
    assert is_refused(ask(front, token, scope="notes:read"), "invalid_scope")


def test_a_narrowed_token_is_not_widened(app: Registered, front: Registered, alice: Any) -> None:
    ApplicationPolicy.objects.filter(pk=front.policy.pk).update(scopes=" ".join(SCOPES))
    body = exchange(app, make_code(app, alice, scopes=EVERYTHING, resources=[FRONT, BACK])).json()
    narrow = refresh(app, body["refresh_token"], scope="notes:read", resource=FRONT).json()["access_token"]

    assert ask(front, narrow).json()["scope"] == "notes:read"
    assert is_refused(ask(front, narrow, scope="notes:write"), "invalid_scope")


def test_the_new_token_never_outlives_the_received_one(
    app: Registered, front: Registered, alice: Any, clock: Any
) -> None:
    token = received(app, alice)
    clock.forward(minutes=7)

    body = ask(front, token).json()

    assert claims_in(body["access_token"])["exp"] == claims_in(token)["exp"]
    assert body["expires_in"] == claims_in(token)["exp"] - claims_in(body["access_token"])["iat"] <= 180


def test_the_new_token_has_no_longer_lifetime_than_the_service(app: Registered, front: Registered, alice: Any) -> None:
    ApplicationPolicy.objects.filter(pk=front.policy.pk).update(access_token_lifetime=timedelta(seconds=30))

    assert ask(front, received(app, alice)).json()["expires_in"] == 30


def test_an_expired_token_is_refused(app: Registered, front: Registered, alice: Any, clock: Any) -> None:
    token = received(app, alice)
    clock.forward(minutes=11)

    assert is_refused(ask(front, token))


def _end_session(app: Registered, alice: Any, token: str) -> None:
    row = Authorization.objects.get()
    Authorization.objects.update(is_offline=False)
    with transaction.atomic():
        record(Event(name=AuthEvent.SESSION_ENDED, subject=alice, session=row.session_id))


ENDS: dict[str, Any] = {
    "the session ended": _end_session,
    "the account was disabled": lambda app, alice, token: disable_account(user=alice),
    "the account was locked": lambda app, alice, token: lock_account(user=alice),
    "the person is inactive": lambda app, alice, token: type(alice).objects.update(is_active=False),
    "the token was revoked": lambda app, alice, token: app.post("/oauth/revoke", token=token),
    "the authorization ended": lambda app, alice, token: Authorization.objects.all().end(reason="revoked"),
    "the application was disabled": lambda app, alice, token: ApplicationPolicy.objects.filter(pk=app.policy.pk).update(
        is_active=False
    ),
}


@pytest.mark.parametrize("why", ENDS)
def test_a_token_that_is_over_is_refused_and_so_is_what_it_was_exchanged_for(
    why: str, app: Registered, front: Registered, back: Registered, alice: Any
) -> None:
    token = received(app, alice)
    before = ask(front, token).json()["access_token"]

    ENDS[why](app, alice, token)

    assert is_refused(ask(front, token))
    # A revoked access token ends alone.
    assert introspect(back, before)["active"] is (why == "the token was revoked")


def test_a_token_of_an_application_for_itself_is_refused(app: Registered, front: Registered) -> None:
    service = make_application(grant="client-credentials", scopes="notes:read")
    sent = {"grant_type": "client_credentials", "resource": FRONT, "scope": "notes:read"}

    assert is_refused(ask(front, service.post("/oauth/token", **sent).json()["access_token"]))


@pytest.mark.parametrize("why", ["group", "assurance"])
def test_a_person_who_may_not_use_the_service_is_refused(
    why: str, app: Registered, front: Registered, alice: Any
) -> None:
    token = received(app, alice)
    if why == "group":
        from django.contrib.auth.models import Group  # noqa: PLC0415 - for this case alone

        front.policy.allowed_groups.add(Group.objects.create(name="staff"))
    else:
        ApplicationPolicy.objects.filter(pk=front.policy.pk).update(required_assurance="aal3")

    assert is_refused(ask(front, token))


def test_a_bound_token_needs_a_proof_of_its_key(app: Registered, front: Registered, alice: Any) -> None:
    key = KeyHolder()
    token = received(app, alice, proof=key.proof())

    assert is_refused(ask(front, token))
    assert is_refused(ask(front, token, proof=KeyHolder().proof()))
    body = ask(front, token, proof=key.proof()).json()
    assert (body["token_type"], claims_in(body["access_token"])["cnf"]) == ("DPoP", {"jkt": key.thumbprint})


def test_the_new_token_is_bound_to_the_key_of_the_service(app: Registered, front: Registered, alice: Any) -> None:
    key = KeyHolder()

    body = ask(front, received(app, alice), proof=key.proof()).json()

    assert (body["token_type"], claims_in(body["access_token"])["cnf"]) == ("DPoP", {"jkt": key.thumbprint})


def test_a_proof_and_an_assertion_work_once(app: Registered, front: Registered, alice: Any) -> None:
    key, token = KeyHolder(), received(app, alice)
    signing = make_signing_application(grant_types=TOKEN_EXCHANGE, scopes="notes:read", exchange_audiences=BACK)
    Resource.objects.filter(uri=FRONT).update(application=signing.row)
    sent = {**signing.credentials(), "grant_type": TOKEN_EXCHANGE, "subject_token_type": ACCESS_TOKEN, "audience": BACK}
    sent = {**sent, "subject_token": token, "proof": key.proof()}

    assert signing.post("/oauth/token", **sent).status_code == 200
    assert signing.post("/oauth/token", **sent).status_code in (400, 401)
    assert signing.post("/oauth/token", **{**sent, **signing.credentials()}).json()["error"] == "invalid_dpop_proof"


def test_a_service_that_must_prove_a_key_gets_nothing_without(app: Registered, front: Registered, alice: Any) -> None:
    ApplicationPolicy.objects.filter(pk=front.policy.pk).update(require_dpop=True)

    assert is_refused(ask(front, received(app, alice)), "invalid_dpop_proof")


def test_the_grant_is_off_by_default(app: Registered, front: Registered, alice: Any) -> None:
    ApplicationPolicy.objects.filter(pk=front.policy.pk).update(grant_types="")

    assert is_refused(ask(front, received(app, alice)), "unauthorized_client")
    assert TOKEN_EXCHANGE not in make_application().registered.grants


def test_a_public_application_exchanges_nothing(app: Registered, alice: Any) -> None:
    public = make_application(public=True, grant_types=TOKEN_EXCHANGE, scopes="notes:read", exchange_audiences=BACK)
    Resource.objects.filter(uri=FRONT).update(application=public.row)

    assert is_refused(ask(public, received(app, alice)), "unauthorized_client")


def test_each_service_of_a_chain_is_named(
    app: Registered, front: Registered, back: Registered, alice: Any, events: list[Any]
) -> None:
    first = ask(front, received(app, alice)).json()["access_token"]

    second = ask(back, first, audience=THIRD).json()["access_token"]

    assert claims_in(second)["act"] == {"sub": back.client_id, "act": {"sub": front.client_id}}
    chains = [event.data["chain"] for event in events if event.name == "oauth.token.exchanged"]
    assert chains == [[front.client_id], [back.client_id, front.client_id]]


def test_a_chain_has_an_end(app: Registered, front: Registered, back: Registered, alice: Any) -> None:
    third = Resource.objects.get(uri=THIRD).application
    services = {FRONT: (front, BACK), BACK: (back, THIRD)}
    token, at, count = received(app, alice), FRONT, 0
    ApplicationPolicy.objects.filter(application=third).update(exchange_audiences=FRONT)
    Resource.objects.filter(uri=THIRD).update(application=front.row)
    ApplicationPolicy.objects.filter(pk=front.policy.pk).update(exchange_audiences=f"{BACK} {FRONT}")

    answer = None
    while count < 10:
        service, target = services.get(at, (front, FRONT))
        answer = ask(service, token, audience=target)
        if answer.status_code != 200:
            break
        token, at, count = answer.json()["access_token"], target, count + 1

    assert count == 4
    assert is_refused(answer)


def test_a_person_who_acts_in_the_session_stays_in_the_chain(
    app: Registered, front: Registered, alice: Any, events: list[Any]
) -> None:
    actor = identity_of(make_user()).subject_id

    claims = claims_in(ask(front, received(app, alice, session=session_facts(actor=actor))).json()["access_token"])

    assert claims["act"] == {"sub": front.client_id, "act": {"sub": str(actor)}}
    (event,) = [event for event in events if event.name == "oauth.token.exchanged"]
    assert event.data["actor"] == str(actor)


@pytest.mark.parametrize("columns", [{"is_active": False}, {"grant_types": ""}])
def test_a_service_that_may_not_act_any_more_does_not(
    columns: dict[str, Any], app: Registered, front: Registered, back: Registered, alice: Any
) -> None:
    token = ask(front, received(app, alice)).json()["access_token"]
    assert introspect(back, token)["active"]

    ApplicationPolicy.objects.filter(pk=front.policy.pk).update(**columns)

    assert introspect(back, token) == {"active": False}
    assert is_refused(ask(back, token, audience=THIRD))


def test_a_service_revokes_the_token_with_which_it_acts(
    app: Registered, front: Registered, back: Registered, alice: Any
) -> None:
    token = ask(front, received(app, alice)).json()["access_token"]

    assert app.post("/oauth/revoke", token=token).status_code == 400
    assert front.post("/oauth/revoke", token=token).status_code == 200
    assert introspect(back, token) == {"active": False}
    assert RevokedToken.objects.count() == 1


def test_an_opaque_token_is_exchanged_and_issued(
    app: Registered, front: Registered, back: Registered, alice: Any, clock: Any
) -> None:
    ApplicationPolicy.objects.update(token_format="opaque")
    token = received(app, alice)
    clock.forward(minutes=7)

    opaque = ask(front, token).json()["access_token"]

    assert opaque.startswith("eat_")
    assert introspect(back, opaque)["act"] == {"sub": front.client_id}
    old, new = AccessToken.objects.order_by("created_at")
    assert new.expires_at <= old.expires_at
    assert new.application_id == front.row.pk
    clock.forward(minutes=4)
    assert introspect(back, opaque) == {"active": False}


def test_the_id_of_the_person_is_that_of_the_received_token(
    app: Registered, front: Registered, back: Registered, alice: Any
) -> None:
    ApplicationPolicy.objects.filter(pk=app.policy.pk).update(subject_type="pairwise", sector="rp.example")
    token = received(app, alice)

    new = ask(front, token).json()["access_token"]

    # Otherwise a service could find out which ids of two sectors are one person.
    assert claims_in(new)["sub"] == claims_in(token)["sub"] != str(identity_of(alice).subject_id)
    assert introspect(back, new)["sub"] == claims_in(token)["sub"]


def test_details_are_carried_to_their_audience(app: Registered, front: Registered, alice: Any) -> None:
    anywhere, here, there = (
        {"type": "account", "identifier": "1", **more} for more in ({}, {"locations": [FRONT]}, {"locations": [BACK]})
    )
    details = (anywhere, here, there)

    one = received(app, alice, authorization_details=details)
    both = received(app, alice, authorization_details=details, audience=[FRONT, BACK])

    assert claims_in(ask(front, one).json()["access_token"])["authorization_details"] == [anywhere]
    assert claims_in(ask(front, both).json()["access_token"])["authorization_details"] == [anywhere, there]


def test_an_exchanged_token_opens_nothing_of_this_service(app: Registered, front: Registered, alice: Any) -> None:
    token = ask(front, received(app, alice)).json()["access_token"]

    assert userinfo(token).status_code == 401
    assert Browser().get("/api/v1/me/", HTTP_AUTHORIZATION=f"Bearer {token}").status_code in (401, 403)


@pytest.mark.parametrize(
    ("columns", "error"),
    [
        ({"exchange_audiences": THIRD}, "invalid_target"),
        ({"scopes": ""}, "invalid_scope"),
        ({"grant_types": ""}, "unauthorized_client"),
        ({"required_assurance": "aal3"}, "invalid_request"),
    ],
)
def test_a_change_of_the_policy_counts_at_the_next_exchange(
    columns: dict[str, str], error: str, app: Registered, front: Registered, alice: Any
) -> None:
    token = received(app, alice)
    assert ask(front, token).status_code == 200, "the process remembers the service now"

    ApplicationPolicy.objects.filter(pk=front.policy.pk).update(**columns)

    assert is_refused(ask(front, token), error)


def test_a_disabled_service_exchanges_nothing(app: Registered, front: Registered, alice: Any) -> None:
    token = received(app, alice)
    assert ask(front, token).status_code == 200

    ApplicationPolicy.objects.filter(pk=front.policy.pk).update(is_active=False)

    assert ask(front, token).status_code == 401
