"""Concurrent assertions: each challenge works once, and the limit of keys holds."""

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.contracts import Transport
from auth_core.crypto.secrets import digest
from auth_core.models import PendingLogin
from auth_core.request.client import Client
from auth_core.testing.browsers import answer
from auth_core.testing.parallel import at_once, one_winner, tally
from auth_core.testing.plans import unindexed
from auth_core.testing.sessions import begin
from auth_mfa.models import WebauthnChallenge, WebauthnFactor
from auth_mfa.models.webauthn_challenge import Ceremony, delete_expired
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.webauthn import passkeys
from auth_mfa.webauthn.login import Webauthn

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.postgresql]

ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])
Task = Callable[[], Any]


@pytest.fixture(autouse=True)
def only_spent_challenges_refuse(settings: Any, unlimited_guesses: None) -> None:
    """Raise the limit of a factor as well."""
    settings.AUTH_MFA = {"MAX_FAILURES": 10_000}


@pytest.fixture
def key(alice: User) -> Authenticator:
    """A passkey without a counter, so that only the challenge separates two answers."""
    return Authenticator().added_to(alice)


def options_of(login: PendingLogin, key: Authenticator) -> Any:
    return Webauthn().ask(login, [key.factor])["options"]  # type: ignore[list-item]  # only its id is read


@ROUNDS
@pytest.mark.asvs("6.7.2")
@pytest.mark.asvs("2.3.4")
def test_of_50_concurrent_logins_with_one_assertion_one_is_granted(
    rounds: int, key: Authenticator, alice: User
) -> None:
    def tasks(number: int) -> Sequence[Task]:
        logins = [begin(alice) for _login in range(50)]
        options = [options_of(login, key) for login in logins]
        credential = key.sign(options[number % 50])
        return [partial(answer, Browser(), login.token, credential=credential) for login in logins]

    results = one_winner(tasks, refusal={"challenge_failed"}, rounds=rounds)
    print("assertion", dict(results))

    assert results == {"200": rounds, "challenge_failed": 49 * rounds}


@ROUNDS
def test_of_50_concurrent_answers_to_a_challenge_one_is_accepted(rounds: int, key: Authenticator, alice: User) -> None:
    def tasks(number: int) -> Sequence[Task]:
        login = begin(alice)
        credential = key.sign(options_of(login, key))
        return [partial(Webauthn().answer, login, [key.factor], {"credential": credential})] * 50  # type: ignore[list-item]  # a row has the same attributes

    results = one_winner(tasks, refusal={"challenge_failed"}, rounds=rounds)

    assert results == {"Evidence": rounds, "challenge_failed": 49 * rounds}


@ROUNDS
def test_of_50_concurrent_passkey_logins_with_one_answer_one_is_granted(rounds: int, key: Authenticator) -> None:
    def tasks(number: int) -> Sequence[Task]:
        secret = f"elb_{number}"
        begun = passkeys.begin_login(
            transport=Transport.COOKIE, client=Client(network="192.0.2.1"), browser_secret=secret
        )
        credential = key.sign(begun.options)
        return [
            partial(
                passkeys.answer_login,
                token=begun.token,
                credential=credential,
                client=Client(network="192.0.2.1"),
                browser_secret=secret,
            )
        ] * 50

    results = one_winner(tasks, refusal={"login_expired"}, rounds=rounds)
    print("passkey login", dict(results))

    assert results == {"Granted": rounds, "login_expired": 49 * rounds}


def look_then_write(self: WebauthnChallenge, **bound: Any) -> bool:
    """Spend a challenge without the condition."""
    unspent = WebauthnChallenge.objects.filter(pk=self.pk, spent_at=None).exists()
    time.sleep(0.2)
    return unspent and WebauthnChallenge.objects.filter(pk=self.pk).update(spent_at="2026-01-01T00:00:00Z") == 1


def test_a_challenge_checked_before_it_is_spent_would_work_twice(
    key: Authenticator, alice: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(WebauthnChallenge, "spend", look_then_write)
    login = begin(alice)
    credential = key.sign(options_of(login, key))

    results = tally(
        at_once([partial(Webauthn().answer, login, [key.factor], {"credential": credential})] * 20)  # type: ignore[list-item]  # a row has the same attributes
    )

    assert results["Evidence"] > 1, "the planted defect must be seen"


@ROUNDS
def test_of_50_concurrent_assertions_with_one_count_one_is_accepted(rounds: int, alice: User) -> None:
    key = Authenticator(sign_count=1).added_to(alice)

    def tasks(number: int) -> Sequence[Task]:
        row = key.factor
        return [partial(row.spend_count, number + 2, backup_state=False)] * 50

    assert one_winner(tasks, refusal={"False"}, rounds=rounds) == {"True": rounds, "False": 49 * rounds}


def confirm(user: User, begun: passkeys.Registration, occasion: UUID, credential: Any) -> Any:
    return passkeys.confirm_registration(
        user=user, registration_id=begun.id, occasion=occasion, credential=credential, name="", client=Client()
    )


@ROUNDS
def test_of_50_concurrent_confirmations_one_adds_a_key(rounds: int, alice: User) -> None:
    def tasks(number: int) -> Sequence[Task]:
        WebauthnFactor.objects.all().delete()
        occasion = uuid4()
        begun = passkeys.begin_registration(user=alice, occasion=occasion)
        made = [Authenticator().make(begun.options) for _key in range(50)]
        return [partial(confirm, alice, begun, occasion, credential) for credential in made]

    results = one_winner(tasks, refusal={"not_found"}, rounds=rounds)

    assert results == {"WebauthnFactor": rounds, "not_found": 49 * rounds}
    assert WebauthnFactor.objects.count() == 1


@ROUNDS
def test_a_credential_has_one_owner(rounds: int, alice: User) -> None:
    people = [alice, *(User.objects.create_user(f"person{number}") for number in range(19))]

    def tasks(number: int) -> Sequence[Task]:
        key, occasion = Authenticator(), uuid4()
        begun = [passkeys.begin_registration(user=person, occasion=uuid4()) for person in people]
        WebauthnChallenge.objects.update(occasion=occasion)
        made = [key.make(each.options) for each in begun]
        return [
            partial(confirm, person, each, occasion, credential)
            for person, each, credential in zip(people, begun, made, strict=True)
        ]

    assert one_winner(tasks, refusal={"conflict"}, rounds=rounds)["conflict"] == 19 * rounds


def _begun(user: User, keys: int) -> list[Task]:
    occasions = [uuid4() for _key in range(keys)]
    begun = [passkeys.begin_registration(user=user, occasion=occasion) for occasion in occasions]
    return [
        partial(confirm, user, each, occasion, Authenticator().make(each.options))
        for each, occasion in zip(begun, occasions, strict=True)
    ]


@ROUNDS
def test_20_concurrent_registrations_do_not_exceed_the_limit(rounds: int, alice: User) -> None:
    for _round in range(rounds):
        WebauthnFactor.objects.all().delete()

        results = tally(at_once(_begun(alice, 20)))

        assert results == {"WebauthnFactor": 10, "conflict": 10}


def test_counting_without_the_lock_would_exceed_the_limit(alice: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def count_only(*, user: User, model: Any) -> None:
        assert model.objects.of(user).count() < 10
        time.sleep(0.2)

    monkeypatch.setattr(passkeys, "make_room", count_only)

    results = tally(at_once(_begun(alice, 20)))

    assert results["WebauthnFactor"] > 10, "the planted defect must be seen"


def test_an_id_is_stored_with_its_digest(key: Authenticator) -> None:
    assert key.factor.credential_digest == digest(key.factor.credential_id)


def test_an_index_serves_every_query(key: Authenticator, alice: User) -> None:
    login, row = begin(alice), key.factor
    options_of(login, key)
    challenge = WebauthnChallenge.objects.get()
    bound: dict[str, Any] = {"purpose": Ceremony.SECOND_FACTOR, "user": alice, "occasion": login.pk}

    assert unindexed(lambda: WebauthnChallenge.objects.live(**bound)) == []
    assert unindexed(lambda: challenge.spend(**bound, browser_digest="")) == []
    assert unindexed(lambda: WebauthnChallenge.objects.filter(challenge=challenge.challenge).first()) == []
    assert unindexed(lambda: WebauthnFactor.objects.with_id(row.credential_id).first()) == []
    assert unindexed(lambda: row.spend_count(1, backup_state=False)) == []
    assert unindexed(lambda: WebauthnChallenge.objects.issue(**bound)) == []
    assert unindexed(delete_expired) == []
