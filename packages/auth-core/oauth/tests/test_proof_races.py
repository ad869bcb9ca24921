"""Fifty parallel uses of one assertion, of one proof and of one pushed request, with real connections."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.test import Client as Browser

from auth_core.oauth.models import Authorization, AuthorizationRequest, SpentProof
from auth_core.oauth.testing.factories import Registered, exchange, make_application, make_code, post_form
from auth_core.oauth.testing.proofs import KeyHolder, make_signing_application, present, push
from auth_core.testing.factories import make_user
from auth_core.testing.parallel import at_once
from people import answer_in, asked, browser_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.usefixtures("unlimited_guesses"),
]

AT_ONCE = 50

#: `./dev races` runs more rounds.
ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])


def race(act: Callable[[int], Any]) -> list[Any]:
    """Return the answers of fifty uses at once."""
    return at_once([partial(act, number) for number in range(AT_ONCE)])


def one_won(answers: list[Any], *, error: str) -> Any:
    """Return the only success. Every other answer has *error*."""
    won = [answer for answer in answers if answer.status_code in (200, 201)]
    lost = {answer.json()["error"] for answer in answers if answer.status_code not in (200, 201)}
    assert len(won) == 1, [answer.content for answer in answers]
    assert lost == {error}
    return won[0]


@ROUNDS
@pytest.mark.parametrize("path", ["/oauth/token", "/oauth/par", "/oauth/introspect"])
def test_one_of_fifty_uses_of_an_assertion_wins(rounds: int, path: str) -> None:
    grant = "client-credentials" if path == "/oauth/token" else "authorization-code"
    application = make_signing_application(grant=grant)
    for _round in range(rounds):
        body = {
            **asked(application, scope=None),
            **application.credentials(),
            "grant_type": "client_credentials",
            "token": "x",
        }

        one_won(race(lambda _number, body=body: post_form(path, body, Browser())), error="invalid_client")

        assert SpentProof.objects.count() == 1
        SpentProof.objects.all().delete()


@ROUNDS
def test_one_of_fifty_uses_of_a_proof_wins_and_no_other_code_is_spent(rounds: int) -> None:
    application, person, key = make_application(), make_user(), KeyHolder()
    for _round in range(rounds):
        codes, proof = [make_code(application, person) for _code in range(AT_ONCE)], key.proof()

        answers = race(lambda number, codes=codes, proof=proof: exchange(application, codes[number], proof=proof))

        one_won(answers, error="invalid_dpop_proof")
        assert Authorization.objects.filter(code_spent_at=None).count() == AT_ONCE - 1
        Authorization.objects.all().delete()


@ROUNDS
def test_one_of_fifty_uses_of_a_proof_reads_the_resource(rounds: int) -> None:
    application, person, key = make_application(), make_user(), KeyHolder()
    token = exchange(application, make_code(application, person), proof=key.proof()).json()["access_token"]
    for _round in range(rounds):
        proof = key.proof("GET", "/oauth/userinfo", access_token=token)

        one_won(race(lambda _number, proof=proof: present(token, proof)), error="invalid_dpop_proof")


@ROUNDS
def test_one_of_fifty_visits_completes_a_pushed_request(rounds: int) -> None:
    application, person = make_application(is_first_party=True), make_user()
    browsers = [browser_of(person) for _browser in range(AT_ONCE)]
    for _round in range(rounds):
        name = push(application, **asked(application)).json()["request_uri"]
        address = {"client_id": application.client_id, "request_uri": name}

        answers = race(lambda number, address=address: browsers[number].get("/oauth/authorize", address))

        codes = [answer_in(answer)["code"] for answer in answers if answer.status_code == 303]
        assert len(codes) == 1, [answer.status_code for answer in answers]
        assert {answer.status_code for answer in answers} <= {303, 400, 410}
        assert Authorization.objects.count() == 1
        _forget(application)


def _forget(application: Registered) -> None:
    AuthorizationRequest.objects.filter(application=application.row).delete()
    Authorization.objects.all().delete()
