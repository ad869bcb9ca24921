"""Signing keys rotate under load, and a client that caches the key set as long as it may verifies every token."""

import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle
from typing import Any

import pytest
from joserfc import jws, jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from attacks.stage import Caller
from oauth_clients.callers import Nodes, caller

pytestmark = [pytest.mark.postgresql, pytest.mark.live]

#: Requests in a second, and in all at least and at most.
RATE, ENOUGH, TOO_MANY = 200, 2400, 8000
THREADS = 8
#: How many keys have to sign.
KEYS = 4


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
        with ThreadPoolExecutor(THREADS) as pool:
            return Counter(pool.map(self._fetch_and_verify, self._numbers()))

    def _numbers(self) -> Iterator[int]:
        began = time.monotonic()
        for number in range(TOO_MANY):
            if number >= ENOUGH and len(self.client.kids) >= KEYS:
                break
            time.sleep(max(0, began + number / RATE - time.monotonic()))
            yield number

    def _fetch_and_verify(self, number: int) -> int:
        if not hasattr(self._own, "callers"):
            self._own.callers = [caller(place) for place in self._places]
        at = self._own.callers[number % len(self._places)]
        answer = self._application.post(at, "/oauth/token", grant_type="client_credentials")
        if answer.status_code == 200:
            self.client.verify(answer.json()["access_token"])
        return answer.status_code


def rotate_until(is_over: threading.Event, nodes: Nodes) -> None:
    """Rotate again and again. A rotation does nothing until the key before it signs."""
    while not is_over.is_set():
        nodes.first.manage("rotate_keys", "--signing")


def test_no_token_fails_while_keys_rotate_at_200_requests_a_second(nodes: Nodes, capsys: Any) -> None:
    load, is_over = Load(nodes), threading.Event()
    with ThreadPoolExecutor(1) as pool:
        rotations = pool.submit(rotate_until, is_over, nodes)
        try:
            statuses = load.run()
        finally:
            is_over.set()
        rotations.result()

    client = load.client
    with capsys.disabled():
        print(f"\n{dict(statuses)}, {client.loads} loads of the key set, tokens by key: {dict(client.kids)}")
    assert set(statuses) == {200}
    assert client.failures == []
    assert len(client.kids) >= KEYS
