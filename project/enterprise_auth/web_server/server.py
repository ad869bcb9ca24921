"""Starts granian. Its options are set only here, for ``./dev serve``, for production and for the tests."""

import resource
from datetime import timedelta
from pathlib import Path

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

#: How long a client may take to send the headers of a request, and how long a connection may be idle.
HEADERS = timedelta(seconds=10)

#: Maximum number of connections of one process. An idle one costs a few kilobytes and no thread.
CONNECTIONS = 4096


def serve(*, host: str, port: int, workers: int, certificate: Path | None = None, key: Path | None = None) -> None:
    """Serve until a signal stops the server.

    Args:
        host: The address to listen on.
        port: The port to listen on.
        workers: Number of processes.
        certificate: A certificate (PEM). Enables HTTPS.
        key: Its key (PKCS#8 PEM).
    """
    _allow_open_files()
    Granian(
        target="enterprise_auth.asgi:application",
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        workers=workers,
        # With HTTP/2 one connection could open hundreds of streams. A proxy in front may use it with browsers.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=int(HEADERS.total_seconds() * 1000)),
        websockets=False,
        backpressure=CONNECTIONS,
        log_level=LogLevels.warning,
        ssl_cert=certificate,
        ssl_key=key,
    ).serve()


def _allow_open_files() -> None:
    """Raise the limit of open files to the maximum. Each connection is an open file."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
