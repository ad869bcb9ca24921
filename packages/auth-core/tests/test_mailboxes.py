"""Mail goes to the verified mailbox in the spelling of its key."""

import re
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import transaction
from django.test import Client as Browser

from auth_core.checks import check_public_url
from auth_core.events import AuthEvent, Event, record
from auth_core.flows.account_creation import create_account
from auth_core.flows.first_administrator import create_first_administrator, new_bootstrap_link
from auth_core.messages.notify import notify
from auth_core.models import EmailAddress, Invitation, OutboxMessage, PendingSignup
from auth_core.people.addresses import InvalidAddress, parse
from auth_core.request.client import Client
from auth_core.testing.browsers import logged_in, new_browser, post, sign_up
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import bytes_of, delivered, link_in, sent_to, the_mail, token_in

pytestmark = pytest.mark.django_db

#: A domain that IDNA 2003 maps to fass.example, and IDNA 2008 does not.
TYPED = "victim@fa\u00df.example"
MAILBOX = "victim@xn--fa-hia.example"


def received_by(message: Any) -> list[str]:
    """Return the recipients of the envelope, and check that the header has the same."""
    (header,) = re.findall(rb"^To: (.*?)\r?$", bytes_of(message), re.MULTILINE)
    recipients = sent_to(message)
    assert header.decode() in recipients
    return recipients


def make(email: str, **columns: Any) -> Any:
    user = create_account(email=email, password=PASSWORD, verified=True)
    EmailAddress.objects.filter(user=user).update(**columns)
    return user


@pytest.fixture
def host(alice: Any) -> Browser:
    """The browser of a user who may invite."""
    alice.user_permissions.set(Permission.objects.filter(content_type__model="invitation"))
    return logged_in()


def forget(browser: Browser, typed: str) -> None:
    post(browser, "password/forgot", email=typed)


def resend(browser: Browser, typed: str) -> None:
    post(browser, "email/resend", email=typed)


def invite(browser: Browser, typed: str) -> None:
    post(browser, "invitations", email=typed)


@pytest.mark.parametrize("typed", [TYPED, MAILBOX, "VICTIM@XN--FA-HIA.EXAMPLE", "Victim@FA\u00df.example"])
@pytest.mark.parametrize("ask", [forget, sign_up, invite])
def test_mail_to_a_person_goes_to_their_stored_mailbox(ask: Any, typed: str, host: Browser) -> None:
    make(MAILBOX)

    ask(host, typed)

    assert received_by(the_mail()) == [MAILBOX]


@pytest.mark.parametrize("ask", [sign_up, invite])
def test_mail_to_an_unknown_address_goes_to_the_mailbox_of_the_key(ask: Any, host: Browser) -> None:
    ask(host, TYPED)

    assert received_by(the_mail()) == [MAILBOX]


def test_a_sign_up_is_stored_and_mailed_under_one_spelling(browser: Browser) -> None:
    sign_up(browser, "Ceo@FA\u00df.example")
    delivered()

    resend(browser, "ceo@xn--fa-hia.example")

    message = the_mail()
    assert received_by(message) == ["Ceo@xn--fa-hia.example"]
    assert PendingSignup.objects.get().address == "Ceo@xn--fa-hia.example"
    post(browser, "email/verify", token=token_in(message))
    assert EmailAddress.objects.get().address == "Ceo@xn--fa-hia.example"


def test_the_repeated_mail_goes_to_the_address_of_the_account(browser: Browser) -> None:
    make("Victim@xn--fa-hia.example", verified_at=None)

    resend(browser, TYPED)

    assert received_by(the_mail()) == ["Victim@xn--fa-hia.example"]


def test_an_invitation_is_stored_under_the_mailed_spelling(host: Browser) -> None:
    invite(host, TYPED)
    message = the_mail()

    post(new_browser(), "invitations/accept", token=token_in(message), password=PASSWORD)

    assert Invitation.objects.get().address == MAILBOX
    assert EmailAddress.objects.get(key=MAILBOX).address == MAILBOX


def test_the_first_administrator_has_the_mailbox_of_their_key() -> None:
    token = new_bootstrap_link().rstrip("/").rpartition("/")[2]

    create_first_administrator(token=token, email=TYPED, password=PASSWORD, client=Client())

    assert EmailAddress.objects.get().address == MAILBOX


def test_a_notice_goes_to_the_mailbox_of_the_key(db: None) -> None:
    user = make(TYPED)

    record(Event(name=AuthEvent.PASSWORD_CHANGED, subject=user))

    assert received_by(the_mail()) == [MAILBOX]


@pytest.mark.parametrize("ask", [forget, lambda browser, typed: record(_changed())])
def test_an_address_that_was_stored_as_typed_is_mailed_as_its_key_says(ask: Any, browser: Browser) -> None:
    make(MAILBOX, address=TYPED)

    ask(browser, MAILBOX)

    assert received_by(the_mail()) == [MAILBOX]


def test_a_sign_up_and_an_invitation_stored_as_typed_are_mailed_as_their_keys_say(browser: Browser) -> None:
    sign_up(browser, TYPED)
    PendingSignup.objects.update(address=TYPED)
    delivered()

    resend(browser, TYPED)

    assert received_by(the_mail()) == [MAILBOX]


@pytest.mark.parametrize("stored", ["stra\u00dfe@example.org", "\uff41lice@example.org", "=?utf-8?q?bob?=@example.org"])
def test_a_stored_address_that_a_backend_would_change_gets_no_mail(stored: str, browser: Browser) -> None:
    make("strasse@example.org", address=stored)

    forget(browser, "strasse@example.org")

    assert delivered() == []
    assert OutboxMessage.objects.get(template="password_forgot").outcome == "dead"


def test_a_site_may_mail_a_local_host_name(db: None) -> None:
    with transaction.atomic():
        notify(template="email_verify", address="root@localhost", client=Client())

    assert received_by(the_mail()) == ["root@localhost"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("stra\u00dfe", "strasse"),
        ("\u212aate", "kate"),
        ("\uff41lice", "alice"),
        ("\u017fam", "sam"),
        ("\ufb01n", "fin"),
        ("alice\u00b2", "alice2"),
        ("\u03c3\u03cc\u03c2", "\u03c3\u03cc\u03c3"),
        ("J\u00dcRGEN", "j\u00fcrgen"),
        ("JU\u0308RGEN", "j\u00fcrgen"),
        ("=?utf-8?q?alice?=", "alice"),
        ("alice%evil.example", "alice"),
        ("evil.example!alice", "alice"),
    ],
)
def test_an_ambiguous_local_part_is_refused(one: str, other: str) -> None:
    with pytest.raises(InvalidAddress):
        parse(f"{one}@example.org")

    assert parse(f"{other}@example.org").key == f"{other}@example.org"


@pytest.mark.parametrize("dot", [".", "\u3002", "\uff0e", "\uff61"])
def test_a_trailing_dot_makes_no_second_account(dot: str, browser: Browser) -> None:
    refused = post(browser, "signup", email=f"alice@example.org{dot}", password=PASSWORD)

    assert refused.status_code == 400
    assert not PendingSignup.objects.exists()


def test_a_refused_letter_is_named_beside_the_field(browser: Browser) -> None:
    refused = post(browser, "signup", email="stra\u00dfe@example.org", password=PASSWORD)

    (error,) = refused.json()["errors"]
    assert (refused.status_code, error["field"], error["code"]) == (400, "email", "ambiguous_letter")


def test_every_accepted_domain_is_ascii() -> None:
    assert parse("alice@b\u00fccher.example").mailbox == "alice@xn--bcher-kva.example"
    assert parse("Alice@B\u00dcCHER.Example").mailbox == "Alice@xn--bcher-kva.example"


@pytest.mark.parametrize(("host", "is_refused"), [("fa\u00df.example", True), ("xn--fa-hia.example", False)])
def test_the_host_of_links_must_be_ascii(host: str, is_refused: bool, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "PUBLIC_URL": f"https://{host}"}

    assert [error.id for error in check_public_url()] == ["auth_core.E018"] * is_refused


def test_the_link_still_works_when_the_owner_follows_it(browser: Browser) -> None:
    make(MAILBOX)
    forget(browser, TYPED)

    message = the_mail()
    done = post(browser, "password/reset", token=token_in(message), password="another battery horse staple")

    assert link_in(message).startswith("https://auth.example.org/")
    assert done.status_code == 200


def _changed() -> Event:
    return Event(name=AuthEvent.PASSWORD_CHANGED, subject=EmailAddress.objects.get().user)
