"""The assurance that evidence reaches."""

from dataclasses import replace
from itertools import pairwise

import pytest

from auth_core.accounts.models import User
from auth_core.assurance.evidence import Evidence, Method, amr_of
from auth_core.assurance.levels import (
    STEP_UP_DEMANDS,
    Assessment,
    Assurance,
    Demand,
    NoRisk,
    Weighed,
    assurance_of,
    can_reach_aal2,
    has_second_factor,
    stricter,
    strictest_demand_of,
)
from auth_core.request.client import Client

PASSWORD = Evidence.now(Method.PASSWORD)
TOTP = Evidence.now(Method.TOTP)
EMAIL_CODE = Evidence.now(Method.EMAIL_CODE)
EMAIL_LINK = Evidence.now(Method.EMAIL_LINK)
PROVIDER = Evidence.now(Method.PROVIDER)
PASSKEY = Evidence.now(Method.PASSKEY, user_verified=True, phishing_resistant=True)
PASSKEY_WITHOUT_UV = Evidence.now(Method.PASSKEY, phishing_resistant=True)
HARDWARE_KEY = Evidence.now(Method.SECURITY_KEY, user_verified=True, phishing_resistant=True, device_bound=True)
HARDWARE_TOUCH = Evidence.now(Method.SECURITY_KEY, phishing_resistant=True, device_bound=True)


@pytest.mark.parametrize(
    ("evidence", "level"),
    [
        ([], Assurance.NONE),
        ([PASSWORD], Assurance.AAL1),
        ([EMAIL_CODE], Assurance.AAL1),
        ([PROVIDER], Assurance.AAL1),
        ([PASSKEY_WITHOUT_UV], Assurance.AAL1),
        ([PASSWORD, EMAIL_CODE], Assurance.AAL1),
        ([PROVIDER, TOTP], Assurance.AAL1),
        ([PASSWORD, TOTP], Assurance.AAL2),
        ([PASSWORD, Evidence.now(Method.SMS_CODE)], Assurance.AAL2),
        ([PASSWORD, Evidence.now(Method.RECOVERY_CODE)], Assurance.AAL2),
        ([PASSWORD, PASSKEY_WITHOUT_UV], Assurance.AAL2),
        ([PASSKEY], Assurance.AAL2),
        ([HARDWARE_KEY], Assurance.AAL3),
        ([PASSWORD, HARDWARE_TOUCH], Assurance.AAL3),
        ([HARDWARE_TOUCH], Assurance.AAL1),
    ],
)
def test_evidence_reaches_a_level(evidence: list[Evidence], level: Assurance) -> None:
    assert assurance_of(evidence) is level


@pytest.mark.parametrize(
    ("evidence", "second"),
    [
        ([PASSWORD], False),
        ([PASSWORD, EMAIL_CODE], True),
        ([EMAIL_LINK, EMAIL_CODE], False),
        ([EMAIL_CODE], False),
        ([PROVIDER, TOTP], True),
        ([PASSKEY], True),
        ([PASSWORD, TOTP], True),
        ([PASSWORD, PROVIDER], False),
        ([PASSWORD, EMAIL_LINK], False),
        ([PASSKEY_WITHOUT_UV], False),
        ([replace(PASSWORD, user_verified=True)], False),
        ([PASSWORD, PASSKEY_WITHOUT_UV], True),
    ],
)
def test_a_second_factor_is_not_the_same_as_aal2(evidence: list[Evidence], second: bool) -> None:
    assert has_second_factor(evidence) is second


def test_nothing_meets_a_denial() -> None:
    assert not Demand.DENY.is_met_by([PASSWORD, HARDWARE_KEY])


@pytest.mark.parametrize(
    ("demand", "met", "not_met"),
    [
        (Demand.NONE, [PASSWORD], []),
        (Demand.SECOND_FACTOR, [PASSWORD, EMAIL_CODE], [PASSWORD]),
        (Demand.AAL2, [PASSWORD, TOTP], [PASSWORD, EMAIL_CODE]),
        (Demand.AAL3, [HARDWARE_KEY], [PASSWORD, TOTP]),
    ],
)
def test_a_demand_is_met_by_what_it_names(demand: Demand, met: list[Evidence], not_met: list[Evidence]) -> None:
    assert demand.is_met_by(met)
    assert not demand.is_met_by(not_met)


def test_a_step_up_demands_any_level_by_its_name() -> None:
    assert {
        "aal1": Demand.NONE,
        "second_factor": Demand.SECOND_FACTOR,
        "aal2": Demand.AAL2,
        "aal3": Demand.AAL3,
    } == STEP_UP_DEMANDS


def test_demands_are_stored_under_their_names() -> None:
    assert [demand.value for demand in Demand] == ["none", "second_factor", "aal2", "aal3", "deny"]


def test_each_demand_is_stricter_than_the_one_before() -> None:
    demands = [Demand.NONE, Demand.SECOND_FACTOR, Demand.AAL2, Demand.AAL3, Demand.DENY]

    for weaker, stronger in pairwise(demands):
        assert stricter(weaker, stronger) is stricter(stronger, weaker) is stronger


@pytest.mark.parametrize(
    ("methods", "demand"),
    [
        ([], Demand.NONE),
        ([Method.EMAIL_CODE], Demand.SECOND_FACTOR),
        ([Method.EMAIL_CODE, Method.TOTP], Demand.AAL2),
        ([Method.SMS_CODE], Demand.AAL2),
        ([Method.PASSKEY], Demand.AAL2),
        ([Method.SECURITY_KEY], Demand.AAL2),
        ([Method.RECOVERY_CODE], Demand.AAL2),
    ],
)
def test_nothing_is_demanded_that_the_enrolled_methods_cannot_meet(methods: list[Method], demand: Demand) -> None:
    assert strictest_demand_of(methods) is demand
    assert can_reach_aal2(methods) is (demand is Demand.AAL2)


def test_levels_have_their_names_on_the_wire() -> None:
    assert [level.acr for level in Assurance] == ["aal0", "aal1", "aal2", "aal3"]
    assert [Assurance.from_acr(level.acr) for level in Assurance] == list(Assurance)
    with pytest.raises(ValueError, match="aal4"):
        Assurance.from_acr("aal4")


def test_a_weighed_signal_is_stored_with_its_data() -> None:
    assert Weighed("travel", 60, {"hours": 2}).to_json() == {"signal": "travel", "weight": 60, "data": {"hours": 2}}
    assert Weighed("new_device", 25).to_json()["data"] == {}


def test_a_site_without_an_assessor_demands_nothing() -> None:
    assessment = NoRisk().assess(User(), Client())

    assert (assessment.score, assessment.reasons, assessment.demand) == (None, (), Demand.NONE)
    assert assessment == Assessment()


def test_no_evidence_meets_no_demand() -> None:
    assert not any(demand.is_met_by([]) for demand in Demand)


def test_evidence_survives_a_round_trip_through_json() -> None:
    assert Evidence.from_json(HARDWARE_KEY.to_json()) == HARDWARE_KEY


def test_an_unknown_method_is_refused() -> None:
    with pytest.raises(ValueError, match="telepathy"):
        Evidence.from_json({**PASSWORD.to_json(), "method": "telepathy"})


@pytest.mark.parametrize(
    ("evidence", "names"),
    [
        ([PASSWORD], ["pwd"]),
        ([PASSWORD, TOTP], ["mfa", "otp", "pwd"]),
        ([PASSKEY], ["mfa", "pop", "user"]),
        ([HARDWARE_KEY], ["hwk", "mfa", "pop", "user"]),
    ],
)
def test_amr_uses_the_names_of_rfc_8176(evidence: list[Evidence], names: list[str]) -> None:
    assert amr_of(evidence) == names
