"""Fifty parallel redemptions of one device code, and decisions at once, with real connections."""

from functools import partial
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.oauth.models import Authorization, DeviceRequest, RefreshToken
from auth_core.testing.factories import make_user
from auth_core.testing.parallel import at_once
from devices import asked_codes, connect, decision_page, enter, make_device_application, poll, press
from people import browser_of
from test_races import AT_ONCE, ROUNDS, all_are_dead, one_won, race

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.usefixtures("unlimited_guesses"),
]


@pytest.fixture(autouse=True)
def device_grant(settings: Any) -> None:
    """Switch the grant on."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DEVICE_GRANT": True}


@ROUNDS
@pytest.mark.parametrize("public", [True, False])
def test_one_of_fifty_redemptions_of_a_device_code_wins_and_its_tokens_end(rounds: int, public: bool) -> None:
    application, person = make_device_application(public=public), make_user()
    for _round in range(rounds):
        codes = asked_codes(application)
        connect(person, codes)

        body = one_won(race(lambda browser, code=codes["device_code"]: poll(application, code, browser)))

        assert RefreshToken.objects.count() == 1, "more than one set was issued"
        all_are_dead(application, body)
        Authorization.objects.all().delete()
        DeviceRequest.objects.all().delete()


@ROUNDS
def test_polls_beside_the_approval_lose_nothing(rounds: int) -> None:
    """A poll that reads the request before it is approved must not take the approval for a replay."""
    application, person = make_device_application(), make_user()
    browser = browser_of(person)
    for _round in range(rounds):
        codes = asked_codes(application)
        page = decision_page(browser, codes["user_code"])
        polls = [partial(poll, application, codes["device_code"], Browser()) for _poll in range(10)]

        *answers, approved = at_once([*polls, partial(press, browser, page, "allow")])

        assert approved.status_code == 200
        won = [answer for answer in answers if answer.status_code == 200]
        errors = {answer.json()["error"] for answer in answers if answer.status_code != 200}
        assert errors <= {"authorization_pending", "slow_down", "invalid_grant"}
        if "invalid_grant" not in errors:
            assert len(won) <= 1
            assert Authorization.objects.get().ended_at is None
            if not won:
                assert poll(application, codes["device_code"]).status_code == 200
        Authorization.objects.all().delete()


@ROUNDS
def test_one_of_fifty_decisions_counts(rounds: int) -> None:
    application, person = make_device_application(), make_user()
    browser = browser_of(person)
    for _round in range(rounds):
        codes = asked_codes(application)
        page = decision_page(browser, codes["user_code"])

        answers = at_once(
            [partial(press, _same(browser), page, "allow" if number % 2 else "deny") for number in range(AT_ONCE)]
        )

        assert sorted({answer.status_code for answer in answers}) == [200, 410]
        assert [answer.status_code for answer in answers].count(200) == 1
        row = DeviceRequest.objects.get(completed_at__isnull=False)
        assert Authorization.objects.count() == (0 if row.is_denied else 1)
        Authorization.objects.all().delete()
        row.delete()


@ROUNDS
def test_one_of_many_people_gets_the_code(rounds: int) -> None:
    application = make_device_application()
    browsers = [browser_of(make_user(f"person{number}@example.org")) for number in range(10)]
    for _round in range(rounds):
        code = asked_codes(application)["user_code"]

        answers = at_once([partial(enter, browser, code) for browser in browsers])

        assert sorted(answer.status_code for answer in answers) == [303] + [400] * 9


@ROUNDS
def test_polls_at_once_are_one_poll(rounds: int) -> None:
    application = make_device_application()
    for _round in range(rounds):
        code = asked_codes(application)["device_code"]

        errors = [
            answer.json()["error"] for answer in race(lambda browser, code=code: poll(application, code, browser))
        ]

        assert errors.count("authorization_pending") == 1
        assert errors.count("slow_down") == AT_ONCE - 1
        assert DeviceRequest.objects.order_by("-created_at")[0].interval == 5 + 5 * (AT_ONCE - 1)


def _same(browser: Browser) -> Browser:
    """Return a browser with the same cookies, for another thread."""
    other = Browser(**browser.defaults)
    other.cookies = browser.cookies
    return other
