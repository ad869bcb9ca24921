"""Ended rows of this package refuse every action and send nothing.

One table, as in auth_core: each kind of row that waits for an answer, its actions, and how it
ends. Ended pending logins have their own file (``test_used_up``).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.db.models import Model
from django.utils import timezone

from auth_core.assurance.methods import Method
from auth_core.contracts import Transport
from auth_core.errors import AuthError, ChallengeFailed
from auth_core.models import OutboxMessage, PendingLogin
from auth_core.request.client import Client
from auth_core.testing.mails import delivered
from auth_core.testing.sessions import begin
from auth_core.testing.texts import delivered_texts
from auth_mfa.factors import reset_factors
from auth_mfa.kinds import OwnedFactor
from auth_mfa.login import KINDS
from auth_mfa.messages import enrolment as message_enrolment
from auth_mfa.models import (
    EmailFactor,
    Factor,
    PhoneFactor,
    RecoveryCode,
    RecoveryCodeSet,
    SentCode,
    TotpFactor,
    WebauthnChallenge,
    WebauthnFactor,
)
from auth_mfa.testing.authenticator import Authenticator
from auth_mfa.testing.factors import NUMBER, add_phone, add_recovery_codes, add_totp, current_code
from auth_mfa.totp import enrolment as totp_enrolment
from auth_mfa.webauthn import passkeys

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("captured_texts")]

CLIENT = Client(network="192.0.2.0/24")

#: Columns of rows that wait for an answer.
ENDS = frozenset({"spent_at", "closed_at", "attempts_left", "guesses_left"})

#: Factors that are confirmed from the start.
NEVER_BEGUN = frozenset({WebauthnFactor, RecoveryCodeSet})

#: The results of a refused action.
REFUSALS = frozenset({"not_found", "challenge_failed", "login_expired", "invalid_credentials"})

Action = Callable[[Any], Any]


@dataclass(frozen=True)
class Pending:
    """One kind of row that waits.

    Args:
        model: Its model.
        begin: Creates one for a user and returns the arguments of the actions.
        actions: The actions by name.
        ends: The changes that end it, by name.
    """

    model: type[Model]
    begin: Callable[[User], Any]
    actions: Mapping[str, Action]
    ends: Mapping[str, Callable[[], Any]]


def past() -> Any:
    return timezone.now() - timedelta(seconds=1)


def owned_factors(factor: Factor) -> list[OwnedFactor]:
    return [OwnedFactor(id=factor.pk, method=Method(factor.method), name=factor.name)]


# Passkeys


def begin_registration(user: User) -> Any:
    occasion = uuid4()
    begun = passkeys.begin_registration(user=user, occasion=occasion)
    return {"user": user, "occasion": occasion, "id": begun.id, "credential": Authenticator().make(begun.options)}


def confirm_registration(begun: Any) -> Any:
    return passkeys.confirm_registration(
        user=begun["user"],
        registration_id=begun["id"],
        occasion=begun["occasion"],
        credential=begun["credential"],
        name="",
        client=CLIENT,
    )


def begin_first_factor(user: User) -> Any:
    begun = passkeys.begin_login(transport=Transport.TOKEN, client=CLIENT)
    return {"token": begun.token, "credential": Authenticator().added_to(user).sign(begun.options)}


def begin_second_factor(user: User) -> Any:
    key, login = Authenticator().added_to(user), begin(user)
    data = KINDS[Method.PASSKEY].ask(login, owned_factors(key.factor))
    return {"login": login, "factors": owned_factors(key.factor), "answer": {"credential": key.sign(data["options"])}}


def answer_by_kind(begun: Any) -> Any:
    factors = begun["factors"]
    return KINDS[factors[0].method].answer(begun["login"], factors, begun["answer"])


# Sent codes and recovery codes


def begin_sent_code(user: User) -> Any:
    factor, login = add_phone(user), begin(user)
    KINDS[Method.SMS_CODE].ask(login, owned_factors(factor))
    delivered_texts()
    return {"login": login, "factors": owned_factors(factor), "answer": {"code": SentCode.objects.get().code}}


def send_again(begun: Any) -> Any:
    data = KINDS[Method.SMS_CODE].ask(begun["login"], begun["factors"])
    if not data["is_sent"]:
        raise ChallengeFailed


def begin_recovery_code(user: User) -> Any:
    add_totp(user)
    sheet = add_recovery_codes(user)
    delivered()
    code = sheet.codes[0].replace("-", "")
    return {"login": begin(user), "factors": owned_factors(sheet.factor), "answer": {"code": code}}


# Enrolments


def begin_app(user: User) -> Any:
    begun = totp_enrolment.begin_totp(user=user, name="")
    return {"user": user, "id": begun.factor.pk, "code": current_code(begun.factor.key)}


def confirm_app(begun: Any) -> Any:
    return totp_enrolment.confirm_totp(user=begun["user"], factor_id=begun["id"], code=begun["code"], client=CLIENT)


def begin_phone(user: User) -> Any:
    return _begun(user, message_enrolment.begin_phone(user=user, number=NUMBER, name="", client=CLIENT))


def begin_mailbox(user: User) -> Any:
    return _begun(user, message_enrolment.begin_email(user=user, name="", client=CLIENT))


def _begun(user: User, begun: message_enrolment.Begun) -> Any:
    delivered_texts(), delivered()
    return {"user": user, "id": begun.factor.pk, "code": SentCode.objects.get().code}


def confirm_message(begun: Any) -> Any:
    return message_enrolment.confirm(user=begun["user"], factor_id=begun["id"], code=begun["code"], client=CLIENT)


def resend(begun: Any) -> Any:
    again = message_enrolment.resend(user=begun["user"], factor_id=begun["id"], client=CLIENT)
    if not again.sending.is_sent:
        raise ChallengeFailed


CHALLENGE_ENDS: Mapping[str, Callable[[], Any]] = {
    "spent": lambda: WebauthnChallenge.objects.update(spent_at=past()),
    "expired": lambda: WebauthnChallenge.objects.update(expires_at=past()),
}

#: A reset by an administrator ends everything that the user, or a thief, has begun.
RESET = {"reset": lambda: reset_factors(user=User.objects.get(), actor=None)}


def enrolment_ends(model: type[Factor]) -> dict[str, Callable[[], Any]]:
    return {
        "confirmed": lambda: model.objects.update(confirmed=True),
        "expired": lambda: model.objects.update(created_at=timezone.now() - timedelta(minutes=31)),
        "given up": lambda: model.objects.all().delete(),
        **RESET,
    }


CODE_ENDS: Mapping[str, Callable[[], Any]] = {
    "spent": lambda: SentCode.objects.update(spent_at=past()),
    "expired": lambda: SentCode.objects.update(expires_at=past()),
    "used up": lambda: SentCode.objects.update(guesses_left=0),
}

USED_UP = {"used up": CODE_ENDS["used up"]}


PENDING: Mapping[str, Pending] = {
    "registration": Pending(
        WebauthnChallenge,
        begin_registration,
        {
            "confirm": confirm_registration,
            "show": lambda begun: passkeys.begun_registration(user=begun["user"], occasion=begun["occasion"]),
        },
        {**CHALLENGE_ENDS, **RESET},
    ),
    "passkey login": Pending(
        WebauthnChallenge,
        begin_first_factor,
        {"answer": lambda begun: passkeys.answer_login(**begun, client=CLIENT)},
        CHALLENGE_ENDS,
    ),
    "passkey in a login": Pending(WebauthnChallenge, begin_second_factor, {"answer": answer_by_kind}, CHALLENGE_ENDS),
    # A resend renews a spent or expired code, but not its guesses.
    "sent code": Pending(SentCode, begin_sent_code, {"answer": answer_by_kind}, CODE_ENDS),
    "sent code again": Pending(SentCode, begin_sent_code, {"send": send_again}, USED_UP),
    "recovery code": Pending(
        RecoveryCode,
        begin_recovery_code,
        {"answer": answer_by_kind},
        {"spent": lambda: RecoveryCode.objects.update(spent_at=past())},
    ),
    "app": Pending(
        TotpFactor,
        begin_app,
        {
            "confirm": confirm_app,
            "show": lambda begun: totp_enrolment.begun_enrolment(user=begun["user"], factor_id=begun["id"]),
        },
        enrolment_ends(TotpFactor),
    ),
    **{
        name: Pending(
            model,
            begin,
            {
                "confirm": confirm_message,
                "resend": resend,
                "show": lambda begun: message_enrolment.begun_message(user=begun["user"], factor_id=begun["id"]),
            },
            enrolment_ends(model),
        )
        for name, model, begin in (("phone", PhoneFactor, begin_phone), ("mailbox", EmailFactor, begin_mailbox))
    },
    **{
        f"{name} without guesses": Pending(model, begin, {"confirm": confirm_message, "resend": resend}, USED_UP)
        for name, model, begin in (("phone", PhoneFactor, begin_phone), ("mailbox", EmailFactor, begin_mailbox))
    },
}

CASES = [(name, action, end) for name, row in PENDING.items() for action in row.actions for end in row.ends]


def state() -> Any:
    """Return the state that an action could change."""
    factors = [sorted(model.objects.values_list("pk", "confirmed", "last_used_at")) for model in (
        TotpFactor, PhoneFactor, EmailFactor, WebauthnFactor
    )]  # fmt: skip
    sent = sorted(SentCode.objects.values_list("pk", "sent", "spent_at"))
    return [*factors, sent, OutboxMessage.objects.count(), PendingLogin.objects.count()]


@pytest.mark.parametrize(("name", "action", "end"), CASES)
def test_an_ended_row_refuses_every_action_and_sends_nothing(name: str, action: str, end: str, alice: User) -> None:
    pending = PENDING[name]
    begun = pending.begin(alice)
    pending.ends[end]()
    delivered()
    before = state()

    with pytest.raises(AuthError) as refused:
        pending.actions[action](begun)

    assert refused.value.code in REFUSALS
    assert state() == before
    assert (delivered_texts(), delivered()) == ([], [])


@pytest.mark.parametrize(
    ("name", "action"), [(name, action) for name, row in PENDING.items() for action in row.actions]
)
def test_the_same_action_is_accepted_while_the_row_waits(name: str, action: str, alice: User) -> None:
    """Without this, a typo in the table would look like a refusal."""
    begun = PENDING[name].begin(alice)

    PENDING[name].actions[action](begun)


def test_every_model_that_waits_is_in_the_table() -> None:
    models = set(apps.get_app_config("auth_mfa").get_models())
    waiting = {model for model in models if ENDS & {field.name for field in model._meta.get_fields()}}
    begun = {model for model in models if issubclass(model, Factor)} - NEVER_BEGUN

    assert waiting | begun == {row.model for row in PENDING.values()}
