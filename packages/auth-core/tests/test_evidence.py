"""The evidence of a session, and views that require more."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
import time_machine
from django.http import HttpRequest
from django.test import RequestFactory

from auth_core.api.problems import headers_of
from auth_core.assurance.evidence import (
    Evidence,
    Method,
    SessionFacts,
    check_assurance,
    require_assurance,
    session_of,
    set_session,
)
from auth_core.assurance.levels import Assurance
from auth_core.errors import InsufficientUserAuthentication, NotAuthenticated

NOW = datetime(2026, 3, 4, 5, 6, 7, tzinfo=UTC)
LONG_AGO = NOW - timedelta(hours=1)


@pytest.fixture(autouse=True)
def clock_stands_at_now() -> Iterator[None]:
    """Set the clock to the moment of the proofs."""
    with time_machine.travel(NOW, tick=False):
        yield


@require_assurance("aal2", max_age=timedelta(minutes=5))
def view(request: HttpRequest) -> str:
    return "in"


def request_with(*proved: tuple[Method, Any]) -> Any:
    request = RequestFactory().get("/")
    evidence = tuple(Evidence(method=method, at=at) for method, at in proved)
    set_session(request, SessionFacts(id=uuid4(), transport="token", evidence=evidence, authenticated_at=NOW))
    return request


def test_a_fresh_and_sufficient_proof_is_accepted() -> None:
    assert view(request_with((Method.PASSWORD, NOW), (Method.TOTP, NOW))) == "in"


@pytest.mark.parametrize(
    "proved",
    [
        [(Method.PASSWORD, NOW)],
        [(Method.PASSWORD, NOW), (Method.EMAIL_CODE, NOW)],
        [(Method.PASSWORD, LONG_AGO), (Method.TOTP, LONG_AGO)],
        [(Method.PASSWORD, NOW), (Method.TOTP, LONG_AGO)],
        [(Method.PASSWORD, LONG_AGO), (Method.TOTP, NOW)],
    ],
)
def test_a_weaker_or_older_proof_is_refused(proved: list[tuple[Method, Any]]) -> None:
    with pytest.raises(InsufficientUserAuthentication) as refused:
        view(request_with(*proved))

    assert refused.value.members == {"required_assurance": "aal2", "max_age": 300}
    assert headers_of(refused.value)["WWW-Authenticate"] == (
        'Session error="insufficient_user_authentication", acr_values="aal2", max_age=300'
    )


def test_an_anonymous_request_is_not_authenticated() -> None:
    with pytest.raises(NotAuthenticated):
        view(RequestFactory().get("/"))


def test_an_unknown_level_is_a_programming_error() -> None:
    with pytest.raises(ValueError, match="aal9"):
        require_assurance("aal9")


def test_facts_survive_djangos_own_session() -> None:
    facts = SessionFacts(
        id=uuid4(),
        transport="cookie",
        evidence=(Evidence.now(Method.PASSWORD),),
        authenticated_at=NOW,
        expires_at=NOW + timedelta(days=1),
    )
    request = RequestFactory().get("/")
    # The stored name. Another one would lose the facts of the sessions that are open during an upgrade.
    request.session = {"_auth_core_facts": facts.to_json()}  # type: ignore[assignment]  # the only use of the store

    assert session_of(request) == facts
    assert facts.device_known is None, "it was not checked"


@pytest.mark.parametrize("changed", [(), ("country",)])
def test_a_refusal_tells_whether_the_context_changed(changed: tuple[str, ...]) -> None:
    session = SessionFacts(id=uuid4(), transport="cookie", evidence=(), authenticated_at=NOW, context_changed=changed)

    with pytest.raises(InsufficientUserAuthentication) as refused:
        check_assurance(session, Assurance.AAL1)

    assert refused.value.context_changed is bool(changed)
