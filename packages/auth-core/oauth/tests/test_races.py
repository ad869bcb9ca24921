"""Fifty parallel redemptions of one code and of one refresh token, with real connections."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.oauth.models import Authorization, RefreshToken
from auth_core.oauth.testing.factories import (
    Registered,
    exchange,
    introspect,
    make_application,
    make_code,
    make_tokens,
    refresh,
    userinfo,
)
from auth_core.testing.factories import make_user
from auth_core.testing.parallel import at_once

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.usefixtures("unlimited_guesses"),
]

AT_ONCE = 50

#: `./dev races` runs more rounds.
ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])


def race(redeem: Callable[[Browser], Any]) -> list[Any]:
    """Return the answers of fifty redemptions at once, each by a client of its own."""
    return at_once([partial(redeem, Browser()) for _redemption in range(AT_ONCE)])


def one_won(answers: list[Any]) -> Any:
    """Return the body of the only success. Every other answer is ``invalid_grant``."""
    won = [answer for answer in answers if answer.status_code == 200]
    lost = {answer.json()["error"] for answer in answers if answer.status_code != 200}
    assert len(won) == 1, [answer.content for answer in answers]
    assert lost == {"invalid_grant"}
    return won[0].json()


def all_are_dead(application: Registered, body: dict[str, Any]) -> None:
    """Check that every token that was returned is refused wherever it is presented: the losers are replays."""
    assert userinfo(body["access_token"]).status_code == 401
    assert refresh(application, body["refresh_token"]).json()["error"] == "invalid_grant"
    if application.secret:
        for kind in ("access_token", "refresh_token", "id_token"):
            assert introspect(application, body[kind]) == {"active": False}, kind
    assert Authorization.objects.get().ended_at is not None


@ROUNDS
@pytest.mark.parametrize("public", [True, False])
def test_one_of_fifty_exchanges_of_a_code_wins_and_its_tokens_end(rounds: int, public: bool) -> None:
    application, person = make_application(public=public), make_user()
    for _round in range(rounds):
        code = make_code(application, person)

        body = one_won(race(lambda browser, code=code: exchange(application, code, browser)))

        assert RefreshToken.objects.count() == 1, "more than one set was issued"
        all_are_dead(application, body)
        Authorization.objects.all().delete()


@ROUNDS
def test_one_of_fifty_rotations_wins_and_its_tokens_end(rounds: int) -> None:
    application, person = make_application(public=True), make_user()
    for _round in range(rounds):
        first = make_tokens(application, person)
        token = first["refresh_token"]

        body = one_won(race(lambda browser, token=token: refresh(application, token, browser)))

        assert RefreshToken.objects.count() == 2, "more than one successor was issued"
        all_are_dead(application, body)
        all_are_dead(application, first)
        Authorization.objects.all().delete()


@ROUNDS
def test_a_confidential_application_refreshes_fifty_times_at_once(rounds: int) -> None:
    application, person = make_application(), make_user()
    token = make_tokens(application, person)["refresh_token"]
    for _round in range(rounds):
        answers = race(lambda browser: refresh(application, token, browser))

        assert [answer.status_code for answer in answers] == [200] * AT_ONCE
        tokens = {answer.json()["access_token"] for answer in answers}
        assert len(tokens) == AT_ONCE
        assert all(userinfo(text).status_code == 200 for text in tokens)
        assert introspect(application, token)["active"]
        assert RefreshToken.objects.count() == 1
