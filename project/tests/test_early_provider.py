"""The layer before Django answers the provider's endpoints as Django does, and remembers nothing that has changed."""

import json
import logging
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.core.handlers.wsgi import WSGIHandler
from django.db import connection, connections
from django.test import Client as Browser
from django.utils import timezone
from joserfc.jws import extract_compact
from oauth2_provider.models import get_application_model

from auth_audit.models import AuditEntry
from auth_core.oauth.clients.registry import TOKEN_EXCHANGE
from auth_core.oauth.events import OAuthEvent
from auth_core.oauth.grants import client_credentials
from auth_core.oauth.grants.exchange import ACCESS_TOKEN
from auth_core.oauth.hashers import new_client_secret
from auth_core.oauth.models import ApplicationPolicy, Authorization, Resource, RevokedToken
from auth_core.oauth.testing.factories import Registered, exchange, make_application, make_code, make_tokens
from auth_core.oauth.testing.proofs import KeyHolder, SigningApplication, make_signing_application
from auth_core.people.locking import disable_account, lock_account
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_user
from early_comparison import Answered, answer_of, differences, set_as_in_production, shown
from early_corpus import Changes
from early_provider_corpus import INTROSPECT, KEYS, METADATA, TOKEN, basic, posted, requests_of
from enterprise_auth.front import application as front_application
from enterprise_auth.front import connections as front_connections
from enterprise_auth.front import provider
from enterprise_auth.front.application import FrontApplication
from enterprise_auth.front.provider import PROVIDER

pytestmark = pytest.mark.django_db(transaction=True)

#: SQLite has no versions of rows, so no application is remembered there, and its callers are Django's.
REMEMBERS = connection.vendor == "postgresql"

#: The fewest early answers of the comparison, by path. Each request is sent twice. The first one of a kind is always Django's.
EARLY = Counter({KEYS: 131, METADATA[0]: 131, METADATA[1]: 1} | ({TOKEN: 179, INTROSPECT: 172} if REMEMBERS else {}))

RESOURCE = "https://api.example"


@pytest.fixture(autouse=True)
def as_in_production(settings: Any) -> None:
    """Every test runs with settings of production, and one network may guess as often as the corpus does."""
    set_as_in_production(settings)
    many = {"network": (10**6, timedelta(minutes=15)), "wide_network": (10**6, timedelta(minutes=15))}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"client": many, "refusal": many}}
    client_credentials.forget_counts()


@pytest.fixture
def django() -> WSGIHandler:
    return WSGIHandler()


@pytest.fixture
def front(django: WSGIHandler) -> FrontApplication:
    return FrontApplication(django, PROVIDER)


@pytest.fixture
def service() -> Registered:
    """An application that acts for itself."""
    return make_application(grant="client-credentials", scopes="orders:read")


@pytest.fixture
def web() -> Registered:
    """An application that people use."""
    return make_application()


@pytest.fixture
def clients(service: Registered, web: Registered) -> dict[str, Registered]:
    """Applications in every state."""
    disabled, rotated, overlapping = (make_application(grant="client-credentials") for _number in range(3))
    ApplicationPolicy.objects.filter(application=disabled.row).update(is_active=False)
    for registered in (rotated, overlapping):
        former, row = get_application_model().objects.get(pk=registered.row.pk).client_secret, registered.row
        row.client_secret = new_client_secret()
        row.save()
        if registered is overlapping:
            until = timezone.now() + timedelta(hours=1)
            ApplicationPolicy.objects.filter(application=row).update(
                previous_secret=former, previous_secret_until=until
            )
    return {
        "good": service,
        "web": web,
        "disabled": disabled,
        "rotated": rotated,
        "overlapping": overlapping,
        "public": make_application(public=True),
        "public service": make_application(public=True, grant="client-credentials"),
        "basic alone": make_application(grant="client-credentials", auth_method="client_secret_basic"),
        "in the body alone": make_application(grant="client-credentials", auth_method="client_secret_post"),
        "opaque": make_application(grant="client-credentials", token_format="opaque"),
        "with a key": make_signing_application(grant="client-credentials"),
        "high": make_signing_application(grant="client-credentials", profile="high"),
        "high with a secret": make_application(grant="client-credentials", profile="high"),
        "must prove a key": make_application(grant="client-credentials", require_dpop=True),
        "must push": make_application(grant="client-credentials", require_par=True),
        "unknown": Registered(row=get_application_model()(client_id="unknown"), secret="x" * 48),
    }


@pytest.fixture
def tokens(service: Registered, web: Registered, alice: Any, clients: dict[str, Registered]) -> dict[str, str]:
    """Tokens in every state."""
    Resource.objects.create(uri=RESOURCE, application=service.row, scopes={"orders:read": "See your orders"})
    made = {name: make_tokens(web, alice, _browser()) for name in ("good", "revoked", "ended", "refreshed")}
    found = {name: body["access_token"] for name, body in made.items()}
    found["refresh"], found["id"] = made["refreshed"]["refresh_token"], made["refreshed"]["id_token"]
    for name, end in (("disabled", disable_account), ("locked", lock_account)):
        person = make_user(f"{name}@example.org")
        found[name] = make_tokens(web, person, _browser())["access_token"]
        end(user=person)
    found["opaque"] = make_tokens(make_application(token_format="opaque"), alice, _browser())["access_token"]
    found["of another"] = make_tokens(make_application(), alice, _browser())["access_token"]
    found["for the resource"] = make_tokens(web, alice, _browser(), resources=[RESOURCE])["access_token"]
    bound = exchange(web, make_code(web, alice), _browser(), proof=KeyHolder().proof()).json()
    found["bound"] = bound["access_token"]
    found["exchanged"] = _exchanged(web, alice)
    for name in ("good", "opaque"):
        answered = clients[name].post("/oauth/token", _browser(), grant_type="client_credentials")
        found[f"of the service, {name}"] = answered.json()["access_token"]
    found["of a disabled application"] = _of_a_disabled_application(alice)
    web.post("/oauth/revoke", _browser(), token=found["revoked"])
    web.post("/oauth/revoke", _browser(), token=made["ended"]["refresh_token"])
    head, claims, signature = found["good"].split(".")
    found |= {"unsigned": f"{head}.{claims}.", "forged": f"{head}.{claims}.{signature[:-4]}AAAA", "garbage": "x.y.z"}
    return found


def _exchanged(web: Registered, person: Any) -> str:
    """Return a token with which a service acts for *person* at the resource."""
    front = "https://front.example"
    acting = make_application(grant_types=TOKEN_EXCHANGE, scopes="orders:read", exchange_audiences=RESOURCE)
    Resource.objects.create(uri=front, application=acting.row, scopes={"orders:read": "See your orders"})
    code = make_code(web, person, scopes=["orders:read"], resources=[front, RESOURCE])
    sent = {"subject_token": exchange(web, code, _browser(), resource=front).json()["access_token"]}
    sent |= {"subject_token_type": ACCESS_TOKEN, "audience": RESOURCE}
    token: str = acting.post("/oauth/token", _browser(), grant_type=TOKEN_EXCHANGE, **sent).json()["access_token"]
    return token


def _of_a_disabled_application(person: Any) -> str:
    application = make_application()
    token: str = make_tokens(application, person, _browser())["access_token"]
    ApplicationPolicy.objects.filter(application=application.row).update(is_active=False)
    return token


def _browser() -> Browser:
    return Browser(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="198.51.100.7", HTTP_X_FORWARDED_PROTO="https")


def comparable(answered: Answered) -> Answered:
    """Replace the random parts of the tokens in an answer. Their length is the same, and so is the length of the answer."""
    try:
        body = json.loads(answered.body)
    except ValueError:
        return answered
    if not isinstance(body, dict) or "access_token" not in body:
        return answered
    text, token = answered.body.decode(), body["access_token"]
    return answered._replace(body=text.replace(token, _without_chance(token)).encode())


def _without_chance(token: str) -> str:
    if token.startswith("eat_"):
        return f"opaque, {len(token)}"
    extracted = extract_compact(token.encode())
    return str((extracted.protected, {**json.loads(extracted.payload), "jti": "random"}))


def by_secret(client: Registered, path: str = TOKEN, **changes: Any) -> Changes:
    """Return a request of *client* for a token of its own."""
    header = basic(client.client_id, client.secret)
    return posted(path, "grant_type=client_credentials", HTTP_AUTHORIZATION=header, **changes)


def introspected(client: Registered, token: str) -> Changes:
    """Return a request of *client* about *token*."""
    return posted(INTROSPECT, f"token={token}", HTTP_AUTHORIZATION=basic(client.client_id, client.secret))


def test_both_paths_give_the_same_bytes(
    clients: dict[str, Registered], tokens: dict[str, str], django: WSGIHandler, front: FrontApplication, capsys: Any
) -> None:
    early: Counter[str] = Counter()

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        before = front.answered
        try:
            return front(environ, start_response)
        finally:
            early[environ.get("PATH_INFO", "")] += front.answered - before

    with time_machine.travel(timezone.now(), tick=False):
        total, differing = differences(django, serve, requests_of(clients, tokens), comparable)

    with capsys.disabled():
        print(f"\n{total} requests, {dict(+early)} answers before Django, differences {len(differing)}")
    assert not differing, shown(differing)
    assert total >= 1000
    assert early >= EARLY


@pytest.mark.parametrize("path", [KEYS, *METADATA])
def test_keys_and_metadata_are_answered_early_for_any_origin(path: str, front: FrontApplication) -> None:
    sent = {"PATH_INFO": path, "HTTP_ORIGIN": "https://spa.example"}
    learned = answer_of(front, sent)

    assert answer_of(front, sent) == learned
    assert dict(learned.headers)["Access-Control-Allow-Origin"] == "*"
    assert front.answered == 1


@pytest.mark.postgresql
@pytest.mark.parametrize("defect", ["body", "header", "status"])
def test_a_planted_difference_is_found(
    defect: str, service: Registered, django: WSGIHandler, front: FrontApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent = by_secret(service)
    answer_of(front, sent)
    with time_machine.travel(timezone.now(), tick=False):
        assert differences(django, front, iter([sent]), comparable) == (1, [])

        if defect == "body":
            answer = provider._answer
            monkeypatch.setattr(provider, "_answer", lambda body: answer(body and {**body, "scope": "everything"}))
        elif defect == "header":
            head = front._heads.head
            monkeypatch.setattr(front._heads, "head", lambda *kind, **own: head(*kind, **own)[1:])
        else:
            monkeypatch.setattr(front_application, "_OK", "203 Non-Authoritative Information")

        assert len(differences(django, front, iter([sent]), comparable)[1]) == 2


@pytest.mark.postgresql
@pytest.mark.parametrize("what", ["token", "introspect"])
def test_an_early_answer_costs_one_statement(
    what: str, service: Registered, web: Registered, alice: Any, front: FrontApplication
) -> None:
    sent = (
        by_secret(service)
        if what == "token"
        else introspected(web, make_tokens(web, alice, _browser())["access_token"])
    )
    for _time in range(2):
        answer_of(front, sent)
    before = front.answered

    with counted() as cost:
        answer_of(front, sent)

    assert (cost.queries, cost.round_trips, front.answered - before) == (1, 0, 1)


def rotate_secret() -> None:
    row = get_application_model().objects.get()
    row.client_secret = new_client_secret()
    row.save()


def restrict_the_grants() -> None:
    ApplicationPolicy.objects.update(grant_types="authorization_code")


#: What changes an application, and the status of its next request for a token.
CHANGES: dict[str, tuple[Callable[[], Any], int]] = {
    "disabled": (lambda: ApplicationPolicy.objects.update(is_active=False), 401),
    "another secret": (rotate_secret, 401),
    "another way to authenticate": (lambda: ApplicationPolicy.objects.update(auth_method="client_secret_post"), 401),
    "without the grant": (restrict_the_grants, 400),
    "a key is required": (lambda: ApplicationPolicy.objects.update(require_dpop=True), 400),
    "the profile high": (lambda: ApplicationPolicy.objects.update(profile="high"), 401),
    "its key in place of its secret": (lambda: ApplicationPolicy.objects.update(auth_method="private_key_jwt"), 401),
    "deleted": (lambda: get_application_model().objects.all().delete(), 401),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_change_of_the_application_counts_at_the_next_request(
    name: str, service: Registered, front: FrontApplication
) -> None:
    for _time in range(3):
        assert answer_of(front, by_secret(service)).status == "200 OK"
    change, status = CHANGES[name]

    change()

    assert answer_of(front, by_secret(service)).status.startswith(str(status))


def signed(client: SigningApplication, **changes: Any) -> Changes:
    """Return a request of *client* for a token of its own, with a new assertion."""
    form = {"grant_type": "client_credentials", "client_id": client.client_id, **client.credentials()}
    return posted(TOKEN, urlencode(form), **changes)


def test_what_a_client_signs_is_never_answered_early(service: Registered, front: FrontApplication) -> None:
    keyed, high = (make_signing_application(grant="client-credentials", profile=profile) for profile in ("", "high"))
    requests: list[Callable[[], Changes]] = [
        lambda: by_secret(service, HTTP_DPOP=KeyHolder().proof()),
        lambda: signed(keyed),
        lambda: signed(keyed, HTTP_DPOP=KeyHolder().proof()),
        lambda: signed(high, HTTP_DPOP=KeyHolder().proof()),
    ]
    for _time in range(3):
        assert answer_of(front, by_secret(service)).status == "200 OK"
    before = front.answered

    for request in requests:
        for _time in range(3):
            assert answer_of(front, request()).status == "200 OK"
        again = request()
        assert answer_of(front, again).status == "200 OK"
        assert answer_of(front, again).status.startswith("40"), "it works once"

    assert front.answered == before


def test_an_application_that_must_prove_a_key_gets_no_early_token(service: Registered, front: FrontApplication) -> None:
    bound = make_application(grant="client-credentials", require_dpop=True)
    assert answer_of(front, by_secret(bound, HTTP_DPOP=KeyHolder().proof())).status == "200 OK"
    for _time in range(3):
        assert answer_of(front, by_secret(service)).status == "200 OK"
    before = front.answered

    for _time in range(3):
        assert json.loads(answer_of(front, by_secret(bound)).body)["error"] == "invalid_dpop_proof"

    assert front.answered == before


def revoke(token: str) -> None:
    claims = json.loads(extract_compact(token.encode()).payload)
    RevokedToken.objects.create(jti=claims["jti"], expires_at=timezone.now() + timedelta(hours=1))


#: What makes a token of a person inactive.
ENDS: dict[str, Callable[[Any, str], Any]] = {
    "a revoked token": lambda person, token: revoke(token),
    "an ended authorization": lambda person, token: Authorization.objects.all().end(reason="revoked"),
    "a deleted authorization": lambda person, token: Authorization.objects.all().delete(),
    "a disabled person": lambda person, token: disable_account(user=person),
    "a locked person": lambda person, token: lock_account(user=person),
    "a disabled application": lambda person, token: ApplicationPolicy.objects.update(is_active=False),
}


@pytest.mark.parametrize("name", ENDS)
def test_an_end_counts_at_the_next_introspection(
    name: str, web: Registered, alice: Any, front: FrontApplication
) -> None:
    token = make_tokens(web, alice, _browser())["access_token"]
    for _time in range(3):
        assert json.loads(answer_of(front, introspected(web, token)).body)["active"]

    ENDS[name](alice, token)

    answered = answer_of(front, introspected(web, token))
    assert json.loads(answered.body).get("active", False) is False


@pytest.mark.postgresql
def test_both_paths_log_and_record_the_same(
    service: Registered, django: WSGIHandler, front: FrontApplication, caplog: Any
) -> None:
    caplog.set_level(logging.INFO, "auth_core.request")
    sent = by_secret(service, HTTP_X_REQUEST_ID="0123456789abcdef")
    for _time in range(2):
        answer_of(front, sent)
    caplog.clear()

    for serve in (django, front):
        client_credentials.forget_counts()
        answer_of(serve, sent)

    slow, early = (_fields(record) for record in caplog.records if record.name == "auth_core.request")
    entries = list(AuditEntry.objects.filter(name=OAuthEvent.TOKENS_ISSUED.value).order_by("-recorded_at")[:2])
    columns = ("name", "outcome", "application_id", "correlation_id", "data", "session_id", "subject_id")
    assert front.answered == 2
    assert slow == early
    assert [getattr(entries[0], name) for name in columns] == [getattr(entries[1], name) for name in columns]


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    names = {"msg", "args", "levelname", "route", "method", "status", "refusal", "session", "subject"}
    return {name: value for name, value in vars(record).items() if name in names}


@pytest.mark.postgresql
def test_a_lost_connection_costs_no_request(service: Registered, front: FrontApplication) -> None:
    for _time in range(3):
        assert answer_of(front, by_secret(service)).status == "200 OK"
    before = front.answered
    other = connections["default"].copy()
    with closing(other), other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s)", [connection.connection.info.backend_pid])

    assert answer_of(front, by_secret(service)).status == "200 OK"
    assert answer_of(front, by_secret(service)).status == "200 OK"
    assert front.answered == before + 1, "the first one is Django's, and the second one is early again"


@pytest.mark.postgresql
def test_a_thread_keeps_its_connection_for_a_moment(
    service: Registered, front: FrontApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[float] = []
    now = [1000.0]
    monkeypatch.setattr(front_connections, "close_old_connections", lambda: closed.append(now[0]))
    monkeypatch.setattr(front_connections, "monotonic", lambda: now[0])
    front_connections.give_back()
    closed.clear()
    answer_of(front, by_secret(service))
    for moment in (1000.0, 1000.5, 1001.0, 1001.5, 1002.0):
        now[0] = moment
        answer_of(front, by_secret(service))

    assert closed == [1000.0, 1001.5]


@pytest.mark.postgresql
def test_a_body_that_is_passed_on_is_read_again(service: Registered, front: FrontApplication) -> None:
    sent = by_secret(service)
    answer_of(front, sent)
    for _time in range(2):
        assert answer_of(front, sent).status == "200 OK"
    ApplicationPolicy.objects.update(is_first_party=True)

    changed = answer_of(front, sent)

    assert changed.status == "200 OK"
    assert front.answered == 2
