"""Risk in the real login of the service: its demands and reasons."""

from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.testing.browsers import answer, log_in, with_csrf
from auth_core.testing.clock import Clock
from auth_core.testing.mails import code_in, delivered, the_mail
from auth_mfa.testing.factors import add_totp, current_code
from auth_sessions.models import Session

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("cities")]

LONDON, SYDNEY = "81.2.69.160", "1.1.1.1"


class Person:
    """A user who signs in with one browser from different places."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.browser = Browser()

    def at(self, ip: str) -> Browser:
        """Move the browser to *ip* and return it with its CSRF token."""
        self.browser.defaults["REMOTE_ADDR"] = ip
        return with_csrf(self.browser)

    def risk(self) -> Any:
        newest = Session.objects.latest("pk")
        return self.browser.get(f"/api/v1/sessions/{newest.pk}/risk/").json()


@pytest.fixture
def person(clock: Clock, alice: Any) -> Person:
    """Alice, who has signed in once from London."""
    person = Person(clock)
    assert log_in(person.at(LONDON)).status_code == 200
    return person


def print_risk(person: Person, capsys: Any, what: str, first: Any) -> dict[str, Any]:
    risk: dict[str, Any] = person.risk()
    with capsys.disabled():
        print(f"\n{what}: first answer {first.status_code}, score {risk['score']}, demand {risk['demand']}")
        for reason in risk["reasons"]:
            print(f"  {reason['weight']:3} {reason['signal']}: {reason['evidence']}")
    return risk


def signals(risk: dict[str, Any]) -> set[str]:
    return {reason["signal"] for reason in risk["reasons"]}


def test_the_same_browser_in_the_same_place_is_no_risk(person: Person, capsys: Any) -> None:
    person.clock.forward(hours=1)

    granted = log_in(person.at(LONDON))

    risk = print_risk(person, capsys, "as always", granted)
    assert (granted.status_code, risk["score"], risk["reasons"]) == (200, 0, [])


def test_impossible_travel_requires_the_second_factor(person: Person, alice: Any, capsys: Any) -> None:
    add_totp(alice)
    person.clock.forward(hours=1)

    challenged = log_in(person.at(SYDNEY))
    granted = answer(person.at(SYDNEY), challenged, code=current_code())

    risk = print_risk(person, capsys, "impossible travel", challenged)
    assert (challenged.status_code, granted.status_code) == (202, 200)
    assert granted.json()["session"]["acr"] == "aal2"
    assert (risk["score"], risk["demand"]) == (95, "aal2")
    assert signals(risk) == {"impossible_travel", "new_country", "new_network"}


def test_a_new_device_is_a_risk_only_once(person: Person, capsys: Any) -> None:
    person.clock.forward(hours=1)
    person.browser = Browser()

    granted = log_in(person.at(LONDON))
    risk = print_risk(person, capsys, "new device", granted)
    again = log_in(person.at(LONDON))

    assert (granted.status_code, risk["score"], signals(risk)) == (200, 25, {"new_device"})
    assert (again.status_code, person.risk()["score"]) == (200, 0)


def test_a_dormant_account_requires_an_existing_factor(person: Person, alice: Any, capsys: Any) -> None:
    add_totp(alice)
    person.clock.forward(days=91)

    challenged = log_in(person.at(LONDON))
    granted = answer(person.at(LONDON), challenged, code=current_code())

    risk = print_risk(person, capsys, "dormant account", challenged)
    assert (challenged.status_code, granted.status_code) == (202, 200)
    assert (risk["score"], risk["demand"], signals(risk)) == (30, "second_factor", {"dormant_account"})


def test_a_user_without_a_factor_confirms_by_mail_and_the_score_is_stored(person: Person, capsys: Any) -> None:
    person.clock.forward(hours=1)
    delivered()

    challenged = log_in(person.at(SYDNEY))
    granted = answer(person.at(SYDNEY), challenged, code=code_in(the_mail()))

    risk = print_risk(person, capsys, "impossible travel without a factor", challenged)
    assert (challenged.status_code, challenged.json()["challenge"]["method"]) == (202, "email_code")
    assert (granted.status_code, granted.json()["session"]["acr"], risk["score"]) == (200, "aal1", 95)


def test_a_deny_band_of_the_operator_denies_the_login(person: Person, settings: Any) -> None:
    bands = ((30, "second_factor"), (60, "aal2"), (90, "deny"))
    settings.AUTH_SESSIONS = {**settings.AUTH_SESSIONS, "RISK_BANDS": bands}
    person.clock.forward(hours=1)

    refused = log_in(person.at(SYDNEY))

    assert refused.json()["code"] == "login_denied"


def test_recent_guesses_raise_the_risk(person: Person, capsys: Any) -> None:
    for _guess in range(3):
        log_in(Browser(REMOTE_ADDR=SYDNEY), password="not the password at all", transport="token")

    granted = log_in(person.at(LONDON))

    assert signals(print_risk(person, capsys, "guessed at", granted)) == {"recent_failures"}
