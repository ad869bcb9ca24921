"""``./dev serve``: migrate, check and serve on this machine, in one process.

The server forks, so its worker starts with everything that the checks have imported.
"""

import argparse
import io
import logging
import os
import socket
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import django
from django.core.checks import CheckMessage, run_checks
from django.core.management import call_command
from django.db import connections

from enterprise_auth.env import Environment, InvalidEnvironment, use_settings
from enterprise_auth.web_server.server import serve


def main() -> int:
    """Prepare the database and serve until a signal stops the server. Return the exit status."""
    options = _parser().parse_args()
    if not _is_free(options.host, options.port):
        print(
            f"Port {options.port} is in use. Choose another one: ./dev serve --port {options.port + 1}", file=sys.stderr
        )
        return 1
    url = f"http://localhost:{options.port}"
    # Mails link to this port, and passkeys are bound to its origin, unless the operator names another address.
    os.environ["PUBLIC_URL"] = public_url = Environment().text("PUBLIC_URL", url)
    use_settings("enterprise_auth.settings.development")
    try:
        django.setup()
    except InvalidEnvironment as refusal:
        print(refusal, file=sys.stderr)
        return 1
    call_command("migrate", verbosity=0)
    problems = [problem for problem in run_checks(databases=["default"]) if not problem.is_silenced()]
    print("\n".join([*_described(problems), *_welcome(url, public_url)]), flush=True)
    if any(problem.is_serious() for problem in problems):
        return 1
    # A connection must not be shared with the worker.
    connections.close_all()
    serve(host=options.host, port=options.port, workers=options.workers)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="./dev serve", description="Migrate SQLite, check, and serve on localhost.")
    parser.add_argument("--port", type=int, default=8000, help="The port to listen on.")
    parser.add_argument("--host", default="127.0.0.1", help="The address to listen on. 0.0.0.0 shares tracebacks too.")
    parser.add_argument("--workers", type=int, default=1, help="Number of processes.")
    return parser


def _is_free(host: str, port: int) -> bool:
    """Return whether no server listens on *port*. Granian would share the port with another granian."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def _described(problems: Sequence[CheckMessage]) -> Iterator[str]:
    """Yield the problems that the checks found, if any."""
    yield from (str(problem) for problem in problems)
    if problems:
        yield ""


def _welcome(url: str, public_url: str) -> Iterator[str]:
    """Yield what a new user needs to know, on one screen."""
    yield f"Enterprise Auth is served at {url}/. Ctrl-C stops it."
    yield f"  {url}/login/      sign in, or create an account"
    yield f"  {url}/admin/      administration"
    yield f"  {url}/api/docs/   interactive API documentation"
    if public_url != url:
        yield f"Links in mails begin with {public_url}, the value of PUBLIC_URL."
    if not Environment().text("EMAIL_HOST"):
        folder = Environment().text("EMAIL_FILE_PATH")
        yield f"Mails are written to {folder}." if folder else "Mails are printed here, with their codes and links."
    if (link := _bootstrap_link()) is not None:
        yield "There is no administrator yet. Open this link within 15 minutes to create the first one. It works once."
        yield f"  {link}"
    yield ""


def _bootstrap_link() -> str | None:
    """Return a link that creates the first administrator, or ``None`` if there is one."""
    output = io.StringIO()
    with _quiet():
        call_command("bootstrap_link", quiet=True, stdout=output)
    return output.getvalue().strip() or None


@contextmanager
def _quiet() -> Iterator[None]:
    """Log nothing. The trail records the link, and its log line would only repeat what is printed."""
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(logging.NOTSET)


if __name__ == "__main__":
    sys.exit(main())
