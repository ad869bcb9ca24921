"""``python -m enterprise_auth.web_server``: serve, with ``WEB_WORKERS`` processes of ``WEB_THREADS`` threads.

The options of granian stand here once, for ``./dev serve``, for production and for the tests.
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

#: How long a client may take to send the headers of a request; an idle connection is closed after the same time.
HEADERS = timedelta(seconds=10)

#: Connections of one process. A connection that sends nothing costs a few kilobytes and no thread.
CONNECTIONS = 4096


def main() -> None:
    """Parse the options and serve until a signal ends it."""
    options = _parser().parse_args()
    _allow_open_files()
    environment = Environment()
    Granian(
        target="enterprise_auth.asgi:application",
        address=options.host,
        port=options.port,
        interface=Interfaces.ASGINL,
        workers=environment.number("WEB_WORKERS"),
        # HTTP/2 would let one connection open hundreds of streams. A proxy in front speaks it to browsers.
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
    parser.add_argument("--host", default="0.0.0.0", help="The address to listen on.")  # noqa: S104 - a container's
    parser.add_argument("--port", type=int, default=8000, help="The port to listen on.")
    parser.add_argument("--certificate", type=Path, help="A certificate (PEM); then HTTPS is served.")
    parser.add_argument("--key", type=Path, help="Its key (PKCS#8 PEM).")
    return parser


def _allow_open_files() -> None:
    """Take as many files as the system lets us: each connection is one."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
