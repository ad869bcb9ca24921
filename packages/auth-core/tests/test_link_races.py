"""Fifty parallel uses of one link, and fifty sign-ups with one address. Exactly one wins."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.test import Client as Browser

from auth_core.flows.account_creation import create_account
from auth_core.flows.first_administrator import create_first_administrator, new_bootstrap_link
from auth_core.flows.invitations import invite
from auth_core.flows.password_reset import request_reset
from auth_core.flows.signup import request_signup
from auth_core.models import PendingSignup
from auth_core.models.one_time_link import OneTimeLink
from auth_core.request.client import Client
from auth_core.testing.browsers import post
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import code_in, delivered, the_mail, token_in
from auth_core.testing.parallel import at_once, one_winner, tally

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.usefixtures("unlimited_guesses"),
]

BROWSER = "elb_" + "b" * 43
NEW = "another battery horse staple"
AT_ONCE = 50

#: `./dev races` runs more rounds.
ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])


def post_with_secret(path: str, **body: Any) -> Any:
    """Post as the browser with the secret does, in a new one, because a test browser serves one thread."""
    browser = Browser()
    browser.cookies["__Host-login"] = BROWSER
    return post(browser, path, **body)


def verification_link(number: int) -> Callable[[], Any]:
    request_signup(email=f"p{number}@example.org", password=PASSWORD, client=Client(), browser_secret=BROWSER)
    return partial(post_with_secret, "email/verify", token=token_in(the_mail()))


def verification_code(number: int) -> Callable[[], Any]:
    email = f"c{number}@example.org"
    request_signup(email=email, password=PASSWORD, client=Client(), browser_secret=BROWSER)
    PendingSignup.objects.update(attempts_left=1000)
    return partial(post_with_secret, "email/verify", email=email, code=code_in(the_mail()))


def reset_link(number: int) -> Callable[[], Any]:
    email = f"r{number}@example.org"
    create_account(email=email, password=PASSWORD, verified=True)
    delivered()
    request_reset(email=email, client=Client())
    return partial(post_with_secret, "password/reset", token=token_in(the_mail()), password=NEW)


def invitation(number: int) -> Callable[[], Any]:
    invite(email=f"i{number}@example.org", actor=None, client=Client())
    return partial(post_with_secret, "invitations/accept", token=token_in(the_mail()), password=PASSWORD)


#: The error of each guard. A used code has no pending sign-up any more.
USES = [
    (verification_link, {"link_invalid"}),
    (verification_code, {"link_invalid", "challenge_failed"}),
    (reset_link, {"link_invalid"}),
    (invitation, {"link_invalid"}),
]


@ROUNDS
@pytest.mark.asvs("2.3.4")
@pytest.mark.asvs("15.4.2")
@pytest.mark.parametrize(("use", "refusals"), USES, ids=[use.__name__ for use, _codes in USES])
def test_one_of_50_parallel_requests_wins(
    use: Callable[[int], Callable[[], Any]], refusals: set[str], rounds: int
) -> None:
    results = one_winner(lambda number: [use(number)] * AT_ONCE, refusal=refusals, rounds=rounds)
    print(use.__name__, dict(results))

    assert results.total() == rounds * AT_ONCE


@ROUNDS
def test_one_of_50_sign_ups_with_one_address_becomes_the_account(rounds: int) -> None:
    for number in range(rounds):
        email = f"s{number}@example.org"
        statuses = tally(at_once([partial(post_with_secret, "signup", email=email, password=PASSWORD)] * AT_ONCE))
        assert statuses == {"202": AT_ONCE}
        tokens = [token_in(message) for message in delivered()]
        assert len(set(tokens)) == AT_ONCE

        results = tally(at_once([partial(post_with_secret, "email/verify", token=token) for token in tokens]))
        print("one address", dict(results))

        assert results == {"200": 1, "link_invalid": AT_ONCE - 1}
        assert get_user_model().objects.filter(email=email).count() == 1


@ROUNDS
def test_one_of_50_parallel_requests_becomes_the_first_administrator(rounds: int) -> None:
    def tasks(number: int) -> list[Callable[[], Any]]:
        assert number == 0 or get_user_model().objects.filter(is_superuser=True).count() == 1
        get_user_model().objects.all().delete()
        arguments = {
            "token": new_bootstrap_link().rstrip("/").rpartition("/")[2],
            "password": PASSWORD,
            "client": Client(),
        }
        return [
            partial(create_first_administrator, email=f"root{each}@example.org", **arguments) for each in range(AT_ONCE)
        ]

    results = one_winner(tasks, refusal={"link_invalid"}, rounds=rounds)
    print("first administrator", dict(results))

    assert get_user_model().objects.filter(is_superuser=True).count() == 1


@ROUNDS
def test_one_of_20_links_of_one_person_resets_the_password(rounds: int) -> None:
    def tasks(number: int) -> list[Callable[[], Any]]:
        email = f"m{number}@example.org"
        create_account(email=email, password=PASSWORD, verified=True)
        delivered()
        for _link in range(20):
            request_reset(email=email, client=Client())
        return [partial(post_with_secret, "password/reset", token=token_in(sent), password=NEW) for sent in delivered()]

    assert one_winner(tasks, refusal={"link_invalid"}, rounds=rounds) == {"200": rounds, "link_invalid": 19 * rounds}


def check_then_write(self: Any) -> bool:
    """Check first and write then, which is the planted defect."""
    is_live = type(self)._default_manager.live().filter(pk=self.pk).exists()
    time.sleep(0.05)
    return is_live and type(self)._default_manager.filter(pk=self.pk).update(spent_at=self.created_at) == 1


def test_consuming_without_the_condition_would_be_caught(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OneTimeLink, "spend", check_then_write)
    spent: list[Any] = []
    monkeypatch.setattr("auth_core.flows.password_reset.replace_hash", lambda *_args: spent.append(1) or True)

    results = tally(at_once([reset_link(0)] * 20))

    assert results["200"] > 1, "the planted defect must be caught"
    assert len(spent) > 1
