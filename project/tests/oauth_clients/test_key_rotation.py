"""Signing keys rotate under load, and a client that caches the key set as long as it may verifies every token."""

import re
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import count, cycle
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from attacks.stage import Caller
from oauth_clients.callers import Nodes, caller

pytestmark = [pytest.mark.postgresql, pytest.mark.live]

#: Requests in a second, and in all at least and at most.
RATE, ENOUGH, TOO_MANY = 200, 2400, 12_000
THREADS = 8
#: How many keys sign one after the other.
KEYS = 4

#: Rotates in one process, because each command takes seconds to start. A rotation does nothing until the key before it signs.
ROTATE = """
import time
from django.core.management import call_command
from auth_core.oauth.models import SigningKey
while SigningKey.objects.filter(algorithm="ES256").count() < {keys}:
    call_command("rotate_keys", "--signing")
    time.sleep(0.5)
"""


class CachingClient:
    """Verifies tokens with a key set that it keeps for as long as ``Cache-Control`` allows, and never loads before.

    Args:
        callers: The processes that it gets the key set from, in turn.
    """

    def __init__(self, callers: list[Caller]) -> None:
        self._callers = cycle(callers)
        self._lock = threading.Lock()
        self._fresh_until = 0.0
        self.loads = 0
        self.kids: Counter[str] = Counter()
        self.failures: list[str] = []

    def verify(self, token: str) -> None:
        """Verify a token, and note what is wrong with it."""
        try:
            jwt.decode(token, self._keys(), algorithms=["ES256"])
        except (JoseError, ValueError) as problem:
            self.failures.append(f"{type(problem).__name__}: {problem}")
        with self._lock:
            self.kids[jws.extract_compact(token.encode()).headers()["kid"]] += 1

    def _keys(self) -> KeySet:
        with self._lock:
            if time.monotonic() >= self._fresh_until:
                asked_at = time.monotonic()
                answer = next(self._callers).get("/.well-known/jwks.json")
                (seconds,) = re.findall(r"max-age=(\d+)", answer.headers["Cache-Control"])
                self._set = KeySet.import_key_set(answer.json())
                self._fresh_until = asked_at + int(seconds)
                self.loads += 1
            return self._set


class Load:
    """Requests for tokens at the rate, to each process in turn, until enough keys have signed."""

    def __init__(self, nodes: Nodes) -> None:
        self._application, self._own = nodes.applications.pop(), threading.local()
        self._places = [nodes.early, nodes.late]
        self.client = CachingClient([caller(place) for place in self._places])

    def run(self) -> Counter[int]:
        """Send the requests, and return how many answers have each status."""
        numbers, began = count(), time.monotonic()

        def send(_thread: int) -> Counter[int]:
            statuses = Counter[int]()
            for number in numbers:
                if number >= TOO_MANY or (number >= ENOUGH and len(self.client.kids) >= KEYS):
                    break
                time.sleep(max(0, began + number / RATE - time.monotonic()))
                statuses[self._fetch_and_verify(number)] += 1
            return statuses

        with ThreadPoolExecutor(THREADS) as pool:
            return sum(pool.map(send, range(THREADS)), Counter())

    def _fetch_and_verify(self, number: int) -> int:
        if not hasattr(self._own, "callers"):
            self._own.callers = [caller(place) for place in self._places]
        at = self._own.callers[number % len(self._places)]
        answer = self._application.post(at, "/oauth/token", grant_type="client_credentials")
        if answer.status_code == 200:
            self.client.verify(answer.json()["access_token"])
        return answer.status_code


def test_no_token_fails_while_keys_rotate_at_200_requests_a_second(nodes: Nodes, capsys: Any) -> None:
    load = Load(nodes)
    with ThreadPoolExecutor(1) as pool:
        rotations = pool.submit(nodes.change, ROTATE.format(keys=KEYS))
        statuses = load.run()
        rotations.result()

    client = load.client
    with capsys.disabled():
        print(f"\n{dict(statuses)}, {client.loads} loads of the key set, tokens by key: {dict(client.kids)}")
    assert set(statuses) == {200}
    assert client.failures == []
    assert len(client.kids) >= KEYS
