"""Every query of a hot path uses an index."""

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth import get_user_model
from django.utils import timezone

from auth_core.contracts import Purpose, Transport
from auth_core.errors import LinkInvalid
from auth_core.limits import charge
from auth_core.messages.security_notices import addresses_of
from auth_core.models import (
    EmailAddress,
    GuessBudget,
    Invitation,
    OutboxMessage,
    PendingLogin,
    PendingSignup,
    ResetLink,
)
from auth_core.models.guess_budget import ChargedRow
from auth_core.models.one_time_link import delete_expired_links
from auth_core.models.pending_login import Caller
from auth_core.people import lookup
from auth_core.request.client import Client
from auth_core.testing.plans import unindexed

pytestmark = [pytest.mark.django_db, pytest.mark.postgresql]


def answer_login() -> None:
    login = PendingLogin.objects.open(user=None, backend="", purpose=Purpose.LOGIN, transport=Transport.TOKEN)
    pending = PendingLogin.objects.find(login.token, Caller(purposes=frozenset({Purpose.LOGIN})))
    pending.spend_attempt()
    pending.close()


def spend(kind: Any) -> None:
    with suppress(LinkInvalid):
        kind.objects.find("x")
    kind(pk=uuid4()).spend()


HOT: dict[str, Callable[[], Any]] = {
    "find by identifier": lambda: lookup.find_by_identifier("alice@example.org"),
    "find by subject id": lambda: lookup.find_by_subject_id(uuid4()),
    "answer a login": answer_login,
    "end the logins of a person": lambda: PendingLogin.objects.end_all_of(get_user_model()(pk=uuid4())),
    "charge a guess": lambda: charge("login", identifier="alice@example.org", client=Client(network="192.0.2.1")),
    "refund a guess": lambda: GuessBudget.objects.refund([ChargedRow("x", uuid4()), ChargedRow("y", uuid4())]),
    "relay the outbox": lambda: list(OutboxMessage.objects.due(timezone.now()).order_by("due_at")[:100]),
    "claim a message": lambda: OutboxMessage.objects.all().claim(
        uuid4(), now=timezone.now(), until=timezone.now() + timedelta(minutes=1)
    ),
    "confirm a sign-up": lambda: spend(PendingSignup),
    "reset a password": lambda: spend(ResetLink),
    "accept an invitation": lambda: spend(Invitation),
    "a sign-up of a browser": lambda: PendingSignup.objects.newest(key="a@example.org", browser_secret="elb_x"),
    "invite again": lambda: Invitation.objects.filter(key="a@example.org").spend(),
    "kill links": lambda: ResetLink.objects.filter(user_id=uuid4()).spend(),
    "the addresses of a person": lambda: addresses_of(get_user_model()(pk=uuid4())),
    "sweep links": delete_expired_links,
    "sweep budgets": lambda: list(GuessBudget.objects.filter(ends_at__lte=timezone.now())[:1000]),
    "sweep logins": lambda: list(PendingLogin.objects.filter(expires_at__lt=timezone.now())[:1000]),
}


@pytest.mark.parametrize("ask", HOT.values(), ids=HOT.keys())
def test_an_index_serves_every_query(ask: Callable[[], Any]) -> None:
    assert unindexed(ask) == []


def test_a_query_without_an_index_is_caught() -> None:
    assert unindexed(lambda: list(EmailAddress.objects.filter(address="alice@example.org"))) != []
