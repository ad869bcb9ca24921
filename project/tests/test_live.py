"""The running service: production settings, PostgreSQL, Redis, TLS, two workers."""

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from auth_core.testing.parallel import at_once
from auth_core.testing.redis import OwnRedis
from live.service import ROOT, Service

pytestmark = [pytest.mark.postgresql, pytest.mark.django_db]

PASSWORD = "correct horse battery staple"
WRONG = {"identifier": "alice@example.org", "password": "not the password at all", "transport": "token"}


@pytest.fixture
def service(tmp_path: Path, own_redis: OwnRedis) -> Iterator[Service]:
    with Service(tmp_path, own_redis.url) as running:
        running.manage("create_user", "--email", "alice@example.org", "--verified", stdin=f"{PASSWORD}\n")
        yield running


def test_the_journey_over_https(service: Service) -> None:
    granted = service.post("login/", {**WRONG, "password": PASSWORD})
    header = {"Authorization": f"Session {granted.json()['credential']}"}
    me = service.get("api/v1/me/", headers=header)
    left = service.post("logout/", {}, headers=header)
    after = service.get("api/v1/me/", headers=header)

    assert [answer.status_code for answer in (granted, me, left, after)] == [200, 200, 204, 401]
    assert me.json()["email"] == "alice@example.org"
    assert [name for (name,) in service.query("SELECT name FROM auth_audit_auditentry ORDER BY id")] == [
        "auth.account.created",
        "auth.login.started",
        "session.session.opened",
        "session.device.added",
        "auth.login.succeeded",
        "session.session.ended",
        "auth.logout.completed",
    ]
    assert service.get("ready/").json()["status"] == "ok"
    assert PASSWORD not in service.log
    assert granted.json()["credential"] not in service.log


def test_services_that_run_at_the_same_time_have_folders_of_their_own_for_static_files(service: Service) -> None:
    shared = ROOT / "project" / "staticfiles" / "staticfiles.json"
    before = shared.stat().st_mtime_ns if shared.exists() else None

    service.manage("collectstatic", "--no-input", "--verbosity", "0")

    assert (service.folder / "static" / "staticfiles.json").exists()
    assert before == (shared.stat().st_mtime_ns if shared.exists() else None)


def guess_in_parallel(
    service: Service, count: int, half_way: Callable[[], None], identifier: str = WRONG["identifier"]
) -> Counter[str]:
    """Send wrong passwords behind one barrier. Call *half_way* when a quarter of them is answered."""
    barrier = threading.Barrier(count)
    answered = threading.Semaphore(0)

    def guess(_number: int) -> str:
        barrier.wait(timeout=60)
        answer = service.post("login/", {**WRONG, "identifier": identifier})
        answered.release()
        return str(answer.json()["code"])

    def watch() -> None:
        for _answer in range(count // 4):
            answered.acquire(timeout=60)
        half_way()

    watcher = threading.Thread(target=watch)
    watcher.start()
    with ThreadPoolExecutor(count) as pool:
        codes = Counter(pool.map(guess, range(count)))
    watcher.join()
    return codes


def nothing(redis: OwnRedis) -> None:
    """Do nothing to Redis."""


def restart(redis: OwnRedis) -> None:
    """Kill Redis and restart it empty."""
    redis.kill()
    time.sleep(0.2)
    redis.start()


HALF_WAY: dict[str, Callable[[OwnRedis], None]] = {
    "with Redis": nothing,
    "Redis flushed half-way": OwnRedis.flush,
    "Redis killed half-way": OwnRedis.kill,
    "Redis killed and restarted half-way": restart,
}


BEFORE = "Redis stopped before"
CASES = [*HALF_WAY, BEFORE]


@pytest.mark.asvs("6.3.1")
@pytest.mark.parametrize("atomic_requests", ["0", "1"])
def test_of_40_parallel_wrong_passwords_10_are_evaluated_in_every_state_of_redis(
    atomic_requests: str, tmp_path: Path, own_redis: OwnRedis, capsys: Any
) -> None:
    """All ten cases in a short form: one service, and one user for each state of Redis."""
    with Service(tmp_path, own_redis.url, {"LIVE_ATOMIC_REQUESTS": atomic_requests}) as service:
        service.manage("shell", "-c", MAKE_PEOPLE.format(count=len(CASES), password=PASSWORD))
        for number, case in enumerate(CASES):
            before = service.evaluated
            if case == BEFORE:
                own_redis.kill()

            half_way = partial(HALF_WAY.get(case, nothing), own_redis)
            codes = guess_in_parallel(service, 40, half_way, f"person{number}@example.org")

            with capsys.disabled():
                print(f"\n{case}, ATOMIC_REQUESTS={atomic_requests}: {dict(codes)}")
            assert (case, service.evaluated - before) == (case, 10)
            assert codes == {"invalid_credentials": 10, "too_many_attempts": 30}, case
            if case == "Redis killed half-way":
                own_redis.start()


MAKE_PEOPLE = """
from auth_core.flows.account_creation import create_account
for number in range({count}):
    create_account(email=f"person{{number}}@example.org", password={password!r}, verified=True)
"""


@pytest.mark.races
@pytest.mark.parametrize("atomic_requests", ["0", "1"])
@pytest.mark.parametrize("case", CASES)
def test_of_200_parallel_wrong_passwords_exactly_10_are_evaluated(
    case: str, atomic_requests: str, tmp_path: Path, own_redis: OwnRedis, capsys: Any
) -> None:
    with Service(tmp_path, own_redis.url, {"LIVE_ATOMIC_REQUESTS": atomic_requests}) as service:
        service.manage("create_user", "--email", "alice@example.org", "--verified", stdin=f"{PASSWORD}\n")
        if case == BEFORE:
            own_redis.kill()
        do = HALF_WAY.get(case, nothing)

        codes = guess_in_parallel(service, 200, lambda: do(own_redis))

        evaluated = service.evaluated
        with capsys.disabled():
            print(f"\n{case}, ATOMIC_REQUESTS={atomic_requests}: evaluated {evaluated}, answers {dict(codes)}")
        assert evaluated == 10
        assert codes == {"invalid_credentials": 10, "too_many_attempts": 190}
        assert service.query("SELECT count(*) FROM auth_audit_auditentry WHERE name = 'auth.login.failed'") == [(10,)]


def test_a_flood_of_logins_gets_503_and_its_guesses_back_and_keeps_no_one_else_waiting(
    tmp_path: Path, own_redis: OwnRedis
) -> None:
    """One login waits in each of two workers. Of the others no guess is charged, known or not."""
    narrow = {"WEB_LOGIN_THREADS": "1", "WEB_LOGIN_QUEUE": "1", "LIVE_HASHES": "1"}
    with Service(tmp_path, own_redis.url, narrow) as service:
        service.manage("create_user", "--email", "alice@example.org", "--verified", stdin=f"{PASSWORD}\n")
        granted = service.post("login/", {**WRONG, "password": PASSWORD}).json()["credential"]
        service.execute("DELETE FROM auth_core_guessbudget")
        bodies = [{**WRONG, "identifier": f"{'alice' if number % 2 else number}@example.org"} for number in range(60)]

        answers = at_once([partial(service.post, "login/", body) for body in bodies])
        me = service.get("api/v1/me/", headers={"Authorization": f"Session {granted}"})

        refused = [answer for answer in answers if answer.status_code == 503]
        checked = [answer for answer in answers if answer.status_code != 503]
        assert me.status_code == 200
        assert refused
        assert {answer.status_code for answer in checked} <= {401, 429}
        assert {answer.headers["Retry-After"] for answer in refused} == {"1"}
        assert len({answer.content for answer in refused}) == 1
        of_the_network = "SELECT coalesce(max(used), 0) FROM auth_core_guessbudget"
        assert service.query(of_the_network) == [(sum(answer.status_code == 401 for answer in checked),)]
