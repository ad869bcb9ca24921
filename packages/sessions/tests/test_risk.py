"""The risk assessment in a real login: what is stored, what is demanded, and its cost."""

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from auth_core import limits
from auth_core.assurance.levels import Demand
from auth_core.people.lookup import find_by_identifier
from auth_core.request.client import Client
from auth_core.testing.browsers import log_in
from auth_core.testing.clock import stopped_clock
from auth_core.testing.counts import counted
from auth_core.testing.factories import PASSWORD
from auth_sessions import geo
from auth_sessions.checks import check_geo, check_risk
from auth_sessions.models import Session
from auth_sessions.risk import AssessLogin
from auth_sessions.travel import Position
from conftest import Caller

pytestmark = pytest.mark.django_db

LONDON, SYDNEY = "81.2.69.160", "1.1.1.1"


@pytest.fixture(autouse=True)
def assessed(settings: Any) -> None:
    """Assess every login."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "RISK_ASSESSOR": "auth_sessions.risk.AssessLogin"}


def log_in_from(ip: str = LONDON, **more: str) -> Any:
    return log_in(Browser(REMOTE_ADDR=ip, **more), transport="token")


def last() -> Session:
    return Session.objects.latest("pk")


def test_the_geoip_file_locates_a_network(cities: Path) -> None:
    assert geo.location_of(SYDNEY) == geo.Location("AU", Position(-33.87, 151.21))
    assert [geo.location_of(ip) for ip in ("10.0.0.1", "", "::1", "8.8.8.8")] == [geo.UNKNOWN] * 4


def test_without_a_file_the_country_table_is_used() -> None:
    assert geo.location_of("8.8.8.8") == geo.Location("US")


def test_a_corrupt_file_gives_the_neutral_score_and_asks_for_a_second_factor(cities: Path, alice: Any) -> None:
    cities.write_bytes(b"this is no database" * 100)

    assessment = AssessLogin().assess(alice, Client(ip=SYDNEY, network=SYDNEY))

    assert [problem.id for problem in check_geo()] == ["auth_sessions.W021"]
    assert (assessment.score, assessment.demand) == (50, Demand.SECOND_FACTOR)
    assert [reason.signal for reason in assessment.reasons] == ["signal_lost"]


def test_the_first_login_has_a_score_of_zero(cities: Path, alice: Any) -> None:
    assert log_in_from().status_code == 200

    assert (last().risk_score, last().risk_reasons, last().country) == (0, [], "GB")


def test_impossible_travel_is_refused_without_a_second_factor(cities: Path, alice: Any) -> None:
    with stopped_clock() as clock:
        log_in_from()
        clock.forward(hours=1)
        refused = log_in_from(SYDNEY)

    assert refused.json()["code"] == "more_proof_required"
    assert Session.objects.count() == 1


def test_a_score_and_its_reasons_are_shown_to_the_owner_and_administrators_only(
    cities: Path, alice: Any, django_user_model: Any, settings: Any
) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "RISK_BANDS": ()}
    with stopped_clock() as clock:
        log_in_from()
        clock.forward(hours=1)
        caller = Caller()
        caller.credential = log_in_from(SYDNEY).json()["credential"]
        own = caller.get(f"sessions/{last().pk}/risk/")

        bob = django_user_model.objects.create_user("bob", "bob@example.org", PASSWORD)
        stranger = Caller()
        stranger.log_in("bob")
        session_of_alice = Session.objects.of(alice).latest("pk")
        hidden = stranger.get(f"sessions/{session_of_alice.pk}/risk/")
        bob.user_permissions.add(
            Permission.objects.get(codename="view_session", content_type__app_label="auth_sessions")
        )
        permitted = stranger.get(f"sessions/{session_of_alice.pk}/risk/")

    assert own.json()["score"] == 100
    assert own.json()["reasons"][0] == {
        "signal": "impossible_travel",
        "weight": 60,
        "evidence": "16995 km from the last login, 1.0 hours later: 16995 km/h.",
    }
    assert hidden.status_code == 404
    assert permitted.json()["score"] == 100


def test_a_blocked_device_is_refused_before_scoring(alice: Any) -> None:
    browser = Browser(REMOTE_ADDR=LONDON)
    log_in(browser)
    alice.auth_devices.update(blocked_at=last().created_at)

    refused = log_in(browser)

    assert refused.json()["code"] == "login_denied"


def test_an_assessment_costs_two_queries_with_and_without_a_device(alice: Any) -> None:
    browser = Browser(REMOTE_ADDR=LONDON)
    log_in(browser)
    cookie = browser.cookies["__Host-device"].value

    person = find_by_identifier(alice.email)
    costs = []
    for credential in ("", cookie):
        with counted() as cost:
            AssessLogin().assess(person, Client(ip=LONDON, network=LONDON, device_credential=credential))
        costs.append(cost.queries)

    assert costs == [2, 2]


def test_after_a_correct_password_earlier_failures_cost_no_query(alice: Any) -> None:
    client = Client(ip=LONDON, network=LONDON)
    log_in_from()
    for _guess in range(3):
        limits.charge("login", identifier=alice.email, client=client)
    person = find_by_identifier(alice.email)
    limits.charge("login", identifier=alice.email, client=client).refund(user=person)

    with counted() as cost:
        first = AssessLogin().assess(person, client)
    with counted() as second_cost:
        second = AssessLogin().assess(person, client)

    assert (cost.queries, second_cost.queries) == (1, 2)
    assert {reason.signal for reason in first.reasons} == {"new_device", "recent_failures"}
    assert first == second


def test_an_oversized_user_agent_is_accepted(alice: Any) -> None:
    log_in_from()

    assert log_in_from(HTTP_USER_AGENT="x" * 10_240).status_code in (200, 403)


def test_dormancy_is_detected_by_last_login_when_session_rows_are_deleted(alice: Any) -> None:
    with stopped_clock() as clock:
        log_in_from()
        Session.objects.all().delete()
        clock.forward(days=400)
        alice.refresh_from_db()
        assessment = AssessLogin().assess(alice, Client(ip=LONDON, network=LONDON))

    assert {reason.signal for reason in assessment.reasons} == {"dormant_account", "new_device"}


@pytest.mark.parametrize(
    ("setting", "check_id"),
    [
        ({"RISK_WEIGHTS": {"no_such_signal": 1}}, "E021"),
        ({"RISK_WEIGHTS": {"new_device": 101}}, "E022"),
        ({"RISK_BANDS": ((60, "aal2"), (30, "second_factor"))}, "E023"),
        ({"RISK_BANDS": ((60, "no_such_demand"),)}, "E023"),
    ],
)
def test_invalid_risk_settings_are_reported(setting: Any, check_id: str, settings: Any) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, **setting}

    assert [problem.id for problem in check_risk()] == [f"auth_sessions.{check_id}"]


def test_a_dormant_account_must_prove_more(alice: Any, settings: Any) -> None:
    with stopped_clock() as clock:
        log_in_from()
        clock.forward(days=91)
        refused = log_in_from()

    assert refused.json()["code"] == "more_proof_required"
