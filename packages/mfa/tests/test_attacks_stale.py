"""Unfinished logins end when the credential that they proved is removed."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client as Browser

from auth_core.testing.browsers import answer, code_of, log_in, post
from auth_core.testing.doubles import NarrowIssuer
from auth_core.testing.factories import PASSWORD
from auth_core.testing.sessions import sign_in
from auth_mfa.factors import remove_factor, reset_factors
from auth_mfa.testing.factors import add_totp, current_code

pytestmark = pytest.mark.django_db


@pytest.fixture
def no_room(settings: Any) -> Iterator[None]:
    """A site where a proved login must still choose a session to end."""
    doubles = "auth_core.testing.doubles"
    steps = ["auth_mfa.login.SecondFactor", f"{doubles}.RoomStep"]
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": steps, "GRANT_ISSUER": f"{doubles}.NarrowIssuer"}
    NarrowIssuer.is_full = True
    yield
    NarrowIssuer.is_full = NarrowIssuer.asked = False


@pytest.mark.usefixtures("no_room")
@pytest.mark.parametrize("take_away", [remove_factor, reset_factors])
def test_removing_a_factor_ends_logins_that_it_proved(take_away: Any, alice: User, browser: Browser) -> None:
    """A thief of a phone proves it, and waits until the owner has removed it and ended all sessions."""
    factor = add_totp(alice)
    challenged = answer(browser, log_in(browser), code=current_code())
    assert challenged.json()["challenge"]["kind"] == "session_limit"

    if take_away is remove_factor:
        remove_factor(factor=factor)
    else:
        reset_factors(user=alice, actor=None)

    assert code_of(post(browser, "login/answer", token=challenged.json()["token"], answer={})) == "login_expired"
    assert browser.get("/api/v1/me/").status_code == 401


def test_changing_the_password_ends_logins_that_it_began(alice: User, browser: Browser) -> None:
    add_totp(alice)
    challenged = log_in(browser)
    owner = sign_in(alice, assurance="aal2")
    changed = post(owner, "password/change", current_password=PASSWORD, new_password="another horse and battery")

    refused = answer(browser, challenged, code=current_code())

    assert changed.status_code == 204
    assert code_of(refused) == "login_expired"
