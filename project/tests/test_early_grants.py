"""The layer before Django spends refresh tokens and codes, and answers userinfo, as Django does."""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from typing import Any
from urllib.parse import urlencode

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.db import DatabaseError, connection, connections
from django.test import Client as Browser
from django.utils import timezone
from joserfc.jws import extract_compact

from auth_audit.models import AuditEntry
from auth_core.events import event_recorded
from auth_core.oauth.clients.registry import DEVICE_CODE, TOKEN_EXCHANGE
from auth_core.oauth.grants import refresh as refresh_grant
from auth_core.oauth.grants.exchange import ACCESS_TOKEN
from auth_core.oauth.models import ApplicationPolicy, Authorization, RefreshToken, Resource
from auth_core.oauth.testing.factories import (
    REDIRECT_URI,
    VERIFIER,
    Registered,
    make_application,
    make_code,
    make_tokens,
)
from auth_core.oauth.testing.proofs import KeyHolder
from auth_core.people.locking import disable_account, lock_account
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_user
from early_comparison import Answered, answer_of, set_as_in_production
from early_corpus import Changes, environ, oddities
from early_provider_corpus import TOKEN, basic, posted
from enterprise_auth.front.application import FrontApplication
from enterprise_auth.front.provider import PROVIDER

pytestmark = pytest.mark.django_db(transaction=True)

REMEMBERS = connection.vendor == "postgresql"
USERINFO = "/oauth/userinfo"
RESOURCE = "https://api.example"

#: Members of an answer that are random. Their length is not.
RANDOM = ("access_token", "refresh_token", "id_token")


@pytest.fixture(autouse=True)
def as_in_production(settings: Any) -> None:
    set_as_in_production(settings)
    many = {"network": (10**6, timedelta(minutes=15)), "wide_network": (10**6, timedelta(minutes=15))}
    settings.AUTH_CORE = {**settings.AUTH_CORE, "BUDGETS": {"client": many, "refusal": many}}


@pytest.fixture
def django() -> WSGIHandler:
    return WSGIHandler()


@pytest.fixture
def web() -> Registered:
    """An application whose refresh tokens work once."""
    return make_application(rotates_refresh_tokens=True, scopes="orders:read")


@pytest.fixture
def front(django: WSGIHandler, web: Registered, alice: Any) -> FrontApplication:
    """The layer, which has seen a good request of each kind."""
    layer = FrontApplication(django, PROVIDER)
    answer_of(layer, refreshed(web, new_token(web, alice)))
    answer_of(layer, about(make_tokens(web, alice, browser())["access_token"]))
    return layer


def browser() -> Browser:
    return Browser(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="198.51.100.7", HTTP_X_FORWARDED_PROTO="https")


def new_token(client: Registered, person: Any, **values: Any) -> str:
    text: str = make_tokens(client, person, browser(), **values)["refresh_token"]
    return text


def refreshed(client: Registered, token: str, **parameters: Any) -> Changes:
    """Return a request of *client* that refreshes *token*."""
    return _by(client, grant_type="refresh_token", refresh_token=token, **parameters)


def exchanged(client: Registered, code: str, **parameters: Any) -> Changes:
    """Return a request of *client* that exchanges *code*."""
    fields = {"code": code, "code_verifier": VERIFIER, "redirect_uri": REDIRECT_URI, **parameters}
    return _by(client, grant_type="authorization_code", **fields)


def about(token: str, **changes: Any) -> Changes:
    """Return a request for the claims about the person of *token*."""
    return {"PATH_INFO": USERINFO, "HTTP_AUTHORIZATION": f"Bearer {token}", **changes}


def _by(client: Registered, **parameters: Any) -> Changes:
    if client.secret:
        form = urlencode(parameters, doseq=True)
        return posted(TOKEN, form, HTTP_AUTHORIZATION=basic(client.client_id, client.secret))
    return posted(TOKEN, urlencode({"client_id": client.client_id, **parameters}, doseq=True))


def comparable(answered: Answered) -> Answered:
    """Replace what is random in an answer, and leave its length."""
    body = json.loads(answered.body)
    text = answered.body.decode()
    for name in RANDOM:
        if name in body:
            text = text.replace(body[name], f"{name}, {len(body[name])}")
    return answered._replace(body=text.encode())


#: What a client sends. Each is called for both paths, and makes a token or a code of its own.
Case = Callable[[Registered, Any], Changes]


def _used(client: Registered, person: Any) -> str:
    token = new_token(client, person)
    client.post(TOKEN, browser(), grant_type="refresh_token", refresh_token=token)
    return token


def _of(end: Callable[..., Any], new: Callable[[Registered, Any], str]) -> Callable[[Registered, Any], str]:
    def made(client: Registered, _person: Any) -> str:
        person = make_user(f"{end.__name__}-{Authorization.objects.count()}@example.org")
        text = new(client, person)
        end(user=person)
        return text

    return made


def switch_off(*, user: Any) -> None:
    """Disable the account by SQL, so that nothing but the next request notices."""
    get_user_model().objects.filter(pk=user.pk).update(is_active=False)


def _expired(client: Registered, person: Any) -> str:
    token = new_token(client, person)
    RefreshToken.objects.filter(used_at=None).update(expires_at=timezone.now() - timedelta(seconds=1))
    return token


def _ended(client: Registered, person: Any) -> str:
    token = new_token(client, person)
    Authorization.objects.filter(ended_at=None).end(reason="revoked")  # type: ignore[attr-defined]  # of the manager
    return token


def _disabled_resource(client: Registered, person: Any) -> str:
    token = new_token(client, person, resources=[RESOURCE])
    Resource.objects.update(is_active=False)
    return token


def _spent(client: Registered, person: Any) -> str:
    code = make_code(client, person)
    client.post(
        TOKEN, browser(), grant_type="authorization_code", code=code, code_verifier=VERIFIER, redirect_uri=REDIRECT_URI
    )
    return code


def _late(client: Registered, person: Any) -> str:
    code = make_code(client, person)
    Authorization.objects.update(code_expires_at=timezone.now() - timedelta(seconds=1))
    return code


def _bound(client: Registered, person: Any) -> str:
    code = make_code(client, person)
    Authorization.objects.update(dpop_jkt=KeyHolder().thumbprint)
    return code


def _details(*actions: str) -> list[dict[str, Any]]:
    return [{"type": "account", "actions": list(actions)}]


FEWER, MORE = json.dumps(_details("read")), json.dumps(_details("read", "write", "delete"))


def _code_with_details(client: Registered, person: Any) -> str:
    return make_code(client, person, authorization_details=_details("read", "write"))


def _with_details(client: Registered, person: Any) -> str:
    return new_token(client, person, authorization_details=_details("read", "write"))


GRANTED: dict[str, Case] = {
    "refresh": lambda client, person: refreshed(client, new_token(client, person)),
    "refresh, fewer scopes": lambda client, person: refreshed(client, new_token(client, person), scope="openid"),
    "refresh, for a resource": lambda client, person: refreshed(
        client, new_token(client, person, resources=[RESOURCE]), resource=RESOURCE
    ),
    "code": lambda client, person: exchanged(client, make_code(client, person)),
    "code, without an address": lambda client, person: exchanged(client, make_code(client, person), redirect_uri=""),
    "code, for a resource": lambda client, person: exchanged(client, make_code(client, person, resources=[RESOURCE])),
    "code, offline": lambda client, person: exchanged(
        client, make_code(client, person, scopes=["openid", "offline_access"])
    ),
    "refresh, with details": lambda client, person: refreshed(client, _with_details(client, person)),
    "refresh, fewer details": lambda client, person: refreshed(
        client, _with_details(client, person), authorization_details=FEWER
    ),
    "code, with details": lambda client, person: exchanged(client, _code_with_details(client, person)),
    "code, fewer details": lambda client, person: exchanged(
        client, _code_with_details(client, person), authorization_details=FEWER
    ),
}

REFUSED: dict[str, Case] = {
    "refresh, used": lambda client, person: refreshed(client, _used(client, person)),
    "refresh, expired": lambda client, person: refreshed(client, _expired(client, person)),
    "refresh, ended": lambda client, person: refreshed(client, _ended(client, person)),
    "refresh, disabled person": lambda client, person: refreshed(
        client, _of(disable_account, new_token)(client, person)
    ),
    "refresh, inactive person": lambda client, person: refreshed(client, _of(switch_off, new_token)(client, person)),
    "refresh, locked person": lambda client, person: refreshed(client, _of(lock_account, new_token)(client, person)),
    "refresh, of another": lambda client, person: refreshed(client, new_token(make_application(), person)),
    "refresh, more scopes": lambda client, person: refreshed(client, new_token(client, person), scope="openid phone"),
    "refresh, malformed scope": lambda client, person: refreshed(client, new_token(client, person), scope='a"b'),
    "refresh, unknown resource": lambda client, person: refreshed(
        client, new_token(client, person), resource="https://x"
    ),
    "refresh, disabled resource": lambda client, person: refreshed(client, _disabled_resource(client, person)),
    "refresh, unknown": lambda client, _person: refreshed(client, f"ert_{'x' * 43}"),
    "refresh, malformed": lambda client, _person: refreshed(client, "x"),
    "refresh, missing": lambda client, _person: _by(client, grant_type="refresh_token"),
    "code, spent": lambda client, person: exchanged(client, _spent(client, person)),
    "code, expired": lambda client, person: exchanged(client, _late(client, person)),
    "code, wrong verifier": lambda client, person: exchanged(client, make_code(client, person), code_verifier="x" * 43),
    "code, no verifier": lambda client, person: exchanged(client, make_code(client, person), code_verifier=""),
    "code, another address": lambda client, person: exchanged(
        client, make_code(client, person), redirect_uri="https://x"
    ),
    "code, disabled person": lambda client, person: exchanged(client, _of(disable_account, make_code)(client, person)),
    "code, inactive person": lambda client, person: exchanged(client, _of(switch_off, make_code)(client, person)),
    "code, locked person": lambda client, person: exchanged(client, _of(lock_account, make_code)(client, person)),
    "code, of another": lambda client, person: exchanged(client, make_code(make_application(), person)),
    "code, bound to a key": lambda client, person: exchanged(client, _bound(client, person)),
    "refresh, more details": lambda client, person: refreshed(
        client, _with_details(client, person), authorization_details=MORE
    ),
    "refresh, malformed details": lambda client, person: refreshed(
        client, _with_details(client, person), authorization_details="{"
    ),
    "code, more details": lambda client, person: exchanged(
        client, _code_with_details(client, person), authorization_details=MORE
    ),
    "code, details that no one gave": lambda client, person: exchanged(
        client, make_code(client, person), authorization_details=FEWER
    ),
    "the exchange of tokens": lambda client, person: _by(
        client,
        grant_type=TOKEN_EXCHANGE,
        subject_token=make_tokens(client, person, browser())["access_token"],
        subject_token_type=ACCESS_TOKEN,
        audience=RESOURCE,
    ),
    "device code": lambda client, _person: _by(client, grant_type=DEVICE_CODE, device_code=f"edc_{'x' * 43}"),
    "code, unknown": lambda client, _person: exchanged(client, f"eac_{'x' * 43}"),
    "code, missing": lambda client, _person: _by(client, grant_type="authorization_code"),
}


def effects(serve: Any, case: Case, client: Registered, person: Any) -> tuple[Any, ...]:
    """Serve a request, and return the answer and what it left: the new authorization, its tokens, and the entries."""
    Resource.objects.update_or_create(uri=RESOURCE, defaults={"scopes": {}, "is_active": True})
    earlier = set(Authorization.objects.values_list("pk", flat=True))
    sent = case(client, person)
    newest = Authorization.objects.exclude(pk__in=earlier).first() or Authorization.objects.earliest("pk")
    before = set(AuditEntry.objects.values_list("id", flat=True))
    answered = comparable(answer_of(serve, sent))
    newest.refresh_from_db()
    rows = sorted((row.used_at is None, row.expires_at - row.created_at) for row in newest.refresh_tokens.all())
    entries = AuditEntry.objects.exclude(id__in=before).order_by("recorded_at")
    named = [(entry.name, entry.outcome, entry.reason, entry.application_id, set(entry.data)) for entry in entries]
    return answered, (newest.ended_at is None, newest.ended_reason, newest.code_spent_at is None), rows, named


@pytest.mark.parametrize("name", [*GRANTED, *REFUSED])
@pytest.mark.parametrize("is_public", [False, True], ids=["with a secret", "public"])
def test_both_paths_answer_and_change_the_same(
    name: str, is_public: bool, web: Registered, alice: Any, django: WSGIHandler, front: FrontApplication
) -> None:
    client = make_application(public=True) if is_public else web
    case = {**GRANTED, **REFUSED}[name]
    with time_machine.travel(timezone.now(), tick=False):
        # The first request of a client makes this process remember it.
        answer_of(front, refreshed(client, new_token(client, alice)))
        before = front.answered
        expected, got = (effects(serve, case, client, alice) for serve in (django, front))

    assert got == expected
    assert expected[0].status.startswith("200" if name in GRANTED else "4")
    assert front.answered - before == (1 if name in GRANTED and REMEMBERS else 0)


@pytest.mark.parametrize("name", GRANTED)
def test_both_paths_show_the_same_ids_of_a_sector(
    name: str, alice: Any, django: WSGIHandler, front: FrontApplication
) -> None:
    client = make_application(subject_type="pairwise", sector="rp.example", rotates_refresh_tokens=True)
    Resource.objects.create(uri=RESOURCE, scopes={})
    with time_machine.travel(timezone.now(), tick=False):
        answer_of(front, refreshed(client, new_token(client, alice)))
        subjects = []
        for serve in (django, front):
            body = json.loads(answer_of(serve, GRANTED[name](client, alice)).body)
            subjects.append(json.loads(extract_compact(body["access_token"].encode()).payload)["sub"])

    assert subjects[0] == subjects[1]
    assert len(subjects[0]) == 64


@pytest.mark.postgresql
@pytest.mark.parametrize("defect", ["another scope", "not spent"])
def test_a_planted_difference_is_found(
    defect: str, web: Registered, alice: Any, django: WSGIHandler, front: FrontApplication, monkeypatch: Any
) -> None:
    case = GRANTED["refresh"]
    if defect == "another scope":
        monkeypatch.setattr(
            "auth_core.oauth.endpoints.token.refresh_if_granted",
            lambda application, **values: {**refresh_grant.refresh_if_granted(application, **values), "scope": "all"},
        )
    else:
        monkeypatch.setattr(
            "auth_core.oauth.endpoints.token.refresh_if_granted",
            lambda application, **values: {
                "access_token": "x" * 10, "token_type": "Bearer", "expires_in": 600, "scope": "openid profile email",
            },
        )  # fmt: skip

    with time_machine.travel(timezone.now(), tick=False):
        expected, got = (effects(serve, case, web, alice) for serve in (django, front))

    assert got != expected


@pytest.mark.postgresql
@pytest.mark.parametrize("name", ["refresh", "code"])
def test_of_many_uses_at_once_one_succeeds(name: str, web: Registered, alice: Any, front: FrontApplication) -> None:
    sent = GRANTED[name](web, alice)
    together = Barrier(4)

    def use(_number: int) -> str:
        try:
            together.wait(20)
            return answer_of(front, dict(sent)).status[:3]
        finally:
            connections.close_all()

    with ThreadPoolExecutor(4) as pool:
        statuses = sorted(pool.map(use, range(4)))

    assert statuses == ["200", "400", "400", "400"]
    assert Authorization.objects.latest("created_at").ended_at is not None, "a second use ends the authorization"


@pytest.mark.postgresql
@pytest.mark.parametrize("name", ["refresh", "code"])
def test_without_its_entry_nothing_is_spent_or_issued(
    name: str, web: Registered, alice: Any, front: FrontApplication
) -> None:
    sent = GRANTED[name](web, alice)
    newest, number = Authorization.objects.latest("created_at"), RefreshToken.objects.count()

    def fail(**_values: Any) -> None:
        raise DatabaseError("no entry")

    event_recorded.connect(fail)
    try:
        with pytest.raises(DatabaseError):
            PROVIDER[0].answer(_request(sent), "service")
    finally:
        event_recorded.disconnect(fail)

    newest.refresh_from_db()
    assert RefreshToken.objects.count() == number
    assert newest.code_spent_at is None or name == "refresh"
    assert answer_of(front, sent).status == "200 OK"


def _request(sent: Changes) -> Any:
    return WSGIRequest(environ(**dict(sent)))


@pytest.mark.postgresql
@pytest.mark.parametrize(("name", "queries"), [("refresh", 1), ("code", 2)])
def test_what_an_early_grant_costs(
    name: str, queries: int, web: Registered, alice: Any, front: FrontApplication
) -> None:
    for _time in range(2):
        answer_of(front, GRANTED[name](web, alice))
    sent, before = GRANTED[name](web, alice), front.answered

    with counted() as cost:
        answer_of(front, sent)

    assert front.answered - before == 1
    assert (cost.queries, len(cost.entries), cost.round_trips) == (queries, 1, 0)


def disable(_person: Any, _token: str) -> None:
    ApplicationPolicy.objects.update(is_active=False)


@pytest.mark.parametrize(
    "end",
    [
        lambda person, token: disable_account(user=person),
        lambda person, token: lock_account(user=person),
        lambda person, token: Authorization.objects.all().end(reason="revoked"),
        lambda person, token: Authorization.objects.all().delete(),
        disable,
    ],
    ids=["disabled person", "locked person", "ended authorization", "deleted authorization", "disabled application"],
)
def test_an_end_counts_at_the_next_userinfo(end: Any, web: Registered, alice: Any, front: FrontApplication) -> None:
    token = make_tokens(web, alice, browser())["access_token"]
    before = front.answered
    for _time in range(2):
        assert answer_of(front, about(token)).status == "200 OK"
    assert front.answered - before == 2

    end(alice, token)

    assert answer_of(front, about(token)).status.startswith("401")


def test_userinfo_is_the_same_on_both_paths(
    web: Registered, alice: Any, django: WSGIHandler, front: FrontApplication
) -> None:
    good = make_tokens(web, alice, browser())["access_token"]
    without_openid = make_tokens(web, alice, browser(), scopes=["profile"])["access_token"]
    itself = make_application(grant="client-credentials")
    of_service = itself.post(TOKEN, browser(), grant_type="client_credentials").json()["access_token"]
    opaque = make_tokens(make_application(token_format="opaque"), alice, browser())["access_token"]
    elsewhere = _for_a_resource(web, alice)
    tokens = [good, without_openid, of_service, opaque, elsewhere, f"{good}x", good[:-4], "", "x", "eat_x", "A" * 9000]
    requests = [about(token) for token in tokens]
    requests += [about(good, REQUEST_METHOD=method) for method in ("HEAD", "POST", "OPTIONS", "PUT")]
    requests += [
        about(good, HTTP_AUTHORIZATION=value)
        for value in (
            f"bearer {good}",
            f"Bearer  {good}",
            f"Bearer {good},{good}",
            f"DPoP {good}",
            f"Bearer\t{good}",
            good,
        )
    ]
    requests += [about(good, HTTP_DPOP=proof) for proof in ("x", KeyHolder().proof())]
    requests += [about(good, HTTP_ORIGIN="https://spa.example"), about(good, HTTP_COOKIE="sessionid=x")]
    requests += [about(good, **{**oddity, "PATH_INFO": USERINFO}) for oddity in oddities(USERINFO)]

    before = front.answered
    for sent in requests:
        expected = answer_of(django, dict(sent))
        for _time in range(2):
            assert answer_of(front, dict(sent)) == expected, sent
    assert front.answered - before >= 20


def test_signed_userinfo_is_left_to_django(web: Registered, alice: Any, front: FrontApplication) -> None:
    token = make_tokens(web, alice, browser())["access_token"]
    before = front.answered
    assert answer_of(front, about(token)).status == "200 OK"
    assert front.answered - before == 1

    ApplicationPolicy.objects.filter(application=web.row).update(userinfo_signed_response_alg="RS256")
    answers = [answer_of(front, about(token)) for _time in range(2)]

    assert front.answered - before == 1
    assert {("Content-Type", "application/jwt") in each.headers for each in answers} == {True}
    assert all(each.body.count(b".") == 2 for each in answers)


def _for_a_resource(client: Registered, person: Any) -> str:
    Resource.objects.update_or_create(uri=RESOURCE, defaults={"scopes": {}, "is_active": True})
    token: str = make_tokens(client, person, browser(), resources=[RESOURCE])["access_token"]
    assert json.loads(extract_compact(token.encode()).payload)["aud"] == RESOURCE
    return token


@pytest.mark.parametrize("name", ["refresh", "code"])
@pytest.mark.parametrize("change", ["disabled", "without the grant"])
def test_a_change_of_the_application_counts_at_the_next_grant(
    change: str, name: str, web: Registered, alice: Any, front: FrontApplication
) -> None:
    assert answer_of(front, GRANTED[name](web, alice)).status == "200 OK"
    sent, before = GRANTED[name](web, alice), front.answered
    columns: Any = {"is_active": False} if change == "disabled" else {"grant_types": "client_credentials"}

    ApplicationPolicy.objects.filter(application=web.row).update(**columns)

    assert answer_of(front, sent).status.startswith("401" if change == "disabled" else "400")
    assert front.answered == before
