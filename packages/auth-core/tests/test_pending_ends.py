"""Rows that wait for an answer. After the end of one, every action is refused, changes nothing and sends nothing.

A table lists each pending model, its actions and the ways it ends.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth import get_user_model
from django.db.models import Model
from django.utils import timezone

from auth_core.assurance.methods import Evidence, Method
from auth_core.contracts import Purpose, Transport
from auth_core.errors import AuthError
from auth_core.flows.account_creation import create_account
from auth_core.flows.email_verification import resend_confirmation, verify_email
from auth_core.flows.first_administrator import create_first_administrator, new_bootstrap_link
from auth_core.flows.invitations import accept_invitation, invite
from auth_core.flows.password_reset import request_reset, reset_password
from auth_core.flows.signup import confirm_signup, confirm_signup_by_code, request_signup
from auth_core.login.journey import answer_login, choose
from auth_core.models import (
    BootstrapLink,
    EmailAddress,
    EmailVerification,
    Invitation,
    OutboxMessage,
    PendingLogin,
    PendingSignup,
    ResetLink,
)
from auth_core.models.pending_login import Caller
from auth_core.request.client import Client
from auth_core.testing.doubles import RIGHT_CODE
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import code_in, delivered, token_in
from conftest import DOUBLES

pytestmark = pytest.mark.django_db

CLIENT = Client(network="192.0.2.0/24")
SECRET = "elb_" + "x" * 43
NEW = "another battery horse staple"
BOB = "bob@example.org"

#: Columns of rows that wait for an answer and end.
ENDS = frozenset({"spent_at", "closed_at", "attempts_left", "guesses_left"})

#: Models with such a column that wait for no answer, with the reason.
EXEMPT: Mapping[type[Model], str] = {}

Action = Callable[[Any], Any]


@dataclass(frozen=True)
class Pending:
    """One kind of pending row.

    Args:
        begin: Creates a row and returns the values that its actions need.
        actions: The actions on it, by name.
        spent: The columns of a used or closed row.
        used_up: The columns of a row without attempts. Empty if it has no attempts.
        outlive: Actions that do not need an attempt.
    """

    begin: Callable[[], Any]
    actions: Mapping[str, Action]
    spent: str = "spent_at"
    used_up: str = ""
    outlive: frozenset[str] = frozenset()


def begin_login() -> Any:
    return PendingLogin.objects.open(
        user=get_user_model().objects.get(email="alice@example.org"),
        backend="auth_core.backends.IdentifierBackend",
        purpose=Purpose.LOGIN,
        transport=Transport.COOKIE,
        evidence=[Evidence.now(Method.PASSWORD)],
        browser_secret=SECRET,
    )


CALLER = Caller(purposes=frozenset({Purpose.LOGIN}), browser_secret=SECRET)


def begin_signup() -> Any:
    request_signup(email=BOB, password=PASSWORD, client=CLIENT, browser_secret=SECRET)
    mail = delivered()[-1]
    return {"token": token_in(mail), "code": code_in(mail)}


def begin_verification() -> str:
    create_account(email=BOB, password=PASSWORD, verified=False)
    resend_confirmation(email=BOB, client=CLIENT, browser_secret="")
    return token_in(delivered()[-1])


def begin_reset() -> str:
    request_reset(email="alice@example.org", client=CLIENT)
    return token_in(delivered()[-1])


def begin_invitation() -> str:
    invite(email=BOB, actor=get_user_model().objects.get(), client=CLIENT)
    return token_in(delivered()[-1])


def begin_bootstrap() -> str:
    return new_bootstrap_link().rstrip("/").rpartition("/")[2]


PENDING: Mapping[type[Model], Pending] = {
    PendingLogin: Pending(
        begin_login,
        {
            "answer": lambda login: answer_login(
                token=login.token, answer={"code": RIGHT_CODE}, caller=CALLER, client=CLIENT
            ),
            "choose": lambda login: choose(token=login.token, choice="tablet", caller=CALLER, client=CLIENT),
            "find": lambda login: PendingLogin.objects.find(login.token, CALLER),
            "page": lambda login: PendingLogin.objects.of_browser(CALLER),
        },
        spent="closed_at",
        used_up="attempts_left",
    ),
    PendingSignup: Pending(
        begin_signup,
        {
            "link": lambda sent: confirm_signup(token=sent["token"], client=CLIENT, browser_secret=SECRET),
            "code": lambda sent: confirm_signup_by_code(
                email=BOB, code=sent["code"], client=CLIENT, browser_secret=SECRET
            ),
            "resend": lambda sent: resend_confirmation(email=BOB, client=CLIENT, browser_secret=SECRET),
        },
        used_up="attempts_left",
        # A token of 256 bits cannot be guessed, so the link works after wrong codes.
        outlive=frozenset({"link"}),
    ),
    EmailVerification: Pending(begin_verification, {"link": lambda token: verify_email(token=token, client=CLIENT)}),
    ResetLink: Pending(begin_reset, {"link": lambda token: reset_password(token=token, password=NEW, client=CLIENT)}),
    Invitation: Pending(
        begin_invitation, {"link": lambda token: accept_invitation(token=token, password=NEW, client=CLIENT)}
    ),
    BootstrapLink: Pending(
        begin_bootstrap,
        {"link": lambda token: create_first_administrator(token=token, email=BOB, password=NEW, client=CLIENT)},
    ),
}

#: Actions with the same answer for all. Their refusal is that they send nothing.
SILENT = frozenset({"resend"})

CASES = [
    (model, action, end)
    for model, pending in PENDING.items()
    for action in pending.actions
    for end in ("spent", "expired", *(["used_up"] if pending.used_up and action not in pending.outlive else []))
]


@pytest.fixture
def site(settings: Any, request: pytest.FixtureRequest) -> None:
    """A site whose logins require a code. It has one account, except in the test of the first administrator."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, "LOGIN_STEPS": [f"{DOUBLES}.CodeStep"]}
    if request.node.callspec.params["model"] is not BootstrapLink:
        create_account(email="alice@example.org", password=PASSWORD, verified=True)


def end(model: Any, how: str) -> None:
    pending, past = PENDING[model], timezone.now() - timedelta(seconds=1)
    columns: dict[str, Any] = {"spent": {pending.spent: past}, "expired": {"expires_at": past}}.get(how) or {
        pending.used_up: 0
    }
    assert model.objects.update(**columns) == 1


def state() -> Any:
    """Return what an action could change: users, passwords, addresses, sessions and outgoing messages."""
    people = get_user_model().objects.values_list("pk", "password", "is_superuser")
    rows = EmailAddress.objects.values_list("pk", "verified_at")
    codes = PendingSignup.objects.values_list("pk", "code_digest", "token_digest")
    logins = PendingLogin.objects.values_list("pk", "evidence_stored", "choice", "closed_at")
    return [sorted(map(str, each)) for each in (people, rows, codes, logins)]


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(("model", "action", "how"), CASES, ids=lambda value: getattr(value, "__name__", value))
def test_an_ended_row_refuses_every_action_and_sends_nothing(model: Any, action: str, how: str) -> None:
    pending = PENDING[model]
    begun = pending.begin()
    end(model, how)
    before, waiting = state(), OutboxMessage.objects.exclude(channel="nowhere").count()

    refused = None
    try:
        pending.actions[action](begun)
    except AuthError as error:
        refused = error.code

    assert refused in ({None} if action in SILENT else {"login_expired", "link_invalid", "challenge_failed"})
    assert state() == before
    assert delivered() == []
    assert OutboxMessage.objects.exclude(channel="nowhere").count() == waiting


@pytest.mark.usefixtures("site")
@pytest.mark.parametrize(
    ("model", "action"),
    [(model, action) for model, pending in PENDING.items() for action in pending.actions],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_a_pending_row_accepts_every_action(model: Any, action: str) -> None:
    """This shows that the refusals above do not come from an error in the table."""
    begun = PENDING[model].begin()

    PENDING[model].actions[action](begun)


def test_every_pending_model_is_in_the_table() -> None:
    waiting = {
        model
        for label in ("auth_core", "auth_accounts")
        for model in apps.get_app_config(label).get_models()
        if ENDS & {field.name for field in model._meta.get_fields()}
    }

    assert waiting == {*PENDING, *EXEMPT}
