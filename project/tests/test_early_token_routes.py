"""The layer before Django answers the routes of a site that access tokens open, as Django REST framework does."""

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client as Browser
from django.utils import timezone

from auth_core.oauth.models import ApplicationPolicy, Authorization, Resource, RevokedToken
from auth_core.oauth.testing.factories import Registered, exchange, make_application, make_code, make_tokens
from auth_core.oauth.testing.proofs import KeyHolder
from auth_core.oauth.tokens.active_tokens import read_access_token
from auth_core.people.locking import disable_account, lock_account
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_user
from early_comparison import answer_of, differences, set_as_in_production, shown
from early_corpus import Changes, oddities
from enterprise_auth.front import application as front_application
from enterprise_auth.front import token_routes as routes
from enterprise_auth.front.application import FrontApplication
from enterprise_auth.front.token_routes import token_routes

pytestmark = pytest.mark.django_db(transaction=True)

ORDERS, OWN = "/api/v1/orders/", "/api/v1/own/"
TOKEN = "/oauth/token"
SCOPES = ["openid", "orders:read"]


@pytest.fixture(autouse=True)
def site(settings: Any) -> None:
    set_as_in_production(settings)
    settings.ROOT_URLCONF = "token_site"
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "SCOPES": {"orders:read": "See orders", "orders:write": "Order"}}
    settings.EARLY_TOKEN_ROUTES = ["orders", "own"]


@pytest.fixture
def django() -> WSGIHandler:
    return WSGIHandler()


@pytest.fixture
def web() -> Registered:
    return make_application(scopes="orders:read orders:write")


@pytest.fixture
def access(web: Registered, alice: Any) -> str:
    return new_token(web, alice)


@pytest.fixture
def front(django: WSGIHandler, access: str) -> FrontApplication:
    """The layer, which has seen a good request."""
    layer = FrontApplication(django, token_routes())
    assert answer_of(layer, asked(access)).status == "200 OK"
    return layer


def browser() -> Browser:
    return Browser(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="198.51.100.7", HTTP_X_FORWARDED_PROTO="https")


def new_token(client: Registered, person: Any, **values: Any) -> str:
    text: str = make_tokens(client, person, browser(), **{"scopes": SCOPES, **values})["access_token"]
    return text


def asked(token: str, path: str = ORDERS, **changes: Any) -> Changes:
    return {"PATH_INFO": path, "HTTP_AUTHORIZATION": f"Bearer {token}", **changes}


def tokens_in_every_state(web: Registered, alice: Any) -> dict[str, str]:
    found = {name: new_token(web, alice) for name in ("good", "revoked", "ended")}
    found["without the scope"] = new_token(web, alice, scopes=["openid"])
    for name, end in (("disabled", disable_account), ("locked", lock_account)):
        person = make_user(f"{name}@example.org")
        found[name] = new_token(web, person)
        end(user=person)
    for name, columns in (
        ("of a service", {}), ("of a service account", {"is_service_account": True}),
    ):  # fmt: skip
        service = make_application(grant="client-credentials", scopes="orders:read", **columns)
        answered = service.post(TOKEN, browser(), grant_type="client_credentials")
        found[name] = answered.json()["access_token"]
    opaque = make_application(token_format="opaque", scopes="orders:read")
    found["opaque"] = new_token(opaque, alice)
    off = make_application(scopes="orders:read")
    found["of a disabled application"] = new_token(off, alice)
    ApplicationPolicy.objects.filter(application=off.row).update(is_active=False)
    Resource.objects.create(uri="https://api.example", scopes={"orders:read": "See"})
    found["for a resource"] = new_token(web, alice, resources=["https://api.example"])
    code = make_code(web, alice, scopes=SCOPES)
    found["bound"] = exchange(web, code, browser(), proof=KeyHolder().proof()).json()["access_token"]
    claims: Any = read_access_token(found["revoked"])
    RevokedToken.objects.create(jti=claims["jti"], expires_at=timezone.now() + timedelta(hours=1))
    ended: Any = read_access_token(found["ended"])
    Authorization.objects.filter(pk=ended["grant_id"]).update(ended_at=timezone.now())
    head, payload, signature = found["good"].split(".")
    forged = f"{head}.{payload}.{'A' * len(signature)}"
    return {
        **found,
        "forged": forged,
        "unsigned": f"{head}.{payload}.",
        "garbage": "x.y.z",
        "empty": "",
        "long": "A" * 9000,
    }


def requests_of(tokens: dict[str, str]) -> list[Changes]:
    good = tokens["good"]
    requests = [asked(token, path) for token in tokens.values() for path in (ORDERS, OWN)]
    requests += [
        asked(token, REQUEST_METHOD=method)
        for token in (good, tokens["revoked"])
        for method in ("HEAD", "POST", "PUT", "OPTIONS")
    ]
    requests += [
        asked(good, HTTP_AUTHORIZATION=header)
        for header in (
            f"bearer {good}", f"BEARER {good}", f"Bearer  {good}", f" Bearer {good}", f"Bearer {good} ", f"Bearer\t{good}",
            f"Bearer {good},{good}", f"Session {good}", f"DPoP {good}", f"Basic {good}", good, "Bearer", "Bearer ", "",
            f"Bearer {good}\x00", f"Bearer {good}é", "\xff",
        )
    ]  # fmt: skip
    requests += [asked(good, HTTP_DPOP=proof) for proof in ("", "x", KeyHolder().proof(nonce=None))]
    for oddity in (
        *oddities(ORDERS),
        {"HTTP_COOKIE": "sessionid=x"},
        {"HTTP_COOKIE": ""},
        {"HTTP_ORIGIN": "https://x"},
    ):
        requests += [asked(token, **{"PATH_INFO": ORDERS, **oddity}) for token in (good, tokens["locked"])]
    return requests


def test_both_paths_give_the_same_bytes(
    web: Registered, alice: Any, django: WSGIHandler, front: FrontApplication, capsys: Any
) -> None:
    with time_machine.travel(timezone.now(), tick=False):
        tokens = tokens_in_every_state(web, alice)
        total, differing = differences(django, front, iter(requests_of(tokens)))

    with capsys.disabled():
        print(f"\n{total} requests, {front.answered} answers before Django, differences {len(differing)}")
    assert not differing, shown(differing)
    assert total >= 120
    assert front.answered >= 40


@pytest.mark.parametrize("defect", ["body", "header", "status", "scope"])
def test_a_planted_difference_is_found(
    defect: str,
    web: Registered,
    alice: Any,
    access: str,
    django: WSGIHandler,
    front: FrontApplication,
    monkeypatch: Any,
) -> None:
    sent = asked(access)
    assert differences(django, front, iter([sent])) == (1, [])

    if defect == "body":
        monkeypatch.setattr(routes, "EarlyAnswer", _with_another_body)
    elif defect == "header":
        head = front._heads.head
        monkeypatch.setattr(front._heads, "head", lambda *kind, **own: head(*kind, **own)[1:])
    elif defect == "status":
        monkeypatch.setattr(front_application, "_OK", "203 Non-Authoritative Information")
    else:
        sent = asked(new_token(web, alice, scopes=["openid"]))
        monkeypatch.setattr(routes, "granted_caller", lambda *_arguments: alice)

    assert len(differences(django, front, iter([sent]))[1]) == 2


def _with_another_body(**values: Any) -> Any:
    return front_application.EarlyAnswer(**{**values, "body": {"id": "another"}})


def _revoke(_person: Any, token: str) -> None:
    claims: Any = read_access_token(token)
    RevokedToken.objects.create(jti=claims["jti"], expires_at=timezone.now() + timedelta(hours=1))


#: What closes the route to a token.
ENDS: dict[str, Callable[[Any, str], Any]] = {
    "a revoked token": _revoke,
    "an ended authorization": lambda person, token: Authorization.objects.all().end(reason="revoked"),
    "a deleted authorization": lambda person, token: Authorization.objects.all().delete(),
    "a disabled person": lambda person, token: disable_account(user=person),
    "a locked person": lambda person, token: lock_account(user=person),
    "a deleted person": lambda person, token: get_user_model().objects.filter(pk=person.pk).delete(),
    "a disabled application": lambda person, token: ApplicationPolicy.objects.update(is_active=False),
    "an expired token": lambda person, token: None,
}


@pytest.mark.parametrize("name", ENDS)
def test_an_end_counts_at_the_next_request(name: str, alice: Any, access: str, front: FrontApplication) -> None:
    for _time in range(3):
        assert answer_of(front, asked(access)).status == "200 OK"
    assert front.answered == 3

    ENDS[name](alice, access)

    later = timezone.now() + (timedelta(hours=1) if name == "an expired token" else timedelta())
    with time_machine.travel(later, tick=False):
        assert answer_of(front, asked(access)).status.startswith("401")
    assert front.answered == 3


def test_both_paths_log_the_same(access: str, django: WSGIHandler, front: FrontApplication, caplog: Any) -> None:
    caplog.set_level(logging.INFO, "auth_core.request")
    for serve in (django, front):
        answer_of(serve, asked(access, HTTP_X_REQUEST_ID="0123456789abcdef"))

    slow, early = (_fields(record) for record in caplog.records[-2:])
    assert front.answered == 1
    assert slow == early
    assert slow["subject"]


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    names = {"msg", "levelname", "route", "method", "status", "refusal", "session", "subject"}
    return {name: value for name, value in vars(record).items() if name in names}


@pytest.mark.postgresql
def test_an_early_check_costs_one_statement(access: str, front: FrontApplication) -> None:
    answer_of(front, asked(access))

    with counted() as cost:
        answer_of(front, asked(access))

    assert (cost.queries, len(cost.entries), cost.round_trips) == (1, 0, 0)
    assert front.answered == 2


@pytest.mark.parametrize("name", ["open", "rewritten", "closed", "core-api:me"])
def test_only_a_route_that_depends_on_its_caller_alone_may_be_early(name: str, settings: Any) -> None:
    settings.EARLY_TOKEN_ROUTES = [name]

    with pytest.raises(ImproperlyConfigured, match=name):
        token_routes()


def test_another_authenticator_turns_it_off(settings: Any) -> None:
    classes = settings.AUTH_CORE["AUTHENTICATION_CLASSES"]
    settings.AUTH_CORE = {**settings.AUTH_CORE, "AUTHENTICATION_CLASSES": [*classes[:1], *classes[2:]]}

    assert token_routes() == []
