"""Parallel first visits from one client that describes itself, with real connections."""

from functools import partial

import pytest

from auth_core.oauth.models import ClientDocument
from auth_core.testing.factories import make_user
from auth_core.testing.parallel import at_once
from document_clients import Described, stored
from people import browser_of

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.postgresql,
    pytest.mark.usefixtures("unlimited_guesses"),
]

AT_ONCE = 20


@pytest.mark.parametrize("rounds", [2, pytest.param(20, marks=pytest.mark.races)])
def test_twenty_first_visits_register_one_application(agent: Described, rounds: int) -> None:
    person = make_user()
    browsers = [browser_of(person) for _browser in range(AT_ONCE)]
    for _round in range(rounds):
        answers = at_once([partial(agent.come, browser) for browser in browsers])

        assert [answer.status_code for answer in answers] == [200] * AT_ONCE
        assert stored()[:2] == (1, 1)
        ClientDocument.objects.get().application.delete()
