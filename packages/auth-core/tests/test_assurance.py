"""The assurance that evidence reaches."""

import pytest

from auth_core.assurance.evidence import Evidence, Method, amr_of
from auth_core.assurance.levels import Assurance, Demand, assurance_of, has_second_factor

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
    ],
)
def test_a_second_factor_is_not_the_same_as_aal2(evidence: list[Evidence], second: bool) -> None:
    assert has_second_factor(evidence) is second


def test_nothing_meets_a_denial() -> None:
    assert not Demand.DENY.is_met_by([PASSWORD, HARDWARE_KEY])


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
