"""Uses of initial access tokens and updates of registrations at once, with real connections."""

from functools import partial
from typing import Any

import pytest
from oauth2_provider.models import get_application_model

from auth_core.testing.parallel import at_once
from registrations import initial_token, manage, register, registered, update_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.usefixtures("unlimited_guesses"),
]

AT_ONCE = 20


@pytest.fixture(autouse=True)
def switched_on(settings: Any) -> None:
    """A site that lets applications register themselves."""
    settings.AUTH_OAUTH = {**settings.AUTH_OAUTH, "DYNAMIC_REGISTRATION": True}


def test_one_of_twenty_registrations_spends_the_last_use() -> None:
    token = initial_token()

    answers = at_once([partial(register, token) for _registration in range(AT_ONCE)])

    assert sorted(answer.status_code for answer in answers) == [201, *[401] * (AT_ONCE - 1)]
    assert get_application_model().objects.count() == 1


def test_one_of_twenty_updates_replaces_the_token() -> None:
    client = registered()
    updates = [update_of(client, client_name=f"Name {number}") for number in range(AT_ONCE)]

    answers = at_once([partial(manage, "put", client, body) for body in updates])

    (won,) = [answer.json() for answer in answers if answer.status_code == 200]
    assert {answer.status_code for answer in answers} == {200, 401}
    assert manage("get", won).json()["client_name"] == won["client_name"]


def test_removals_at_once_all_end_in_nothing() -> None:
    client = registered()

    answers = at_once([partial(manage, "delete", client) for _removal in range(AT_ONCE)])

    assert {answer.status_code for answer in answers} <= {204, 401}
    assert 204 in {answer.status_code for answer in answers}
    assert not get_application_model().objects.exists()
