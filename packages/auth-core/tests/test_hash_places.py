"""The limit of parallel password hashes. A refusal costs no guess and reveals no account."""

import asyncio
import os
import sys
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
from auth_core.passwords import hash_slots, hash_threads, hashing
from auth_core.passwords.hash_slots import hash_slot
from auth_core.people.locking import disable_account
from auth_core.testing.browsers import answer, code_of, log_in, new_browser, post, sign_up, with_csrf
from auth_core.testing.factories import PASSWORD
from auth_core.testing.hashes import hashing_elsewhere
from auth_core.testing.mails import the_mail, token_in

ALICE = "alice@example.org"
NEW = "another battery horse staple"
LONG = timedelta(seconds=20)

#: How long a test waits for another thread before it fails, in seconds.
PATIENCE = 20


@pytest.fixture(autouse=True)
def one_slot(settings: Any) -> None:
    """One hash slot with a very short wait."""
    set_slots(settings, 1)


def set_slots(settings: Any, most: int | None, wait: timedelta = timedelta(milliseconds=1)) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "MAX_PARALLEL_HASHES": most, "HASH_WAIT": wait}


class Counted:
    """A slow argon2 that counts its runs and the parallel ones."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.calls = self.running = self.most = 0

    def __call__(self, hasher: Any, *arguments: Any) -> str:
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
def test_parallel_hashes_are_limited_and_others_wait(places: int, hashes: Counted, settings: Any) -> None:
    set_slots(settings, places, LONG)

    assert len(hash_six_at_once()) == 6

    assert (hashes.calls, hashes.most) == (6, places)


def test_without_slots_more_hashes_would_run_at_once(hashes: Counted, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("auth_core.hashers.hash_slot", nullcontext)

    hash_six_at_once()

    assert hashes.most > 1, "the planted defect must be caught"


def test_without_the_setting_there_is_no_limit(settings: Any) -> None:
    with hashing_elsewhere():
        set_slots(settings, None)

        assert make_password(PASSWORD)


def hold_slots(number: int) -> "tuple[ThreadPoolExecutor, threading.Event]":
    """Occupy *number* slots, each in a thread of the returned pool, until the event is set."""
    occupied, release = threading.Barrier(number + 1), threading.Event()

    def hold() -> None:
        with hash_slot():
            occupied.wait(PATIENCE)
            release.wait(PATIENCE)

    pool = ThreadPoolExecutor(number)
    for _slot in range(number):
        pool.submit(hold)
    occupied.wait(PATIENCE)
    return pool, release


def wait_for_queue(length: int) -> None:
    until = time.monotonic() + PATIENCE
    while hash_slots.metrics()["waiting"] != length and time.monotonic() < until:
        time.sleep(0.001)
    assert hash_slots.metrics()["waiting"] == length


@pytest.mark.parametrize(("callers", "queue", "refused"), [(30, 30, 0), (40, 30, 10), (5, 0, 5)])
def test_callers_beyond_the_queue_are_refused_and_no_others(
    callers: int, queue: int, refused: int, settings: Any
) -> None:
    settings.AUTH_CORE = {
        **settings.AUTH_CORE, "MAX_PARALLEL_HASHES": 2, "HASH_QUEUE": queue, "HASH_WAIT": LONG
    }  # fmt: skip
    holders, release = hold_slots(2)

    def call(_number: int) -> bool:
        try:
            with hash_slot():
                return True
        except Unavailable:
            return False

    with holders, ThreadPoolExecutor(callers) as pool:
        answers = [pool.submit(call, number) for number in range(callers)]
        wait_for_queue(callers - refused)
        while sum(answer.done() for answer in answers) < refused:
            time.sleep(0.001)
        release.set()

    assert [answer.result() for answer in answers].count(False) == refused
    assert hash_slots.metrics()["in_use"] == hash_slots.metrics()["waiting"] == 0


def test_the_queue_is_first_in_first_out(settings: Any) -> None:
    set_slots(settings, 1, LONG)
    order: list[int] = []
    holders, release = hold_slots(1)

    def call(number: int) -> None:
        with hash_slot():
            order.append(number)

    with holders, ThreadPoolExecutor(5) as pool:
        for number in range(5):
            pool.submit(call, number)
            wait_for_queue(number + 1)
        release.set()

    assert order == [0, 1, 2, 3, 4]


def test_a_thread_of_a_bounded_lane_waits_though_the_queue_is_full(settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "MAX_PARALLEL_HASHES": 1, "HASH_QUEUE": 0, "HASH_WAIT": LONG}
    holders, release = hold_slots(1)
    with holders, ThreadPoolExecutor(1, initializer=hash_slots.dedicate_thread) as lane:
        waiting = lane.submit(make_password, PASSWORD)
        wait_for_queue(1)
        with pytest.raises(Unavailable):
            make_password(PASSWORD)
        release.set()

        assert waiting.result(PATIENCE)


@pytest.mark.parametrize("call", [make_password, lambda text: check_password(text, make_password_before)])
def test_a_hash_beyond_the_limit_is_refused(call: Callable[[str], Any], hashes: Counted) -> None:
    with hashing_elsewhere(), pytest.raises(Unavailable):
        call(PASSWORD)

    assert hashes.calls == 0


#: A well-formed hash that is never computed.
make_password_before = "argon2$argon2id$v=19$m=64,t=1,p=1$c2FsdHNhbHQ$aGFzaGhhc2hoYXNo"


def test_a_waiting_caller_continues_when_a_slot_is_free(settings: Any) -> None:
    set_slots(settings, 1, LONG)
    with hashing_elsewhere() as leave, ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(make_password, PASSWORD)
        time.sleep(0.05)
        was_done = waiting.done()

        leave()

        assert waiting.result(PATIENCE)
        assert not was_done


def test_a_caller_is_refused_after_the_maximum_wait(settings: Any) -> None:
    set_slots(settings, 1, timedelta(milliseconds=50))
    began = time.monotonic()

    with hashing_elsewhere(), pytest.raises(Unavailable):
        make_password(PASSWORD)

    assert time.monotonic() - began >= 0.05


def seconds_until_refusal() -> float:
    began = time.monotonic()
    with pytest.raises(Unavailable):
        make_password(PASSWORD)
    return time.monotonic() - began


@pytest.mark.django_db
def test_no_caller_waits_inside_a_transaction(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_slots(settings, 1, timedelta(seconds=3))
    with hashing_elsewhere(), transaction.atomic():
        assert seconds_until_refusal() < 2.5

        monkeypatch.setattr(hash_slots, "_must_not_wait", lambda: False)
        assert seconds_until_refusal() >= 3, "the planted defect must be caught"


def test_no_caller_waits_in_an_event_loop(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    set_slots(settings, 1, timedelta(seconds=3))

    async def hash_here() -> float:
        return seconds_until_refusal()

    with hashing_elsewhere():
        assert asyncio.run(hash_here()) < 2.5

        monkeypatch.setattr(hash_slots, "_is_in_event_loop", lambda: False)
        assert asyncio.run(hash_here()) >= 3, "the planted defect must be caught"


def test_a_nested_hash_needs_no_second_slot() -> None:
    with hash_slot(), hash_slot():
        assert make_password(PASSWORD)

    with hashing_elsewhere():  # and has released it
        pass


def test_an_exception_releases_the_slot() -> None:
    with pytest.raises(ZeroDivisionError), hash_slot():
        _ = 1 / 0

    with hashing_elsewhere(), pytest.raises(Unavailable), hash_slot():
        pytest.fail("there was no place")
    with hashing_elsewhere():
        pass


@pytest.mark.django_db
def test_a_refused_login_is_503_with_retry_after(alice: Any, browser: Browser, hashes: Counted) -> None:
    with hashing_elsewhere():
        refused = log_in(browser)

    assert (refused.status_code, code_of(refused)) == (503, "unavailable")
    assert refused.headers["Content-Type"] == "application/problem+json"
    assert refused.headers["Retry-After"] == "1"
    assert hashes.calls == 0


def flood_then_guess(browser: Browser) -> list[int]:
    """Cause more refusals than there are guesses, then return the statuses of eleven wrong guesses."""
    with hashing_elsewhere():
        for _guess in range(12):
            log_in(browser, password="not the password at all")
    return [log_in(browser, password="not the password at all").status_code for _guess in range(11)]


@pytest.mark.django_db
def test_a_refused_login_costs_no_guess_and_records_no_event(alice: Any, browser: Browser, events: list[Event]) -> None:
    with hashing_elsewhere():
        assert log_in(browser).status_code == 503
    assert events == []

    assert flood_then_guess(browser) == [401] * 10 + [429]


@pytest.mark.django_db
def test_without_a_refund_a_flood_would_use_up_the_guesses_of_others(
    alice: Any, browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits.Charge, "cancel", lambda self: None)

    assert flood_then_guess(browser) == [429] * 11, "the planted defect must be caught"


@pytest.mark.django_db
def test_a_compared_guess_is_never_refunded(alice: Any, browser: Browser, settings: Any) -> None:
    """A refund would make every guess free if a second backend gets no slot after the first one compared the password."""
    settings.AUTHENTICATION_BACKENDS = [
        "auth_core.backends.IdentifierBackend",
        "django.contrib.auth.backends.ModelBackend",
    ]

    statuses = [log_in(browser, password="not the password at all").status_code for _guess in range(11)]

    assert statuses == [401] * 10 + [429]


def response_to(browser: Browser, identifier: str, password: str) -> tuple[Any, ...]:
    """Return the parts of a refusal that a caller sees, and the number of statements."""
    with CaptureQueriesContext(connection) as queries:
        refused = log_in(browser, identifier=identifier, password=password)
    body = {name: value for name, value in refused.json().items() if name != "request_id"}
    headers = {name: value for name, value in refused.headers.items() if name != "X-Request-ID"}
    return refused.status_code, body, headers, len(queries)


@pytest.fixture
def logins(alice: Any) -> list[tuple[str, str]]:
    """Correct, wrong, disabled and unknown logins."""
    bob = create_account(email="bob@example.org", password=PASSWORD, verified=True)
    disable_account(user=bob, actor=alice)
    return [(ALICE, PASSWORD), (ALICE, "wrong all the time"), ("bob@example.org", PASSWORD), ("eve@example.org", "any")]


@pytest.mark.django_db
@pytest.mark.parametrize("wait", [0, 1])
def test_the_503_does_not_reveal_accounts(
    wait: int, logins: list[tuple[str, str]], browser: Browser, settings: Any
) -> None:
    set_slots(settings, 1, timedelta(milliseconds=wait))
    with hashing_elsewhere():
        first, *others = [response_to(browser, *login) for login in logins]

    assert first[0] == 503
    assert others == [first] * 3


@pytest.mark.django_db
def test_without_waiting_a_refused_login_costs_no_statement(alice: Any, browser: Browser, settings: Any) -> None:
    with hashing_elsewhere():
        paid = response_to(browser, ALICE, PASSWORD)
        set_slots(settings, 1, timedelta(0))
        *_answer, statements = response_to(browser, ALICE, PASSWORD)

    assert (paid[0], statements) == (503, 0)
    assert paid[-1] > 0, "if callers wait, the guess is charged and refunded"
    assert log_in(browser).status_code == 200


@pytest.mark.parametrize(("most", "wait"), [(None, timedelta(0)), (2, timedelta(0)), (1, LONG)])
def test_the_early_check_refuses_no_caller_who_may_wait(most: int | None, wait: timedelta, settings: Any) -> None:
    with hashing_elsewhere():
        set_slots(settings, most, wait)

        hash_slots.refuse_when_full()


@pytest.mark.django_db
def test_slots_only_for_known_users_would_reveal_accounts(
    logins: list[tuple[str, str]], browser: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hashing, "hash_slot_for", lambda guess: nullcontext())
    monkeypatch.setattr(hashing, "verify", lambda user, text: user is not None and user.check_password(text))

    with hashing_elsewhere():
        statuses = {response_to(browser, *login)[0] for login in logins}

    assert statuses == {503, 401}, "the planted defect must be caught"


@pytest.mark.django_db
def test_the_page_keeps_the_input_and_sends_retry_after(alice: Any) -> None:
    browser = Browser(headers={"accept": "text/html"})
    with hashing_elsewhere():
        refused = browser.post("/login/", {"identifier": ALICE, "password": PASSWORD})

    page = refused.content.decode()
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
    assert "Not available right now" in page
    assert f'value="{ALICE}"' in page
    assert PASSWORD not in page
    assert browser.post("/login/", {"identifier": ALICE, "password": PASSWORD}).status_code == 303


def test_a_foreign_view_gets_the_unavailable_page() -> None:
    request = RequestFactory().get("/anything/", headers={"accept": "text/html"})
    with hashing_elsewhere():
        try:
            make_password(PASSWORD)
        except Unavailable:
            response = errors.server_error(request)

    assert (response.status_code, response.headers["Retry-After"]) == (503, "1")


@pytest.mark.django_db
def test_a_reset_link_stays_valid(alice: Any, browser: Browser) -> None:
    post(browser, "password/forgot", email=ALICE)
    body = {"token": token_in(the_mail()), "password": NEW}

    with hashing_elsewhere():
        assert code_of(post(browser, "password/reset", **body)) == "unavailable"

    assert post(browser, "password/reset", **body).status_code == 200
    assert log_in(browser, password=NEW).status_code == 200


@pytest.mark.django_db
def test_an_invitation_stays_valid(browser: Browser) -> None:
    invitation = Invitation.objects.open(address="bob@example.org", key="bob@example.org", invited_by=None)
    body = {"token": invitation.token, "password": PASSWORD}

    with hashing_elsewhere():
        assert code_of(post(browser, "invitations/accept", **body)) == "unavailable"
    assert not get_user_model().objects.exists()

    assert post(browser, "invitations/accept", **body).status_code in (200, 201)


@pytest.mark.django_db
def test_the_bootstrap_link_stays_valid_in_the_browser_too() -> None:
    browser = Browser()
    browser.get(new_bootstrap_link().removeprefix("https://auth.example.org"))
    form = {"email": ALICE, "password": PASSWORD}

    with hashing_elsewhere():
        assert browser.post("/setup/", form).status_code == 503
    assert not get_user_model().objects.exists()

    assert browser.post("/setup/", form).status_code == 303
    assert get_user_model().objects.get().is_superuser


@pytest.mark.django_db
def test_a_refused_sign_up_stores_no_row_and_costs_no_mail(browser: Browser) -> None:
    body = {"email": "bob@example.org", "password": PASSWORD}
    with hashing_elsewhere():
        assert code_of(post(browser, "signup", **body)) == "unavailable"

    assert not PendingSignup.objects.exists()
    assert not OutboxMessage.objects.exists()
    assert limits.spent("mail", identifier="bob@example.org") == 0
    assert post(browser, "signup", **body).status_code == 202


@pytest.mark.django_db
def test_a_sign_up_can_still_be_confirmed_in_another_browser(browser: Browser) -> None:
    sign_up(browser, "bob@example.org")
    elsewhere, body = new_browser(), {"token": token_in(the_mail()), "password": PASSWORD}

    with hashing_elsewhere():
        assert code_of(post(elsewhere, "email/verify", **body)) == "unavailable"
    assert limits.spent("confirm", identifier="bob@example.org") == 0

    assert post(elsewhere, "email/verify", **body).status_code == 200


@pytest.mark.django_db
def test_a_refused_password_change_can_be_repeated(alice: Any, browser: Browser) -> None:
    log_in(browser)
    body = {"current_password": PASSWORD, "new_password": NEW}
    with_csrf(browser)

    with hashing_elsewhere():
        statuses = [post(browser, "password/change", **body).status_code for _try in range(11)]

    assert statuses == [503] * 11
    assert post(browser, "password/change", **body).status_code == 204


@pytest.mark.django_db
def test_an_unchecked_answer_costs_neither_attempt_nor_guess(alice: Any, browser: Browser) -> None:
    log_in(browser)
    challenged = post(with_csrf(browser), "reauthenticate", required_assurance="aal1", max_age=0)
    before = PendingLogin.objects.values_list("attempts_left").latest("pk")

    with hashing_elsewhere():
        statuses = [answer(browser, challenged, password="wrong").status_code for _try in range(11)]

    assert statuses == [503] * 11
    assert PendingLogin.objects.values_list("attempts_left").latest("pk") == before
    assert answer(browser, challenged, password=PASSWORD).status_code == 200


@pytest.mark.django_db
def test_an_asynchronous_login_takes_a_slot_and_finds_the_same_user(logins: list[tuple[str, str]]) -> None:
    log_in_so = async_to_sync(aauthenticate)

    with hashing_elsewhere():
        for identifier, password in logins:
            with pytest.raises(Unavailable):
                log_in_so(username=identifier, password=password)

    assert log_in_so(username=ALICE.upper(), password=PASSWORD).email == ALICE
    assert log_in_so(username=ALICE, password="wrong all the time") is None


@pytest.mark.parametrize(
    ("most", "wait", "is_refused"),
    [(None, LONG, False), (1, timedelta(0), False), (0, LONG, True), (-1, LONG, True), (3, -LONG, True)],
)
def test_an_impossible_number_of_slots_is_a_check_error(
    most: int | None, wait: timedelta, is_refused: bool, settings: Any
) -> None:
    set_slots(settings, most, wait)

    assert [error.id for error in check_hashes()] == ["auth_core.E013"] * is_refused


def run_in(settings: Any, **changed: Any) -> tuple[str, int]:
    """Return the name and the niceness of the thread that hashes."""
    settings.AUTH_CORE = {**settings.AUTH_CORE, **changed}
    return hash_threads.run(lambda: (threading.current_thread().name, own_niceness()))


def own_niceness() -> int:
    """Return the niceness of this thread. On systems where threads have none, it is that of the process."""
    return os.getpriority(os.PRIO_PROCESS, 0)


def test_a_hash_has_a_lower_priority_if_the_site_wants_it(settings: Any) -> None:
    """Where threads have priorities, that is. Elsewhere the request hashes."""
    own, here = own_niceness(), threading.current_thread().name

    name, niceness = run_in(settings, HASH_NICENESS=19)

    expected = ("hash", 19) if hash_threads.HAS_PRIORITIES else (here[:4], own)
    assert (name[:4], niceness) == expected
    assert own_niceness() == own


def test_where_threads_have_no_priorities_the_request_hashes(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hash_threads, "HAS_PRIORITIES", False)

    assert run_in(settings, HASH_NICENESS=19)[0] == threading.current_thread().name


def test_threads_have_priorities_on_linux() -> None:
    assert (sys.platform == "linux") == hash_threads.HAS_PRIORITIES


@pytest.mark.parametrize("changed", [{"HASH_NICENESS": 0}, {"HASH_NICENESS": 10, "MAX_PARALLEL_HASHES": None}])
def test_without_it_the_request_hashes(changed: dict[str, Any], settings: Any) -> None:
    assert run_in(settings, **changed)[0] == threading.current_thread().name


def test_a_hash_of_low_priority_gives_the_same_result_and_the_same_errors(settings: Any) -> None:
    encoded = make_password(PASSWORD)
    settings.AUTH_CORE = {**settings.AUTH_CORE, "HASH_NICENESS": 10}

    assert check_password(PASSWORD, encoded)
    assert check_password(PASSWORD, make_password(PASSWORD))
    assert not check_password("another one", encoded)
    with pytest.raises(ZeroDivisionError):
        hash_threads.run(lambda: 1 // 0)
