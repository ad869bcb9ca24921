"""One-time values that two callers have read. The row count decides, and the second caller is refused."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth import get_user_model

from auth_core.contracts import Purpose, Transport
from auth_core.crypto.secrets import spend
from auth_core.errors import AuthError, LinkInvalid, LoginExpired
from auth_core.flows.email_verification import resend_confirmation, verify_email
from auth_core.flows.first_administrator import create_first_administrator, new_bootstrap_link
from auth_core.flows.invitations import accept_invitation, invite
from auth_core.flows.password_reset import request_reset, reset_password
from auth_core.flows.signup import confirm_signup, request_signup
from auth_core.models import (
    BootstrapLink,
    EmailAddress,
    EmailVerification,
    Invitation,
    PendingLogin,
    PendingSignup,
    ResetLink,
)
from auth_core.models.one_time_link import OneTimeLink
from auth_core.request.client import Client
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import delivered, token_in

pytestmark = [pytest.mark.django_db, pytest.mark.asvs("2.3.4")]

BROWSER = "elb_" + "b" * 43
NEW = "another battery horse staple"
HERE = Client(ip="192.0.2.1", network="192.0.2.1")

Use = Callable[[str], Any]


def reset(alice: Any) -> tuple[type[OneTimeLink], str, Use]:
    request_reset(email="alice@example.org", client=HERE)
    return ResetLink, mailed(), lambda token: reset_password(token=token, password=NEW, client=HERE)


def verification(alice: Any) -> tuple[type[OneTimeLink], str, Use]:
    EmailAddress.objects.update(verified_at=None)
    resend_confirmation(email="alice@example.org", client=HERE, browser_secret="")
    return EmailVerification, mailed(), lambda token: verify_email(token=token, client=HERE)


def signup(alice: Any) -> tuple[type[OneTimeLink], str, Use]:
    request_signup(email="new@example.org", password=PASSWORD, client=HERE, browser_secret=BROWSER)
    return PendingSignup, mailed(), lambda token: confirm_signup(token=token, client=HERE, browser_secret=BROWSER)


def invitation(alice: Any) -> tuple[type[OneTimeLink], str, Use]:
    invite(email="bob@example.org", actor=alice, client=HERE)
    return Invitation, mailed(), lambda token: accept_invitation(token=token, password=PASSWORD, client=HERE)


def first_administrator(alice: Any) -> tuple[type[OneTimeLink], str, Use]:
    token = str(new_bootstrap_link()).rstrip("/").rpartition("/")[2]
    return (
        BootstrapLink,
        token,
        lambda token: create_first_administrator(token=token, email="root@example.org", password=PASSWORD, client=HERE),
    )


def mailed() -> str:
    (message,) = delivered()
    return token_in(message)


KINDS = [reset, verification, signup, invitation, first_administrator]


@pytest.mark.parametrize("made", KINDS)
def test_the_second_of_two_users_of_a_link_is_refused(made: Any, alice: Any, monkeypatch: Any) -> None:
    kind, token, use = made(alice)
    read: Any = kind._default_manager.filter(spent_at=None).first() if token else None
    assert read.spend() is True

    assert read.spend() is False
    with pytest.raises(AuthError):
        use(token)


@pytest.mark.parametrize("made", KINDS)
def test_a_link_read_before_it_was_consumed_changes_nothing(
    made: Any, alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind, token, use = made(alice)
    stale: Any = kind._default_manager.get(spent_at=None)
    kind._default_manager.filter(spent_at=None).spend()
    monkeypatch.setattr(type(kind._default_manager.all()), "find", lambda self, token: stale)
    monkeypatch.setattr(type(kind._default_manager), "find", lambda self, token: stale, raising=False)
    people = set(get_user_model().objects.values_list("pk", "password"))

    with pytest.raises(LinkInvalid):
        use(token)

    assert set(get_user_model().objects.values_list("pk", "password")) == people


def test_the_second_of_two_closings_of_a_login_is_refused(alice: Any) -> None:
    login = PendingLogin.objects.open(user=alice, backend="", purpose=Purpose.LOGIN, transport=Transport.TOKEN)
    first, second = (PendingLogin.objects.get(pk=login.pk) for _reader in range(2))
    first.close()

    with pytest.raises(LoginExpired):
        second.close()


def test_an_update_that_matches_no_row_consumes_nothing(alice: Any) -> None:
    nothing = PendingLogin.objects.filter(pk=None)

    assert spend(nothing, closed_at=None) is False


def test_every_kind_of_link_is_tested() -> None:
    ours = {kind for kind in OneTimeLink.__subclasses__() if kind._meta.app_label == "auth_core"}

    assert ours == {ResetLink, EmailVerification, PendingSignup, Invitation, BootstrapLink}
    assert len(KINDS) == len(ours)
