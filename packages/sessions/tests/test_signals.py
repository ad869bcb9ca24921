"""Risk signals: the formula of each, at its limits."""

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from auth_core.request.client import Client
from auth_sessions.geo import UNKNOWN, Location
from auth_sessions.history import PastLogin
from auth_sessions.risk import demand_of, weigh
from auth_sessions.risk_signals import SIGNALS, LoginContext, SignalUnavailable
from auth_sessions.travel import Position, distance_km

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LONDON, PARIS, SYDNEY = Position(51.5074, -0.1278), Position(48.8566, 2.3522), Position(-33.8688, 151.2093)


class Person:
    """A user with a time zone."""

    def __init__(self, timezone: str = "") -> None:
        self.timezone = timezone


def past(ago: timedelta, *, position: Position | None = None, country: str = "GB", network: str = "81.2.69.1") -> Any:
    return PastLogin(NOW - ago, network, country, position)


def login_context(**values: Any) -> LoginContext:
    logins = values.pop("logins", [past(timedelta(days=1))])
    defaults = {
        "user": Person(),
        "client": Client(ip="81.2.69.1", network="81.2.69.1"),
        "at": NOW,
        "location": Location("GB"),
        "logins": logins,
        "last_login_at": logins[0].at if logins else None,
        "is_device_known": True,
        "failures": 0,
    }
    return LoginContext(**{**defaults, **values})


def detect(name: str, **values: Any) -> Any:
    return SIGNALS[name].detect(login_context(**values))


def test_the_distance_is_that_of_a_great_circle() -> None:
    assert distance_km(LONDON, PARIS) == pytest.approx(343.6, abs=1)
    assert distance_km(LONDON, SYDNEY) == pytest.approx(16_994, abs=10)
    assert distance_km(SYDNEY, SYDNEY) == 0
    assert distance_km(Position(0, 179.9), Position(0, -179.9)) == pytest.approx(22.2, abs=0.1)
    assert distance_km(Position(90, 0), Position(-90, 0)) == pytest.approx(20_015, abs=1)


def test_london_to_sydney_is_impossible_in_an_hour_and_possible_in_a_day() -> None:
    here = Location("AU", SYDNEY)

    assert detect("impossible_travel", logins=[past(timedelta(hours=1), position=LONDON)], location=here) == {
        "km": 16994, "hours": 1.0, "kmh": 16994,
    }  # fmt: skip
    assert detect("impossible_travel", logins=[past(timedelta(days=1), position=LONDON)], location=here) is None


@pytest.mark.parametrize(("minutes", "is_there"), [(22, True), (24, False)])
def test_the_limit_of_travel_is_900_km_an_hour(minutes: int, is_there: bool) -> None:
    # 343.6 km take 22.9 minutes at 900 km/h.
    logins = [past(timedelta(minutes=minutes), position=LONDON)]

    assert (detect("impossible_travel", logins=logins, location=Location("FR", PARIS)) is not None) is is_there


def test_below_100_km_travel_is_never_impossible() -> None:
    near = Position(LONDON.latitude + 0.8, LONDON.longitude)

    assert distance_km(LONDON, near) < 100
    assert (
        detect("impossible_travel", logins=[past(timedelta(seconds=1), position=LONDON)], location=Location("GB", near))
        is None
    )


def test_a_clock_that_moved_back_gives_no_negative_speed() -> None:
    evidence = detect(
        "impossible_travel", logins=[past(-timedelta(hours=2), position=LONDON)], location=Location("AU", SYDNEY)
    )

    assert evidence["kmh"] > 0
    assert evidence["hours"] == 0.02


def test_a_location_without_coordinates_is_no_travel() -> None:
    assert detect("impossible_travel", logins=[past(timedelta(minutes=1))], location=Location("AU", SYDNEY)) is None
    assert (
        detect("impossible_travel", logins=[past(timedelta(minutes=1), position=LONDON)], location=Location("AU"))
        is None
    )


def test_the_first_login_has_no_signals() -> None:
    first = login_context(logins=[], is_device_known=False, location=Location("AU", SYDNEY))

    assert weigh(first) == ()


def test_unseen_devices_countries_and_networks_are_new() -> None:
    assert detect("new_device", is_device_known=False) == {}
    assert detect("new_device") is None
    assert detect("new_country", location=Location("AU")) == {"country": "AU"}
    assert detect("new_country") is None
    assert detect("new_country", location=UNKNOWN) is None
    assert detect("new_network", client=Client(ip="1.1.1.1", network="1.1.1.1")) == {}
    assert detect("new_network") is None


def habit(hours: dict[int, int]) -> list[Any]:
    """Return the given number of logins at each hour of the last days."""
    days = iter(range(1, 60))
    return [
        PastLogin((NOW - timedelta(days=next(days))).replace(hour=hour), "", "", None)
        for hour, times in hours.items()
        for _time in range(times)
    ]


def test_an_hour_outside_95_percent_is_unusual() -> None:
    at_three = NOW.replace(hour=3)

    assert detect("unusual_hour", logins=habit({9: 19, 12: 1}), at=at_three) == {"hour": 3}
    assert detect("unusual_hour", logins=habit({9: 19, 12: 1}), at=NOW) == {"hour": 12}, "19 of 20 are 95 %"
    assert detect("unusual_hour", logins=habit({9: 18, 12: 2}), at=NOW) is None


def test_below_20_logins_no_hour_is_unusual() -> None:
    assert detect("unusual_hour", logins=habit({9: 19}), at=NOW.replace(hour=3)) is None


def test_hours_are_in_the_users_time_zone() -> None:
    logins = habit({9: 20})

    assert detect("unusual_hour", logins=logins, at=NOW.replace(hour=3), user=Person("Asia/Tokyo")) == {"hour": 12}
    assert detect("unusual_hour", logins=logins, at=NOW.replace(hour=3), user=Person("No/Where")) == {"hour": 3}


@pytest.mark.parametrize(("days", "evidence"), [(89, None), (90, {"days": 90})])
def test_an_account_is_dormant_after_90_days(days: int, evidence: Any) -> None:
    assert detect("dormant_account", logins=[past(timedelta(days=days))]) == evidence


def test_three_failed_guesses_are_a_signal() -> None:
    assert detect("recent_failures", failures=2) is None
    assert detect("recent_failures", failures=3) == {"failures": 3}


def test_the_network_list_is_read_again_when_it_changes(tmp_path: Path, settings: Any) -> None:
    network_file = tmp_path / "networks"
    network_file.write_text("# exits\n1.1.1.0/24\n2001:db8::/32\n")
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "ANONYMISING_NETWORKS": str(network_file)}
    hidden = Client(ip="1.1.1.9", network="1.1.1.9")

    assert detect("anonymising_network", client=hidden) == {}
    assert detect("anonymising_network") is None
    network_file.write_text("9.9.9.9\n")
    assert detect("anonymising_network", client=hidden) is None
    network_file.write_text("not a network\n")
    with pytest.raises(SignalUnavailable):
        detect("anonymising_network", client=hidden)


def test_a_weight_of_zero_disables_a_signal(settings: Any) -> None:
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "RISK_WEIGHTS": dict.fromkeys(SIGNALS, 0)}
    worst = login_context(is_device_known=False, location=Location("AU", SYDNEY), failures=9)

    assert weigh(worst) == ()


def test_every_signal_has_a_sentence() -> None:
    data = {"country": "AU", "km": 1, "hours": 1, "kmh": 1, "failures": 3, "hour": 3, "days": 91}

    assert all(signal.sentence(data).endswith(".") for signal in SIGNALS.values())


def test_a_score_is_0_to_100_and_a_further_reason_never_lowers_it() -> None:
    draw = random.Random(7)
    for _case in range(300):
        weights = {name: draw.randint(0, 100) for name in SIGNALS}
        scores = [min(100, sum(list(weights.values())[:count])) for count in range(len(weights) + 1)]

        assert scores == sorted(scores)
        demands = [demand_of(score).value for score in scores]
        assert demands == sorted(demands, key=["none", "second_factor", "aal2"].index)
