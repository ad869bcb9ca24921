"""``python -m enterprise_auth.web_server``: serve with ``WEB_WORKERS`` processes of ``WEB_THREADS`` threads."""

import argparse
import sys
from pathlib import Path

from enterprise_auth.core.conf import site
from enterprise_auth.env import Environment, InvalidEnvironment, use_settings
from enterprise_auth.web_server.server import serve


def main() -> None:
    """Parse the options and serve until a signal stops the server."""
    options = _parser().parse_args()
    workers = Environment().number("WEB_WORKERS")
    _check_settings()
    serve(host=options.host, port=options.port, workers=workers, certificate=options.certificate, key=options.key)


def _check_settings() -> None:
    """Report invalid settings in a few lines. Each worker would print a traceback, and be started again."""
    use_settings("enterprise_auth.settings.production")
    try:
        site.debug  # noqa: B018 - reading a setting loads all of them
    except InvalidEnvironment as refusal:
        sys.exit(str(refusal))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m enterprise_auth.web_server", description=__doc__.split("\n")[0])
    parser.add_argument("--host", default="0.0.0.0", help="The address to listen on.")  # noqa: S104 - the server runs in a container
    parser.add_argument("--port", type=int, default=8000, help="The port to listen on.")
    parser.add_argument("--certificate", type=Path, help="A certificate (PEM). Enables HTTPS.")
    parser.add_argument("--key", type=Path, help="The key of the certificate (PKCS#8 PEM).")
    return parser


if __name__ == "__main__":
    main()
