"""The arithmetic of the benchmarks, without load."""

import json
import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest
from harness import figures, report
from harness.figures import Turn
from harness.load import is_complete, open_loop
from harness.report import Result
from harness.runs import CEILING, CLOSED, OPEN, Series
from harness.traffic import Traffic


def turn(rate: float = 10.0, foreign: float = 0.0, **more: float) -> Turn:
    return Turn(
        **{"requests": 100, "errors": 0, "rate": rate, "p50": 1.0, "p95": 2.0, "p99": 3.0, "foreign": foreign, **more}
    )  # type: ignore[arg-type]  # counts are whole


def result(
    cell: str, group: str, rate: float, *, variant: str = "login", loop: str = CLOSED, people: int = 10, **more: float
) -> Result:
    return Result(people, Series(cell, group, variant, loop), figures.summary([turn(rate, **more)]), 100.0)


@pytest.mark.parametrize(("share", "value"), [(0.5, 50), (0.95, 95), (0.99, 99), (1.0, 100), (0.001, 1)])
def test_a_percentile_is_the_nearest_rank(share: float, value: int) -> None:
    values = list(range(1, 101))
    random.Random(1).shuffle(values)

    assert figures.percentile(values, share) == value


def test_a_percentile_between_two_ranks_is_the_higher_one() -> None:
    assert figures.percentile(list(range(1, 11)), 0.95) == 10


def test_a_percentile_of_one_value_is_that_value() -> None:
    assert figures.percentile([7.0], 0.99) == 7.0


def test_requests_of_an_open_loop_are_due_evenly() -> None:
    assert figures.due_times(4, 1) == [0.0, 0.25, 0.5, 0.75]


def test_a_stall_delays_the_requests_behind_it() -> None:
    due = figures.due_times(10, 1)
    # The server stops for a second before the first response, then answers all at once. A closed loop, or a clock
    # that starts with the sending, sees one slow response.
    done = dict.fromkeys(range(10), 1.0)

    latencies = figures.open_latencies(due, done, ended=1.0)

    assert latencies == pytest.approx([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2, 0.1])
    assert figures.percentile(latencies, 0.5) == pytest.approx(0.5)


def test_a_request_without_a_response_has_waited_until_the_end() -> None:
    assert figures.open_latencies([0.0, 1.0], {0: 0.5}, ended=6.0) == [0.5, 5.0]


def test_a_ratio_to_nothing_is_none() -> None:
    assert figures.ratio(3.0, 2.0) == 1.5
    assert figures.ratio(3.0, 0.0) is None


@pytest.mark.parametrize(
    ("busy", "ours", "share"), [(10.0, 10.0, 0.0), (10.0, 9.0, 0.1), (9.0, 10.0, 0.0), (40.0, 0.0, 1.0)]
)
def test_the_foreign_share_is_what_is_not_ours(busy: float, ours: float, share: float) -> None:
    assert figures.foreign_share(busy, ours, seconds=5.0, processors=2) == pytest.approx(share)


def test_a_turn_is_polluted_beyond_the_allowed_share() -> None:
    assert not figures.is_polluted(0.10)
    assert figures.is_polluted(0.11)
    assert not figures.is_polluted(0.5, allowed=0.5)


def test_every_round_flips_the_order() -> None:
    assert [figures.round_order(["a", "b", "c"], number) for number in range(3)] == [
        ["a", "b", "c"], ["c", "b", "a"], ["a", "b", "c"],
    ]  # fmt: skip


def test_polluted_turns_do_not_count_beside_clean_ones() -> None:
    turns = [turn(10), turn(20), turn(30), turn(1000, foreign=0.5)]

    median = figures.summary(turns)

    assert (median.figures["rate"], median.turns, median.is_polluted) == (20, 3, False)
    only = figures.summary([turn(7, foreign=0.5)])
    assert (only.figures["rate"], only.is_polluted) == (7, True)


def test_what_an_idle_service_does_is_not_counted_for_its_requests() -> None:
    idle = figures.rates({"statements": 0}, {"statements": 20}, seconds=10.0)

    counted = figures.counts_per_request({"statements": 20}, {"statements": 110}, idle, seconds=15.0, requests=20)

    assert counted == {"statements": 3.0}
    assert figures.counts_per_request({"x": 0}, {"x": 1}, {"x": 1.0}, seconds=5.0, requests=1) == {"x": 0.0}


def test_round_trips_are_statements_and_reads() -> None:
    assert figures.summary([turn(statements=3.0, redis_reads=2.0)]).figures["round_trips"] == 5.0


@pytest.mark.parametrize(
    ("received", "complete"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Le", False),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nabcd", True),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n", False),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n", True),
        (b"HTTP/1.1 204 No Content\r\n\r\n", True),
    ],
)
def test_a_response_is_read_to_its_end(received: bytes, complete: bool) -> None:
    assert is_complete(received) is complete


def test_a_request_has_the_length_of_its_body_and_one_credential() -> None:
    traffic = Traffic(
        path="/x/", body=lambda source: {"n": source.randrange(9)}, credentials=["Session a"], sends_address=True
    )

    (rendered,) = traffic.render(1, seed=1)

    head, _blank, body = rendered.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /x/ HTTP/1.1\r\n")
    assert f"Content-Length: {len(body)}".encode() in head
    assert b"Authorization: Session a" in head
    assert b"X-Forwarded-For: " in head
    assert set(json.loads(body)) == {"n"}


def test_a_request_without_a_body_is_a_get() -> None:
    (rendered,) = Traffic(path="/x/").render(1)

    assert rendered == b"GET /x/ HTTP/1.1\r\nHost: localhost\r\n\r\n"


def test_the_product_is_compared_in_the_same_loop_variant_and_size() -> None:
    results = [
        result("product", "product", 10, people=99),
        result("product", "product", 50),
        result("product", "product", 25, loop=OPEN),
        result("allauth", "peer", 40),
        result(CEILING, "limit", 100, variant="hash"),
        result("guardian", "peer", 40, variant="one"),
    ]

    assert report.product_ratio(results[3], results) == 1.25
    assert report.product_ratio(results[4], results) == 0.5
    assert report.product_ratio(results[5], results) is None


def test_a_row_shows_ratio_errors_and_pollution() -> None:
    results = [result("product", "product", 50, errors=25), result("allauth", "peer", 40, foreign=0.9)]

    page = report.markdown("login", results, {"rounds": 3, "seconds": 10.0, "callers": 16})

    assert "| 25.0% |" in page
    assert "| allauth ~ | closed | 40.0 | 1.25 x |" in page
    assert "Do not rely on it" in page


def test_a_section_replaces_only_itself() -> None:
    page = "a\n" + "".join(
        f"<!-- bench {job}: written by ./dev bench {job} --publish -->\nold {job}\n<!-- end of bench {job} -->\n"
        for job in ("login", "session")
    )

    changed = report.insert_section(page, "login", "new")

    assert "old login" not in changed
    assert "new" in changed
    assert "old session" in changed
    assert report.insert_section(changed, "login", "new") == changed
    with pytest.raises(ValueError, match="check"):
        report.insert_section(page, "check", "new")


def test_the_page_has_the_markers_of_every_benchmark() -> None:
    page = report.PAGE.read_text()

    for job in ("login", "session", "check", "mixed", "limits"):
        assert report.insert_section(page, job, "x") != page


def test_the_plot_has_a_line_for_each_cell() -> None:
    results = [result(cell, "peer", 5, people=size, app=size / 10) for cell in ("a", "b") for size in (10, 20, 30)]

    drawn = report.plot(results)

    assert drawn.count("<polyline") == 2
    assert drawn.startswith("<svg")


@contextmanager
def answering(responses: list[bytes]) -> Iterator[int]:
    """Answer the requests, on any connection, with *responses* in turns. An empty one closes. Yield the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    remaining = iter(responses)

    def serve(connection: socket.socket) -> None:
        with connection:
            while connection.recv(4096) and (response := next(remaining, b"")):
                connection.sendall(response)

    def accept() -> None:
        with suppress(OSError):  # The listener was shut down.
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(timeout=10)
        listener.close()


def test_the_open_loop_counts_refusals_and_survives_closed_connections() -> None:
    fine, refused = b"HTTP/1.1 204 No Content\r\n\r\n", b"HTTP/1.1 503 Busy\r\nContent-Length: 2\r\n\r\nno"

    with answering([b"", fine, refused]) as port:
        result = open_loop(port, [b"GET / HTTP/1.1\r\n\r\n"], rate=1000, seconds=0.0025)

    assert (result.requests, result.errors) == (2, 1)
    assert result.p99 > 0
