"""The connection of a thread to Redis: no answer reaches another command, and a lost connection is opened again."""

import gc
import threading
from typing import Any

import pytest
import redis

from auth_core.runtime.redis_connection import Script, ThreadConnections
from auth_core.testing.redis import OwnRedis

#: In seconds, as in production.
TIMEOUT = 0.1


@pytest.fixture
def connections(own_redis: OwnRedis) -> ThreadConnections:
    return ThreadConnections(own_redis.url, timeout=TIMEOUT)


def clients(own_redis: OwnRedis) -> int:
    """Return the number of connections to the server, beside the one that asks."""
    return len(own_redis.client.client_list()) - 1


def test_a_thread_keeps_its_connection(own_redis: OwnRedis, connections: ThreadConnections) -> None:
    for _time in range(5):
        assert connections.execute("PING") == b"PONG"

    assert clients(own_redis) == 1


def test_a_thread_that_ends_closes_its_connection(own_redis: OwnRedis, connections: ThreadConnections) -> None:
    threads = [threading.Thread(target=connections.execute, args=("PING",)) for _thread in range(5)]
    for thread in threads:
        thread.start()
        thread.join()
    del thread, threads
    gc.collect()

    assert clients(own_redis) == 0


def test_a_connection_that_the_server_closed_is_opened_again(
    own_redis: OwnRedis, connections: ThreadConnections
) -> None:
    connections.execute("SET", "kept", "value")
    own_redis.client.client_kill_filter(_type="normal", skipme=True)

    assert connections.execute("GET", "kept") == b"value"


def test_a_restarted_server_has_another_run(own_redis: OwnRedis, connections: ThreadConnections) -> None:
    connections.execute("PING")
    before = connections.run_here
    own_redis.kill()
    own_redis.start()

    connections.execute("PING")

    assert connections.run_here == connections.last_run != before
    assert len(before) == 40


def test_a_script_that_the_server_has_not_is_sent(own_redis: OwnRedis, connections: ThreadConnections) -> None:
    script = Script("return ARGV[1]")
    for _time in range(2):
        own_redis.client.script_flush()
        assert connections.run_script(script, keys=[], args=["value"]) == b"value"


def test_an_error_of_the_server_keeps_the_connection(own_redis: OwnRedis, connections: ThreadConnections) -> None:
    connections.execute("SET", "text", "value")

    with pytest.raises(redis.ResponseError):
        connections.execute("INCR", "text")

    assert connections.execute("GET", "text") == b"value"
    assert clients(own_redis) == 1


@pytest.mark.parametrize("interruption", [redis.TimeoutError, KeyboardInterrupt, SystemExit])
def test_an_interrupted_command_leaves_no_answer_for_the_next(
    interruption: type[BaseException], connections: ThreadConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections.execute("SET", "one", "1")
    connections.execute("SET", "two", "2")
    connection = connections._of_thread.connection

    def interrupted(**_options: Any) -> Any:
        raise interruption

    monkeypatch.setattr(connection, "read_response", interrupted)
    with pytest.raises(interruption):
        connections.execute("GET", "one")

    assert connections.execute("GET", "two") == b"2"


def test_with_the_old_connection_the_next_command_would_read_the_answer(
    connections: ThreadConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    connections.execute("SET", "one", "1")
    connection = connections._of_thread.connection
    read_response, disconnect = connection.read_response, connection.disconnect
    monkeypatch.setattr(connection, "read_response", lambda **_options: (_ for _ in ()).throw(KeyboardInterrupt))
    monkeypatch.setattr(connection, "disconnect", lambda *_error: None)
    with pytest.raises(KeyboardInterrupt):
        connections.execute("GET", "one")
    monkeypatch.setattr(connection, "read_response", read_response)

    connections._of_thread.connection = connection

    assert connections.execute("GET", "nothing") == b"1", "the planted defect must be seen"
    disconnect()
