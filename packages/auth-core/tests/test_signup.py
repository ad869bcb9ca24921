"""Sign-up. The user exists only after the address is verified."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth import get_user_model
from django.core import mail
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from auth_core.events import AuthEvent, Event
from auth_core.models import EmailAddress, OutboxMessage, PendingSignup
from auth_core.passwords import policy
from auth_core.testing.browsers import code_of, log_in, new_browser, post, sign_up
from auth_core.testing.factories import PASSWORD
from auth_core.testing.mails import code_in, delivered, link_in, the_mail, token_in

pytestmark = pytest.mark.django_db

NEW = "bob@example.org"
OTHER_PASSWORD = "another battery horse staple"


def test_from_sign_up_by_link_to_login(browser: Browser, events: list[Event]) -> None:
    requested = sign_up(browser, "Bob@Example.org")
    assert (requested.status_code, requested.json()) == (202, {"status": "confirmation_sent"})
    assert not get_user_model().objects.exists()
    assert log_in(browser, identifier=NEW).status_code == 401

    message = the_mail()
    verified = post(browser, "email/verify", token=token_in(message))

    assert (verified.status_code, verified.json()) == (200, {"status": "verified"})
    assert message.to == ["Bob@example.org"]
    assert link_in(message).startswith("https://auth.example.org/signup/confirm/els_")
    assert "_auth_user_id" not in browser.session
    assert log_in(browser, identifier=NEW).json()["user"]["email"] == "Bob@example.org"
    assert EmailAddress.objects.get().verified_at is not None
    names = [event.name for event in events]
    assert names.index(AuthEvent.SIGNUP_REQUESTED) < names.index(AuthEvent.ACCOUNT_CREATED)
    assert names.index(AuthEvent.ACCOUNT_CREATED) < names.index(AuthEvent.EMAIL_VERIFIED)


def test_a_code_confirms_like_the_link(browser: Browser) -> None:
    sign_up(browser, NEW)

    verified = post(browser, "email/verify", email=NEW, code=code_in(the_mail()))

    assert verified.json() == {"status": "verified"}
    assert log_in(browser, identifier=NEW).status_code == 200


def test_a_mail_has_a_text_and_an_html_part(browser: Browser) -> None:
    browser.defaults["HTTP_USER_AGENT"] = "Firefox/150"
    sign_up(browser, NEW)

    message = the_mail()

    assert message.subject == "Confirm your email address for auth.example.org"
    assert "127.0.0.1" in message.body
    assert "Device: Firefox" in message.body
    assert f"{timezone.now():%Y}" in message.body
    html, kind = message.alternatives[0]
    assert kind == "text/html"
    assert f'href="{link_in(message)}"' in html
    assert message.extra_headers["Auto-Submitted"] == "auto-generated"
    assert message.extra_headers["Message-ID"].endswith("@auth.example.org>")


def test_a_sign_up_stores_no_plain_text(browser: Browser) -> None:
    sign_up(browser, NEW)

    row = OutboxMessage.objects.get()
    waiting = PendingSignup.objects.get()
    message = the_mail()
    stored = [str(value) for kept in (row, waiting) for value in vars(kept).values()]
    for secret in (token_in(message), PASSWORD):
        assert not any(secret in value for value in stored)
    # Six digits may appear by chance in a ciphertext, a key or a time.
    assert code_in(message) not in (*map(str, row.values.values()), waiting.code_digest)
    assert not any(NEW in str(value) for value in vars(row).values())
    row.refresh_from_db()
    assert row.secret == ""


@pytest.mark.asvs("6.3.8")
def test_known_and_unknown_addresses_cost_the_same_and_get_the_same_answer(
    alice: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    hashed: list[str] = []
    monkeypatch.setattr("auth_core.flows.signup.make_password", lambda password: hashed.append(password) or "!")

    def ask(email: str) -> tuple[Any, int]:
        with CaptureQueriesContext(connection) as queries:
            answer = sign_up(new_browser(), email)
        return answer, len(queries)

    ask("somebody@example.org")
    unknown, for_unknown = ask(NEW)
    existing, for_known = ask("alice@example.org")

    assert (existing.status_code, existing.content) == (unknown.status_code, unknown.content)
    assert set(existing.headers) == set(unknown.headers)
    assert for_known == for_unknown
    assert len(hashed) == 3
    to_known = next(message for message in delivered() if message.to == ["alice@example.org"])
    assert "already" in to_known.subject
    assert "els_" not in to_known.body


def test_a_sign_up_does_not_change_an_existing_account(alice: Any, browser: Browser) -> None:
    sign_up(browser, "ALICE@example.org", password=OTHER_PASSWORD)
    signup = PendingSignup.objects.get()
    signup.renew()
    signup.save()

    confirmed = post(browser, "email/verify", token=signup.token)

    assert code_of(confirmed) == "link_invalid"
    assert log_in(browser, password=OTHER_PASSWORD).status_code == 401
    assert log_in(browser).status_code == 200


@pytest.mark.asvs("6.4.1")
@pytest.mark.parametrize("spoil", ["used", "late", "short", "foreign", "unknown"])
def test_an_invalid_link_is_refused(spoil: str, browser: Browser, alice: Any) -> None:
    sign_up(browser, NEW)
    token = token_in(the_mail())
    later = timedelta(0)
    if spoil == "used":
        assert post(browser, "email/verify", token=token).status_code == 200
    elif spoil == "late":
        later = timedelta(hours=24, seconds=1)
    elif spoil == "short":
        token = token[:-1]
    elif spoil == "foreign":
        post(browser, "password/forgot", email="alice@example.org")
        token = token_in(the_mail())
    else:
        token = "els_" + "x" * 43
    before = get_user_model().objects.count()

    with time_machine.travel(timezone.now() + later, tick=False):
        refused = post(browser, "email/verify", token=token)

    assert (refused.status_code, code_of(refused)) == (400, "link_invalid")
    assert get_user_model().objects.count() == before


def test_another_browser_needs_the_chosen_password(browser: Browser) -> None:
    sign_up(browser, NEW)
    token = token_in(the_mail())
    elsewhere = new_browser()

    silent = post(elsewhere, "email/verify", token=token)
    wrong = post(elsewhere, "email/verify", token=token, password=OTHER_PASSWORD)
    assert not get_user_model().objects.exists()
    right = post(elsewhere, "email/verify", token=token, password=PASSWORD)

    assert (silent.status_code, code_of(silent)) == (403, "password_required")
    assert (wrong.status_code, code_of(wrong)) == (401, "invalid_credentials")
    assert right.status_code == 200


def test_guesses_at_the_sign_up_password_are_limited(browser: Browser) -> None:
    sign_up(browser, NEW)
    token = token_in(the_mail())

    codes = [code_of(post(new_browser(), "email/verify", token=token, password=f"wrong {n}")) for n in range(11)]

    assert codes == ["invalid_credentials"] * 10 + ["too_many_attempts"]


@pytest.mark.asvs("6.5.4")
def test_a_code_is_for_one_browser_and_five_guesses(browser: Browser) -> None:
    sign_up(browser, NEW)
    code = code_in(the_mail())
    wrong = "000000" if code != "000000" else "000001"

    assert code_of(post(new_browser(), "email/verify", email=NEW, code=code)) == "challenge_failed"
    answers = [post(browser, "email/verify", email=NEW, code=wrong).json() for _guess in range(5)]
    assert [answer["attempts_left"] for answer in answers] == [4, 3, 2, 1, 0]
    assert code_of(post(browser, "email/verify", email=NEW, code=code)) == "challenge_failed"
    assert not get_user_model().objects.exists()


def test_a_repeated_mail_replaces_the_previous_one_and_renews_no_guess(browser: Browser) -> None:
    sign_up(browser, NEW)
    first = the_mail()
    wrong = "000000" if code_in(first) != "000000" else "000001"
    post(browser, "email/verify", email=NEW, code=wrong)

    again = post(browser, "email/resend", email=NEW)
    second = the_mail()

    assert (again.status_code, again.json()) == (202, {"status": "confirmation_sent"})
    assert code_of(post(browser, "email/verify", token=token_in(first))) == "link_invalid"
    assert PendingSignup.objects.get().attempts_left == 4
    assert post(browser, "email/verify", token=token_in(second)).status_code == 200


@pytest.mark.asvs("6.3.8")
def test_resending_does_not_reveal_accounts(alice: Any, browser: Browser) -> None:
    unproven = get_user_model().objects.create_user("carol@example.org", PASSWORD)
    sign_up(browser, NEW)
    delivered()
    answers, costs, mailed = set(), [], []
    for email in (NEW, "alice@example.org", unproven.email, "nobody@example.org"):
        with CaptureQueriesContext(connection) as queries:
            answer = post(browser, "email/resend", email=email)
        answers.add((answer.status_code, answer.content))
        costs.append(len(queries))
        mailed.append([message.to[0] for message in delivered()])

    assert len(answers) == 1
    assert max(costs) - min(costs) <= 1, costs
    assert mailed == [[NEW], [], ["carol@example.org"], []]


def test_an_account_can_verify_its_address_later(browser: Browser) -> None:
    carol = get_user_model().objects.create_user("carol@example.org", PASSWORD)
    post(browser, "email/resend", email="carol@example.org")
    token = token_in(the_mail())

    assert post(browser, "email/verify", token=token).status_code == 200
    assert code_of(post(browser, "email/verify", token=token)) == "link_invalid"
    assert EmailAddress.objects.get(user=carol).verified_at is not None


def test_the_first_confirmed_of_several_sign_ups_wins() -> None:
    first, second = new_browser(), new_browser()
    sign_up(first, NEW)
    token_of_first = token_in(the_mail())
    sign_up(second, NEW, password=OTHER_PASSWORD)
    token_of_second = token_in(the_mail())

    assert post(second, "email/verify", token=token_of_second).status_code == 200
    assert code_of(post(first, "email/verify", token=token_of_first)) == "link_invalid"
    assert log_in(first, identifier=NEW).status_code == 401
    assert log_in(second, identifier=NEW, password=OTHER_PASSWORD).status_code == 200


@pytest.mark.parametrize(
    ("setting", "for_known", "for_unknown"),
    [
        ({"SIGNUP": "open"}, 202, 202),
        ({"SIGNUP": "domain", "SIGNUP_DOMAINS": ["example.org"]}, 202, 202),
        ({"SIGNUP": "domain", "SIGNUP_DOMAINS": ["example.com"]}, 403, 403),
        ({"SIGNUP": "invitation"}, 403, 403),
        ({"SIGNUP": "closed"}, 403, 403),
    ],
)
def test_a_setting_decides_who_may_sign_up(
    setting: dict[str, Any], for_known: int, for_unknown: int, alice: Any, settings: Any
) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, **setting}

    answers = [sign_up(new_browser(), email) for email in ("alice@example.org", NEW)]

    assert [answer.status_code for answer in answers] == [for_known, for_unknown]
    without_ids = [{k: v for k, v in answer.json().items() if k != "request_id"} for answer in answers]
    assert without_ids[0] == without_ids[1]


@pytest.mark.parametrize(
    ("email", "password"),
    [
        ("a@" + "b." * 100_000 + "org", PASSWORD),
        ("bob\uff20example.org", PASSWORD),
        ("bob\u202e@example.org", PASSWORD),
        ("b" * 309 + "@example.org", PASSWORD),
        ("no address", PASSWORD),
        (NEW, "p" * 1_000_000),
        (NEW, "\0" * 20),
        (NEW, "short"),
        (NEW, "bob@example.org!!"),
        (NEW, "yfdbufnjh10305070"),
    ],
    ids=["labels", "full-width", "override", "long", "none", "megabyte", "nul", "short", "context", "common"],
)
def test_bad_input_costs_no_query_and_no_hash(
    email: str, password: str, browser: Browser, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("auth_core.flows.signup.make_password", lambda _password: pytest.fail("it was hashed"))

    with django_assert_num_queries(0):
        refused = sign_up(browser, email, password=password)

    assert refused.status_code in (400, 413)
    assert refused.headers["Content-Type"] == "application/problem+json"


def test_an_address_with_a_dotless_i_is_not_the_ascii_one(alice: Any, browser: Browser) -> None:
    sign_up(browser, "al\u0131ce@example.org")

    # It depends on the version of Django whether a mail is sent at all.
    assert ["alice@example.org"] not in [message.to for message in delivered()]
    assert PendingSignup.objects.get().key == "al\u0131ce@example.org"


@pytest.mark.parametrize(
    "body",
    [{}, {"token": "els_x", "email": NEW}, {"email": NEW}, {"code": "123456"}, {"token": 5}, {"token": "x" * 101}],
)
def test_a_verification_is_a_token_or_an_address_with_a_code(body: dict[str, Any], browser: Browser) -> None:
    refused = post(browser, "email/verify", **body)

    assert (refused.status_code, code_of(refused)) == (400, "invalid_request")


def test_mails_have_a_budget_by_address_and_by_network(settings: Any) -> None:
    answers = [sign_up(new_browser(), NEW) for _time in range(6)]
    assert [answer.status_code for answer in answers] == [202] * 5 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 3000

    others = [sign_up(new_browser(), f"p{number}@example.org").status_code for number in range(46)]
    assert others == [202] * 45 + [429]
    assert len(delivered()) == 50


def test_a_forged_host_is_in_no_mail(browser: Browser, settings: Any) -> None:
    settings.ALLOWED_HOSTS = ["*"]
    browser.post(
        "/api/v1/signup/",
        {"email": NEW, "password": PASSWORD},
        content_type="application/json",
        headers={"Host": "evil.example", "X-Forwarded-Host": "evil.example"},
    )

    message = the_mail()
    assert "evil" not in message.body
    assert "evil" not in str(message.alternatives)


def test_a_sign_up_needs_the_csrf_token() -> None:
    refused = sign_up(Browser(enforce_csrf_checks=True), NEW)

    assert code_of(refused) == "csrf_failed"
    assert not PendingSignup.objects.exists()
    assert mail.outbox == []


def test_a_sign_up_password_is_normalised_before_hashing(browser: Browser) -> None:
    composed, decomposed = "caf\u00e9 au lait le matin", "cafe\u0301 au lait le matin"
    assert policy.normalise(decomposed) == composed
    sign_up(browser, NEW, password=decomposed)
    post(browser, "email/verify", token=token_in(the_mail()))

    assert log_in(browser, identifier=NEW, password=composed).status_code == 200
