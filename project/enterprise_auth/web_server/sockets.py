"""Closes connections whose client reads nothing, by a limit of the system. The server has none."""

import os
import socket
import stat
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

#: How long data of a response may stay unacknowledged.
UNREAD = timedelta(seconds=10)

#: Where Linux lists the open files of this process.
_OPEN_FILES = Path("/proc/self/fd")


def limit_unread_answers() -> None:
    """Set ``TCP_USER_TIMEOUT`` (RFC 5482) on the listening sockets of this process. Connections inherit it.

    On systems without this option, a client that reads nothing keeps its connection. It never keeps a thread.
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
    except OSError:  # it was closed in the meantime
        return False


def _accepts(candidate: socket.socket) -> bool:
    return bool(candidate.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
