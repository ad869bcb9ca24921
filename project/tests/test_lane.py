"""The threads of the web server."""

import threading
from contextvars import ContextVar

from enterprise_auth.web_server.lane import Lane

_left: ContextVar[str] = ContextVar("left", default="")


def test_what_a_request_leaves_in_its_thread_does_not_reach_the_next() -> None:
    lane, found, done = Lane(1, "test"), [], threading.Event()

    lane.run(lambda: _left.set("by the first") and None)
    lane.run(lambda: found.append(_left.get()))
    lane.run(done.set)

    assert done.wait(60)
    assert found == [""]
