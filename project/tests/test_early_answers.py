"""The layer before Django gives the same answers as Django's handler, byte for byte, and the same log lines."""

import logging
from datetime import timedelta
from typing import Any

import pytest
from django.core.handlers.wsgi import WSGIHandler
from django.test import Client as Browser
from django.utils import timezone

from auth_core.crypto.secrets import digest
from auth_core.testing.browsers import log_in
from auth_core.testing.counts import counted
from auth_core.testing.factories import make_user
from auth_core.testing.redis import OwnRedis
from auth_sessions import lifecycle
from auth_sessions.models import Session
from early_comparison import answer_of, differences, set_as_in_production, shown
from early_corpus import Credentials, requests_of
from enterprise_auth.front import application, session_check
from enterprise_auth.front.application import FrontApplication, is_usable
from enterprise_auth.front.heads import Heads
from enterprise_auth.front.session_check import SESSION_CHECK

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def as_in_production(settings: Any) -> None:
    """Every test runs with settings of production."""
    set_as_in_production(settings)


@pytest.fixture(params=["with Redis", "without Redis"])
def cache(request: Any) -> None:
    """The shared cache of the sessions, or none."""
    if request.param == "with Redis":
        request.getfixturevalue("shared")


@pytest.fixture
def django() -> WSGIHandler:
    return WSGIHandler()


@pytest.fixture
def front(django: WSGIHandler) -> FrontApplication:
    return FrontApplication(django, [SESSION_CHECK])


@pytest.fixture
def credentials(cache: None, alice: Any) -> Credentials:
    """A session in every state."""
    opened = {name: _token() for name in ("token", "revoked", "expired", "idle", "ended meanwhile")}
    opened["cookie"], opened["revoked cookie"], opened["rotating"] = _cookie(), _cookie(), _cookie()
    for name in ("disabled", "locked", "other password"):
        user = make_user(f"{name.replace(' ', '-')}@example.org")
        opened[name] = _token(user.email)
    moment = timezone.now()
    for name in ("revoked", "revoked cookie", "ended meanwhile"):
        lifecycle.end_session(session_id=_row(opened[name]).pk, user=alice, reason="logout")
    _change(opened["expired"], expires_at=moment - timedelta(seconds=1))
    _change(opened["idle"], last_seen_at=moment - timedelta(days=20))
    _change(opened["rotating"], rotates=True)
    _change(opened["other password"], auth_hash="x")
    disabled, locked = (_row(opened[name]).user for name in ("disabled", "locked"))
    type(disabled).objects.filter(pk=disabled.pk).update(is_active=False)
    type(locked.auth_identity).objects.filter(user=locked).update(locked_at=moment)
    return opened


def _token(identifier: str = "alice@example.org") -> str:
    return str(log_in(_browser(), identifier=identifier, transport="token").json()["credential"])


def _cookie() -> str:
    browser = _browser()
    log_in(browser, identifier="alice@example.org")
    return browser.cookies["sessionid"].value


def _browser() -> Browser:
    return Browser(REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR="198.51.100.7", HTTP_X_FORWARDED_PROTO="https")


def _row(credential: str) -> Session:
    return Session.objects.select_related("user__auth_identity").get(token_digest=digest(credential))


def _change(credential: str, **columns: Any) -> None:
    Session.objects.filter(token_digest=digest(credential)).update(**columns)


def test_both_paths_give_the_same_bytes(
    credentials: Credentials, django: WSGIHandler, front: FrontApplication, capsys: Any
) -> None:
    # The credential of this session is replaced by its first request, so it is the last one.
    requests = [one for one in requests_of(credentials) if credentials["rotating"] not in str(one)]
    total, differing = differences(django, front, iter(requests))

    with capsys.disabled():
        print(f"\n{total} requests, {front.answered} answers before Django, differences {len(differing)}")
    assert not differing, shown(differing)
    assert total >= 300
    assert front.answered >= 100


def test_a_session_that_is_due_for_a_new_credential_gets_one(credentials: Credentials, front: FrontApplication) -> None:
    answer_of(front, {"HTTP_COOKIE": f"sessionid={credentials['cookie']}"})

    answered = answer_of(front, {"HTTP_COOKIE": f"sessionid={credentials['rotating']}"})

    assert "Set-Cookie" in dict(answered.headers)


@pytest.mark.parametrize("defect", ["body", "header", "status"])
def test_a_planted_difference_is_found(
    defect: str, alice: Any, django: WSGIHandler, front: FrontApplication, monkeypatch: pytest.MonkeyPatch
) -> None:
    by_token = {"HTTP_AUTHORIZATION": f"Session {_token()}"}
    answer_of(front, by_token)
    assert differences(django, front, iter([by_token])) == (1, [])

    if defect == "body":
        me_body = session_check.me_body
        monkeypatch.setattr(session_check, "me_body", lambda *both: {**me_body(*both), "acr": "aal2"})
    elif defect == "header":
        head = front._heads.head
        monkeypatch.setattr(front._heads, "head", lambda *kind, **own: head(*kind, **own)[1:])
    else:
        monkeypatch.setattr(application, "_OK", "203 Non-Authoritative Information")

    assert len(differences(django, front, iter([by_token]))[1]) == 2


def test_headers_that_are_forgotten_during_a_request_are_still_used(alice: Any, front: FrontApplication) -> None:
    sent = {"HTTP_AUTHORIZATION": f"Session {_token()}"}
    learned = answer_of(front, sent)
    before, answer_early = front.answered, front._answer

    def forget_meanwhile(*arguments: Any) -> Any:
        front._heads._headers.clear()
        return answer_early(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(front, "_answer", forget_meanwhile)
        assert answer_of(front, sent) == learned

    assert front.answered == before + 1


def test_an_answer_with_a_nonce_is_not_used_again() -> None:
    own, heads = [("Content-Length", "2"), ("X-Request-ID", "a")], Heads()

    heads.learn(("with",), [*own, ("Content-Security-Policy", "script-src 'nonce-abc'")])
    heads.learn(("without",), [*own, ("Content-Security-Policy", "script-src 'self'")])

    assert heads.find(("with",)) is None
    assert heads.find(("without",)) is not None


@pytest.mark.parametrize("kind", ["token", "cookie"])
def test_an_early_answer_costs_one_round_trip(
    kind: str, shared: OwnRedis, alice: Any, django: WSGIHandler, front: FrontApplication
) -> None:
    credential = _token() if kind == "token" else _cookie()
    sent = (
        {"HTTP_AUTHORIZATION": f"Session {credential}"}
        if kind == "token"
        else {"HTTP_COOKIE": f"sessionid={credential}"}
    )
    for _time in range(2):
        answer_of(front, sent)
    before = front.answered

    with counted() as cost:
        answer_of(front, sent)

    assert (cost.queries, cost.round_trips, front.answered - before) == (0, 1, 1)


def test_a_refused_request_is_looked_up_once_for_both_paths(
    shared: OwnRedis, alice: Any, django: WSGIHandler, front: FrontApplication
) -> None:
    sent = {"HTTP_AUTHORIZATION": f"Session {_token()}"}
    for _time in range(2):
        answer_of(front, sent)
    lifecycle.end_all_sessions(user=alice, reason="revoked")

    with counted() as cost:
        assert answer_of(front, sent).status.startswith("401")
    with counted() as cost_without_front:
        answer_of(django, sent)

    assert (cost.queries, cost.round_trips) == (cost_without_front.queries, 1)


@pytest.mark.parametrize("kind", ["token", "cookie"])
def test_both_paths_log_the_same_fields(
    kind: str, alice: Any, django: WSGIHandler, front: FrontApplication, caplog: Any
) -> None:
    caplog.set_level(logging.INFO, "auth_core.request")
    credential = _token() if kind == "token" else _cookie()
    sent = (
        {"HTTP_AUTHORIZATION": f"Session {credential}"}
        if kind == "token"
        else {"HTTP_COOKIE": f"sessionid={credential}"}
    )
    answer_of(front, sent)
    caplog.clear()

    answer_of(django, sent)
    answer_of(front, sent)

    slow, early = (_fields(record) for record in caplog.records if record.name == "auth_core.request")
    assert front.answered == 1
    assert slow == early
    assert {"session", "subject"} <= slow.keys()


def _fields(record: logging.LogRecord) -> dict[str, Any]:
    names = {"msg", "args", "levelname", "route", "method", "status", "refusal", "session", "subject"}
    return {name: value for name, value in vars(record).items() if name in names}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("MIDDLEWARE", ["site.middleware.Unknown"]),
        ("SESSION_SAVE_EVERY_REQUEST", True),
        ("DISALLOWED_USER_AGENTS", ["x"]),
    ],
)
def test_with_unknown_settings_the_layer_is_off(name: str, value: Any, settings: Any) -> None:
    assert is_usable()

    setattr(settings, name, value)

    assert not is_usable()


def test_one_variable_turns_the_layer_off(settings: Any, django: WSGIHandler) -> None:
    assert isinstance(application.with_early_answers(django), FrontApplication)

    settings.EARLY_ANSWERS = False

    assert application.with_early_answers(django) is django
