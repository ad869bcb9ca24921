"""Every endpoint that mails an address is limited."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client as Browser

from auth_core.models import OutboxMessage
from auth_core.testing.browsers import code_of, logged_in, post
from auth_core.testing.factories import PASSWORD

pytestmark = pytest.mark.django_db

TO = "somebody@example.org"

Ask = Callable[[Browser], Any]

BY_API: dict[str, Ask] = {
    "password/forgot": lambda browser: post(browser, "password/forgot", email=TO),
    "email/resend": lambda browser: post(browser, "email/resend", email=TO),
    "signup": lambda browser: post(browser, "signup", email=TO, password=PASSWORD),
    "invitations": lambda browser: post(browser, "invitations", email=TO),
}
BY_PAGE: dict[str, Ask] = {
    "/password/forgot/": lambda browser: browser.post("/password/forgot/", {"email": TO}),
    "/email/resend/": lambda browser: browser.post("/email/resend/", {"email": TO}),
    "/signup/": lambda browser: browser.post("/signup/", {"email": TO, "password": PASSWORD}),
}
EVERY = {**BY_API, **BY_PAGE}


@pytest.fixture
def sender(alice: Any) -> Browser:
    """The browser of a user who may invite."""
    alice.user_permissions.set(Permission.objects.filter(content_type__model="invitation"))
    return logged_in()


@pytest.mark.asvs("2.4.1")
@pytest.mark.parametrize("way", EVERY)
def test_mails_to_one_address_end_in_429(way: str, sender: Browser) -> None:
    responses = [EVERY[way](sender) for _mail in range(6)]

    assert [answer.status_code < 400 for answer in responses[:5]] == [True] * 5
    assert responses[5].status_code == 429
    assert way.startswith("/") or code_of(responses[5]) == "too_many_attempts"
    assert int(responses[5].headers["Retry-After"]) > 0
    assert OutboxMessage.objects.count() == 5


@pytest.mark.parametrize("way", EVERY)
def test_all_mails_to_one_address_share_a_budget(way: str, sender: Browser) -> None:
    for other in list(EVERY.values())[:5]:
        other(sender)

    assert EVERY[way](sender).status_code == 429
