"""The load: a closed loop that saturates a server, and an open loop at a fixed rate."""

import re
import select
import shutil
import socket
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.figures import due_times, open_latencies, percentile

#: Connections of the open loop. A request waits for a free one, and its waiting counts.
OPEN_CONNECTIONS = 64

#: How long the open loop waits for the last responses, in seconds.
_GRACE = 30.0

_SCRIPT = """
local requests = {}
for each in io.open("%s", "rb"):read("*a"):gmatch("[^%%z]+") do requests[#requests + 1] = each end
local number = 0
request = function()
    number = number %% #requests + 1
    return requests[number]
end
done = function(summary, latency, requests)
    local errors = summary.errors
    io.write(string.format("FIGURES %%d %%d %%d %%d %%d %%d\\n", summary.requests, summary.duration,
        errors.status + errors.connect + errors.read + errors.write + errors.timeout,
        latency:percentile(50), latency:percentile(95), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class LoadResult:
    """What the callers saw: responses, those that were no success, and response times in milliseconds."""

    requests: int
    errors: int
    seconds: float
    p50: float
    p95: float
    p99: float

    @property
    def rate(self) -> float:
        """Successful responses per second."""
        return (self.requests - self.errors) / self.seconds


def require_wrk() -> None:
    """Refuse to run without wrk.

    Raises:
        SystemExit: it is not installed.
    """
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not installed (apt-get install wrk).")


def closed_loop(port: int, requests: Sequence[bytes], *, callers: int, seconds: float) -> LoadResult:
    """Let *callers* send one request after the other, as fast as they are answered."""
    with tempfile.NamedTemporaryFile() as sent, tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        sent.write(b"\0".join(requests))
        script.write(_SCRIPT % sent.name)
        sent.flush()
        script.flush()
        command = ["wrk", "-t1", f"-c{callers}", f"-d{max(1, round(seconds))}s", "--timeout", "30s", "-s", script.name]
        output = subprocess.run(
            [*command, f"http://127.0.0.1:{port}/"], capture_output=True, text=True, check=True
        ).stdout
    found = re.search(r"FIGURES (\d+) (\d+) (\d+) (\d+) (\d+) (\d+)", output)
    if found is None:
        raise RuntimeError(output)
    count, duration, errors, p50, p95, p99 = map(int, found.groups())
    return LoadResult(count, errors, duration / 1e6, p50 / 1e3, p95 / 1e3, p99 / 1e3)


def open_loop(port: int, requests: Sequence[bytes], *, rate: float, seconds: float) -> LoadResult:
    """Send requests when they are due, even if the server is slow, and count each response time from then."""
    return _OpenLoop(port, requests, due_times(rate, seconds)).run()


@dataclass(slots=True)
class _Connection:
    """A connection and the request that is on it."""

    socket: socket.socket
    number: int = -1
    received: bytearray = field(default_factory=bytearray)


class _OpenLoop:
    """Sends from one thread with epoll. It costs about 0.07 ms of processor time per request."""

    def __init__(self, port: int, requests: Sequence[bytes], due: Sequence[float]) -> None:
        self._port, self._requests, self._due = port, requests, due
        self._poll = select.epoll()
        self._by_file: dict[int, _Connection] = {}
        self._free: list[_Connection] = []
        self._waiting: deque[int] = deque()
        self._done: dict[int, float] = {}
        self._errors = 0
        self._repeated: set[int] = set()

    def run(self) -> LoadResult:
        for _number in range(min(OPEN_CONNECTIONS, len(self._due))):
            self._free.append(self._connect())
        began = time.perf_counter()
        following, last = 0, self._due[-1] if self._due else 0.0
        while len(self._done) < len(self._due):
            now = time.perf_counter() - began
            if now > last + _GRACE:
                break
            while following < len(self._due) and self._due[following] <= now:
                self._waiting.append(following)
                following += 1
            while self._waiting and self._free:
                self._send(self._free.pop(), self._waiting.popleft())
            pause = self._due[following] - now if following < len(self._due) else 0.05
            for file, _event in self._poll.poll(max(0.0, min(pause, 0.05))):
                self._receive(self._by_file[file], began)
        ended = time.perf_counter() - began
        for connection in self._by_file.values():
            connection.socket.close()
        self._poll.close()
        times = [seconds * 1e3 for seconds in open_latencies(self._due, self._done, ended)]
        missing = len(self._due) - len(self._done)
        p50, p95, p99 = (percentile(times, share) for share in (0.50, 0.95, 0.99)) if times else (0.0, 0.0, 0.0)
        return LoadResult(len(times), self._errors + missing, max(ended, 1e-9), p50, p95, p99)

    def _connect(self) -> _Connection:
        client = socket.create_connection(("127.0.0.1", self._port))
        client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connection = _Connection(client)
        self._by_file[client.fileno()] = connection
        self._poll.register(client.fileno(), select.EPOLLIN)
        return connection

    def _send(self, connection: _Connection, number: int) -> None:
        connection.number = number
        connection.received.clear()
        try:
            connection.socket.sendall(self._requests[number % len(self._requests)])
        except OSError:
            # The server closed an idle connection. The request goes first on a new one.
            self._waiting.appendleft(number)
            self._replace(connection)

    def _replace(self, connection: _Connection) -> None:
        self._poll.unregister(connection.socket.fileno())
        del self._by_file[connection.socket.fileno()]
        connection.socket.close()
        self._free.append(self._connect())

    def _closed(self, connection: _Connection, began: float) -> None:
        """Send the request once more that was on a closed connection, which may have been idle for too long.

        A connection that closes again before the response is an error.
        """
        if connection.number < 0:
            self._free.remove(connection)
        elif connection.number in self._repeated:
            self._done[connection.number] = time.perf_counter() - began
            self._errors += 1
        else:
            self._repeated.add(connection.number)
            self._waiting.appendleft(connection.number)
        self._replace(connection)

    def _receive(self, connection: _Connection, began: float) -> None:
        try:
            block = connection.socket.recv(65_536)
        except OSError:
            block = b""
        if not block:
            self._closed(connection, began)
            return
        connection.received += block
        if is_complete(connection.received):
            self._done[connection.number] = time.perf_counter() - began
            self._errors += not connection.received[9:12].startswith(b"2")
            connection.number = -1
            self._free.append(connection)


def is_complete(received: bytes | bytearray) -> bool:
    """Tell whether *received* is a complete response of HTTP/1.1 with a length, in chunks, or without a body."""
    end = received.find(b"\r\n\r\n")
    if end < 0:
        return False
    head = bytes(received[:end]).lower()
    if length := re.search(rb"\r\ncontent-length: *(\d+)", head):
        return len(received) >= end + 4 + int(length[1])
    if b"\r\ntransfer-encoding: chunked" in head:
        return received.endswith(b"0\r\n\r\n")
    return True
