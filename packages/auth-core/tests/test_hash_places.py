"""Places for password hashes: so many at once, one more is refused, and a refusal costs and tells nothing."""

import asyncio
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import async_to_sync
from django.contrib.auth import aauthenticate, get_user_model
from django.contrib.auth.hashers import Argon2PasswordHasher, check_password, make_password
from django.db import connection, transaction
from django.test import Client as Browser
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from auth_core import limits
from auth_core.checks import check_hashes
from auth_core.errors import Unavailable
from auth_core.events import Event
from auth_core.flows.account_creation import create_account
from auth_core.flows.first_administrator import new_bootstrap_link
from auth_core.models import Invitation, OutboxMessage, PendingLogin, PendingSignup
from auth_core.pages import errors
from auth_core.passwords import hash_slots, hashing
from auth_core.passwords.hash_slots import hash_slot
from auth_core.people.locking import disable_account
from auth_core.testing.browsers import with_csrf
from auth_core.testing.hashes import hashing_elsewhere
from auth_core.testing.mails import the_mail, token_in
from conftest import PASSWORD, answer, code_of, log_in, new_browser, post

ALICE = "alice@example.org"
NEW = "another battery horse staple"
LONG = timedelta(seconds=20)

#: How long a test waits for another thread before it fails, in seconds.
PATIENCE = 20


@pytest.fixture(autouse=True)
def one_place(settings: Any) -> None:
    """One place, for which nobody waits long enough to notice."""
    set_places(settings, 1)


def set_places(settings: Any, most: int | None, wait: timedelta = timedelta(milliseconds=1)) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "MAX_PARALLEL_HASHES": most, "HASH_WAIT": wait}


class Counted:
    """argon2 that takes its time, and knows how often and how many at once it ran."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls = self.running = self.most = 0

    def __call__(self, hasher: Any, *given: Any) -> str:
        with self._lock:
            self.calls += 1
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.05)
        with self._lock:
            self.running -= 1
        return "argon2$of nobody"


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch) -> Counted:
    counted = Counted()
    monkeypatch.setattr(Argon2PasswordHasher, "encode", counted)
    monkeypatch.setattr(Argon2PasswordHasher, "verify", counted)
    return counted


def hash_six_at_once() -> list[str]:
    begun = threading.Barrier(6)

    def hash_one(number: int) -> str:
        begun.wait(PATIENCE)
        return make_password(f"{PASSWORD} {number}")

    with ThreadPoolExecutor(6) as pool:
        return list(pool.map(hash_one, range(6)))


@pytest.mark.parametrize("places", [1, 2])
def test_so_many_hash_at_once_and_the_others_wait_for_their_turn(places: int, hashes: Counted, settings: Any) -> None:
    set_places(settings, places, LONG)

    assert len(hash_six_at_once()) == 6

    assert (hashes.calls, hashes.most) == (6, places)


def test_without_places_more_would_hash_at_once(hashes: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth_core.hashers.hash_slot", nullcontext)

    hash_six_at_once()

    assert hashes.most > 1, "the planted defect must be seen"


def test_a_site_that_says_nothing_has_no_limit(settings: Any) -> None:
    with hashing_elsewhere():
        set_places(settings, None)

        assert make_password(PASSWORD)


@pytest.mark.parametrize("call", [make_password, lambda text: check_password(text, make_password_before)])
def test_one_more_is_refused_and_not_hashed(call: Callable[[str], Any], hashes: Counted) -> None:
    with hashing_elsewhere(), pytest.raises(Unavailable):
        call(PASSWORD)

    assert hashes.calls == 0


#: A hash as Django would look at it; nobody computes it.
make_password_before = "argon2$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"


def test_who_waits_goes_on_when_a_place_is_left(settings: Any) -> None:
    set_places(settings, 1, LONG)
    with hashing_elsewhere() as leave, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(make_password, PASSWORD)
        time.sleep(0.05)
        was_done = waiting.done()

        leave()

        assert waiting.result(PATIENCE)
        assert not was_done


def test_who_has_waited_long_enough_is_refused(settings: Any) -> None:
    set_places(settings, 1, timedelta(milliseconds=50))
    began = time.monotonic()

    with hashing_elsewhere(), pytest.raises(Unavailable):
        make_password(PASSWORD)

    assert time.monotonic() - began >= 0.05


def took_to_be_refused() -> float:
    began = time.monotonic()
    with pytest.raises(Unavailable):
        make_password(PASSWORD)
    return time.monotonic() - began


@pytest.mark.django_db
def test_nobody_waits_inside_a_transaction(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_places(settings, 1, timedelta(seconds=2))
    with hashing_elsewhere(), transaction.atomic():
        assert took_to_be_refused() < 1

        monkeypatch.setattr(hash_slots, "_must_not_wait", lambda: False)
        assert took_to_be_refused() >= 2, "the planted defect must be seen"


def test_nobody_waits_in_an_event_loop(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_places(settings, 1, timedelta(seconds=2))

    async def hash_here() -> float:
        return took_to_be_refused()

    with hashing_elsewhere():
        assert asyncio.run(hash_here()) < 1

        monkeypatch.setattr(hash_slots, "_is_in_event_loop", lambda: False)
        assert asyncio.run(hash_here()) >= 2, "the planted defect must be seen"


def test_whoever_has_a_place_needs_no_other() -> None:
    with hash_slot(), hash_slot():
        assert make_password(PASSWORD)

    with hashing_elsewhere():  # and has left it
        pass


def test_what_goes_wrong_leaves_the_place() -> None:
    with pytest.raises(ZeroDivisionError), hash_slot():
        _ = 1 / 0

    with hashing_elsewhere(), pytest.raises(Unavailable), hash_slot():
        pytest.fail("there was no place")
    with hashing_elsewhere():
        pass


@pytest.mark.django_db
def test_a_refused_login_is_503_and_says_when_to_come_again(alice: Any, browser: Browser, hashes: Counted) -> None:
    with hashing_elsewhere():
        refused = log_in(browser)

    assert (refused.status_code, code_of(refused)) == (503, "unavailable")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "1"
    assert hashes.calls == 0


def flood_then_guess(browser: Browser) -> list[int]:
    """Be refused more often than there are guesses; return what eleven wrong guesses get afterwards."""
    with hashing_elsewhere():
        for _guess in range(12):
            log_in(browser, password="not the password at all")
    return [log_in(browser, password="not the password at all").status_code for _guess in range(11)]


@pytest.mark.django_db
def test_a_refused_login_costs_no_guess_and_leaves_no_trace(alice: Any, browser: Browser, events: list[Event]) -> None:
    with hashing_elsewhere():
        assert log_in(browser).status_code == 503
    assert events == []

    assert flood_then_guess(browser) == [401] * 10 + [429]


@pytest.mark.django_db
def test_without_a_refund_a_flood_would_spend_the_guesses_of_others(
    alice: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits.Charge, "cancel", lambda self: None)

    assert flood_then_guess(browser) == [429] * 11, "the planted defect must be seen"


@pytest.mark.django_db
def test_a_guess_that_was_compared_is_never_given_back(alice: Any, browser: Browser, settings: Any) -> None:
    """A second backend that found no place after the first one has looked would make every guess a free one."""
    settings.AUTHENTICATION_BACKENDS = [
        "auth_core.backends.IdentifierBackend",
        "django.contrib.auth.backends.ModelBackend",
    ]

    statuses = [log_in(browser, password="not the password at all").status_code for _guess in range(11)]

    assert statuses == [401] * 10 + [429]


def seen_by(browser: Browser, identifier: str, password: str) -> tuple[Any, ...]:
    """Return all that a caller sees of a refusal, and how many statements it cost."""
    with CaptureQueriesContext(connection) as asked:
        refused = log_in(browser, identifier=identifier, password=password)
    body = {name: value for name, value in refused.json().items() if name != "request_id"}
    headers = {name: value for name, value in refused.headers.items() if name != "X-Request-ID"}
    return refused.status_code, body, headers, len(asked)


@pytest.fixture
def everybody(alice: Any) -> list[tuple[str, str]]:
    """Right, wrong, disabled and unknown."""
    bob = create_account(email="bob@example.org", password=PASSWORD, verified=True)
    disable_account(user=bob, actor=alice)
    return [(ALICE, PASSWORD), (ALICE, "wrong all the time"), ("bob@example.org", PASSWORD), ("eve@example.org", "any")]


@pytest.mark.django_db
@pytest.mark.parametrize("wait", [0, 1])
def test_nobody_learns_from_503_who_has_an_account(
    wait: int, everybody: list[tuple[str, str]], browser: Browser, settings: Any
) -> None:
    set_places(settings, 1, timedelta(milliseconds=wait))
    with hashing_elsewhere():
        first, *others = [seen_by(browser, *known) for known in everybody]

    assert first[0] == 503
    assert others == [first] * 3


@pytest.mark.django_db
def test_where_nobody_waits_a_refused_login_costs_no_statement(alice: Any, browser: Browser, settings: Any) -> None:
    with hashing_elsewhere():
        paid = seen_by(browser, ALICE, PASSWORD)
        set_places(settings, 1, timedelta(0))
        *_answer, asked = seen_by(browser, ALICE, PASSWORD)

    assert (paid[0], asked) == (503, 0)
    assert paid[-1] > 0, "where somebody waits the guess is paid for, and given back"
    assert log_in(browser).status_code == 200


@pytest.mark.parametrize(("most", "wait"), [(None, timedelta(0)), (2, timedelta(0)), (1, LONG)])
def test_a_look_refuses_nobody_who_may_find_a_place(most: int | None, wait: timedelta, settings: Any) -> None:
    with hashing_elsewhere():
        set_places(settings, most, wait)

        hash_slots.refuse_when_full()


@pytest.mark.django_db
def test_a_place_for_known_people_alone_would_tell(
    everybody: list[tuple[str, str]], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "hash_slot_for", lambda guess: nullcontext())
    monkeypatch.setattr(hashing, "verify", lambda user, text: user is not None and user.check_password(text))

    with hashing_elsewhere():
        told = {seen_by(browser, *known)[0] for known in everybody}

    assert told == {503, 401}, "the planted defect must be seen"


@pytest.mark.django_db
def test_the_page_keeps_what_was_typed_and_says_when_to_come_again(alice: Any) -> None:
    browser = Browser(headers={"accept": "text/html"})
    with hashing_elsewhere():
        refused = browser.post("/login/", {"identifier": ALICE, "password": PASSWORD})

    page = refused.content.decode()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "Not available right now" in page
    assert f'value="{ALICE}"' in page
    assert PASSWORD not in page
    assert browser.post("/login/", {"identifier": ALICE, "password": PASSWORD}).status_code == 303


def test_a_view_that_is_not_ours_gets_the_page_of_its_own() -> None:
    request = RequestFactory().get("/anything/", headers={"accept": "text/html"})
    with hashing_elsewhere():
        try:
            make_password(PASSWORD)
        except Unavailable:
            told = errors.server_error(request)

    assert (told.status_code, told.headers["Retry-After"]) == (503, "1")


@pytest.mark.django_db
def test_a_reset_link_stays_good(alice: Any, browser: Browser) -> None:
    post(browser, "password/forgot", email=ALICE)
    body = {"token": token_in(the_mail()), "password": NEW}

    with hashing_elsewhere():
        assert code_of(post(browser, "password/reset", **body)) == "unavailable"

    assert post(browser, "password/reset", **body).status_code == 200
    assert log_in(browser, password=NEW).status_code == 200


@pytest.mark.django_db
def test_an_invitation_stays_good(browser: Browser) -> None:
    invitation = Invitation.objects.open(address="bob@example.org", key="bob@example.org", invited_by=None)
    body = {"token": invitation.token, "password": PASSWORD}

    with hashing_elsewhere():
        assert code_of(post(browser, "invitations/accept", **body)) == "unavailable"
    assert not get_user_model().objects.exists()

    assert post(browser, "invitations/accept", **body).status_code in (200, 201)


@pytest.mark.django_db
def test_the_link_of_the_first_administrator_stays_good_in_the_browser_too() -> None:
    browser = Browser()
    browser.get(new_bootstrap_link().removeprefix("https://auth.example.org"))
    form = {"email": ALICE, "password": PASSWORD}

    with hashing_elsewhere():
        assert browser.post("/setup/", form).status_code == 503
    assert not get_user_model().objects.exists()

    assert browser.post("/setup/", form).status_code == 200
    assert get_user_model().objects.get().is_superuser


@pytest.mark.django_db
def test_a_sign_up_that_is_refused_keeps_no_row_and_costs_no_mail(browser: Browser) -> None:
    body = {"email": "bob@example.org", "password": PASSWORD}
    with hashing_elsewhere():
        assert code_of(post(browser, "signup", **body)) == "unavailable"

    assert not PendingSignup.objects.exists()
    assert not OutboxMessage.objects.exists()
    assert limits.spent("mail", identifier="bob@example.org") == 0
    assert post(browser, "signup", **body).status_code == 202


@pytest.mark.django_db
def test_a_sign_up_stays_to_be_confirmed_in_another_browser(browser: Browser) -> None:
    post(browser, "signup", email="bob@example.org", password=PASSWORD)
    elsewhere, body = new_browser(), {"token": token_in(the_mail()), "password": PASSWORD}

    with hashing_elsewhere():
        assert code_of(post(elsewhere, "email/verify", **body)) == "unavailable"
    assert limits.spent("confirm", identifier="bob@example.org") == 0

    assert post(elsewhere, "email/verify", **body).status_code == 200


@pytest.mark.django_db
def test_a_password_is_not_changed_and_can_be_a_moment_later(alice: Any, browser: Browser) -> None:
    log_in(browser)
    body = {"current_password": PASSWORD, "new_password": NEW}
    with_csrf(browser)

    with hashing_elsewhere():
        statuses = [post(browser, "password/change", **body).status_code for _try in range(11)]

    assert statuses == [503] * 11
    assert post(browser, "password/change", **body).status_code == 204


@pytest.mark.django_db
def test_an_answer_nobody_looked_at_costs_neither_attempt_nor_guess(alice: Any, browser: Browser) -> None:
    log_in(browser)
    asked = post(with_csrf(browser), "reauthenticate", required_assurance="aal1", max_age=0)
    before = PendingLogin.objects.values_list("attempts_left").latest("pk")

    with hashing_elsewhere():
        statuses = [answer(browser, asked, password="wrong").status_code for _try in range(11)]

    assert statuses == [503] * 11
    assert PendingLogin.objects.values_list("attempts_left").latest("pk") == before
    assert answer(browser, asked, password=PASSWORD).status_code == 200


@pytest.mark.django_db
def test_an_asynchronous_login_takes_a_place_and_finds_whom_the_other_finds(everybody: list[tuple[str, str]]) -> None:
    log_in_so = async_to_sync(aauthenticate)

    with hashing_elsewhere():
        for identifier, password in everybody:
            with pytest.raises(Unavailable):
                log_in_so(username=identifier, password=password)

    assert log_in_so(username=ALICE.upper(), password=PASSWORD).email == ALICE
    assert log_in_so(username=ALICE, password="wrong all the time") is None


@pytest.mark.parametrize(
    ("most", "wait", "is_refused"),
    [(None, LONG, False), (1, timedelta(0), False), (0, LONG, True), (-1, LONG, True), (3, -LONG, True)],
)
def test_a_number_with_which_nobody_could_sign_in_does_not_start(
    most: int | None, wait: timedelta, is_refused: bool, settings: Any
) -> None:
    set_places(settings, most, wait)

    assert [error.id for error in check_hashes()] == ["auth_core.E013"] * is_refused
