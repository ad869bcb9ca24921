"""``python -m enterprise_auth.web_server``: serve with ``WEB_WORKERS`` processes of ``WEB_THREADS`` threads.

The options of granian are set only here, for ``./dev serve``, for production and for the tests.
"""

import argparse
import resource
from datetime import timedelta
from pathlib import Path

from granian import Granian
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.log import LogLevels

from enterprise_auth.env import Environment

#: How long a client may take to send the headers of a request, and how long a connection may be idle.
HEADERS = timedelta(seconds=10)

#: Maximum number of connections of one process. An idle one costs a few kilobytes and no thread.
CONNECTIONS = 4096


def main() -> None:
    """Parse the options and serve until a signal stops the server."""
    options = _parser().parse_args()
    _allow_open_files()
    environment = Environment()
    Granian(
        target="enterprise_auth.asgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.ASGINL,
        workers=environment.number("WEB_WORKERS"),
        # With HTTP/2 one connection could open hundreds of streams. A proxy in front may use it with browsers.
        http=HTTPModes.http1,
        http1_settings=HTTP1Settings(header_read_timeout=int(HEADERS.total_seconds() * 1000)),
        websockets=False,
        backpressure=CONNECTIONS,
        log_level=LogLevels.warning,
        ssl_cert=options.certificate,
        ssl_key=options.key,
    ).serve()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m enterprise_auth.web_server", description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="0.0.0.0", help="The address to listen on.")  # noqa: S104 - the server runs in a container
    parser.add_argument("--port", type=int, default=8000, help="The port to listen on.")
    parser.add_argument("--certificate", type=Path, help="A certificate (PEM). Enables HTTPS.")
    parser.add_argument("--key", type=Path, help="The key of the certificate (PKCS#8 PEM).")
    return parser


def _allow_open_files() -> None:
    """Raise the limit of open files to the maximum. Each connection is an open file."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
