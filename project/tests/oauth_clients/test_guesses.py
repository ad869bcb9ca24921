"""Strangers who guess lock no one out: not an application, and not a person on a known device."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from attacks.stage import Caller
from oauth_clients.callers import Application, Nodes, bearer, caller, sign_in, tokens

pytestmark = [pytest.mark.postgresql, pytest.mark.live]

SECRETS, PASSWORDS, NETWORKS = 1000, 200, 5
WRONG_SECRET, WRONG_PASSWORD = "a" * 48, "not the password at all"


def test_after_1000_wrong_secrets_and_200_wrong_passwords_both_come_in(nodes: Nodes) -> None:
    email, application = nodes.people.pop(), nodes.applications.pop()
    person = caller(nodes.first)
    assert sign_in(person, email).status_code == 303
    person.submit("/logout/", shown_at="/account/")
    assert person.get("/account/").status_code == 302
    strangers = [caller(nodes.first) for _network in range(NETWORKS)]
    guessed = Application(application.id, WRONG_SECRET)

    def guess(stranger: Caller) -> tuple[Counter[int], Counter[int]]:
        secrets = (
            guessed.post(stranger, "/oauth/token", grant_type="client_credentials")
            for _guess in range(SECRETS // NETWORKS)
        )
        passwords = (stranger.log_in(email, WRONG_PASSWORD) for _guess in range(PASSWORDS // NETWORKS))
        return Counter(answer.status_code for answer in secrets), Counter(answer.status_code for answer in passwords)

    with ThreadPoolExecutor(NETWORKS) as pool:
        answers = list(pool.map(guess, strangers))

    secrets, passwords = (sum(counts, Counter()) for counts in zip(*answers, strict=True))
    assert (set(secrets), secrets.total()) == ({401, 429}, SECRETS)
    assert (set(passwords), passwords.total()) == ({401, 429}, PASSWORDS)
    assert sign_in(caller(nodes.first), email).status_code == 429, "strangers have spent their budget"
    assert sign_in(person, email).status_code == 303
    granted = tokens(person, application)
    assert bearer(person, "/oauth/userinfo", granted["access_token"]) == 200
    # The application calls from a network in which its secret was guessed.
    assert application.refresh(strangers[0], granted["refresh_token"]).status_code == 200
