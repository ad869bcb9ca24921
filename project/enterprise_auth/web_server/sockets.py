"""Lets the system end connections whose client reads nothing; the server has no such limit of its own."""

import os
import socket
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

#: How long bytes of an answer may wait for a client that makes no room for them.
UNREAD = timedelta(seconds=10)

#: Where Linux lists the open files of this process.
_OPEN_FILES = Path("/proc/self/fd")


def limit_unread_answers() -> None:
    """Set ``TCP_USER_TIMEOUT`` (RFC 5482) on what this process listens on. Connections inherit it.

    Where the system has no such option, a client that reads nothing keeps its connection. It
    never keeps a thread.
    """
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is None:
        return
    for listener in _listeners():
        with listener:
            listener.setsockopt(socket.IPPROTO_TCP, option, int(UNREAD.total_seconds() * 1_000))


def _listeners() -> Iterator[socket.socket]:
    """Yield a duplicate of each TCP socket on which this process accepts connections."""
    numbers = [int(path.name) for path in _OPEN_FILES.iterdir()] if _OPEN_FILES.is_dir() else []
    for number in numbers:
        if not _is_socket(number):
            continue
        duplicate = socket.socket(fileno=os.dup(number))
        if duplicate.family in (socket.AF_INET, socket.AF_INET6) and _accepts(duplicate):
            yield duplicate
        else:
            duplicate.close()


def _is_socket(number: int) -> bool:
    try:
        return stat.S_ISSOCK(os.fstat(number).st_mode)
    except OSError:  # it was closed meanwhile
        return False


def _accepts(found: socket.socket) -> bool:
    return bool(found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
