"""``./dev demo``: a complete user journey against a running server, over HTTP.

Prints each request and its response with masked secrets. Exits with 1 at the first
unexpected response.
"""

import argparse
import base64
import email
import email.policy
import hashlib
import hmac
import json
import os
import re
import secrets
import socket
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import requests

ROOT = Path(__file__).resolve().parents[1]

#: Fields whose values are not printed.
_MASKED = frozenset({"password", "current_password", "new_password", "token", "code", "credential", "secret", "uri",
                     "qr_svg", "csrf_token"})  # fmt: skip


#: An error code is a word, and not a secret.
_WORD = re.compile(r"[a-z_]+")


class Surprise(Exception):
    """The server gave an unexpected response. The message says which."""


class Caller:
    """One client with its cookies, CSRF token and credential."""

    def __init__(self, url: str, certificate: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = certificate or True
        self._session.headers["Origin"] = url

    def fetch_csrf(self) -> None:
        """Fetch the CSRF token for anonymous requests."""
        answer = self.send("GET", "csrf/", expect=200)
        self._session.headers["X-CSRFToken"] = answer["csrf_token"]

    def sign_in(self, credential: str) -> None:
        """Send *credential* instead of cookies from now on."""
        self._session.cookies.clear()
        self._session.headers.pop("X-CSRFToken", None)
        self._session.headers["Authorization"] = f"Session {credential}"

    def send(self, method: str, path: str, body: dict[str, Any] | None = None, *, expect: int) -> Any:
        """Send a request, print it and its response, and return the body of the response.

        Raises:
            Surprise: the status is not *expect*.
        """
        print(f"\n> {method} /api/v1/{path}" + (f"  {_shown(body)}" if body is not None else ""))
        answer = self._session.request(method, f"{self.url}/api/v1/{path}", json=body, timeout=30)
        content = answer.json() if answer.content else None
        print(f"< {answer.status_code}" + (f"  {_shown(content)}" if content is not None else ""))
        if answer.status_code != expect:
            raise Surprise(f"{method} {path} returned {answer.status_code}, not {expect}.")
        return content


class Mailbox:
    """The folder of the mails that the server writes."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[str] = set()

    def next_to(self, address: str) -> str:
        """Wait for the next mail to *address* and return its text.

        Raises:
            Surprise: no mail arrives within fifteen seconds.
        """
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            for mail in self._mails():
                if mail["Message-ID"] not in self._seen and address in str(mail["To"]):
                    self._seen.add(mail["Message-ID"])
                    body = mail.get_body(("plain",))
                    print(f"\n= mail to {address}: {mail['Subject']}")
                    return str(body.get_content()) if body is not None else ""
            time.sleep(0.2)
        raise Surprise(f"No mail to {address} arrived.")

    def _mails(self) -> Iterator[email.message.EmailMessage]:
        for path in sorted(self._folder.glob("*.log"), key=lambda path: path.stat().st_mtime):
            for text in re.split(r"^-{79}$", path.read_text(), flags=re.MULTILINE):
                if text.strip():
                    yield email.message_from_string(text.lstrip("\n"), policy=email.policy.default)


class Authenticator:
    """An authenticator app that shows the code of each time step once (RFC 6238)."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self._used = int(time.time() // 30) - 2

    def code(self) -> str:
        """Return an unused code. Neighbouring time steps are valid too, which shortens the wait."""
        step = max(self._used, int(time.time() // 30) - 2) + 1
        while step > int(time.time() // 30) + 1:
            print("\n. waiting for the next time step: each code works once")
            time.sleep(30 - time.time() % 30 + 0.1)
        self._used = step
        digest = hmac.new(self._key, struct.pack(">Q", step), hashlib.sha1).digest()
        offset = digest[19] & 0x0F
        return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def journey(url: str, mails: Mailbox, certificate: str = "") -> None:
    """Sign up, verify the address, log in, add a factor, use it, change and reset the password, log out.

    Raises:
        Surprise: a response is not as expected.
    """
    address, password = f"demo-{secrets.token_hex(4)}@example.org", secrets.token_urlsafe(18)
    stranger = Caller(url, certificate)
    stranger.fetch_csrf()

    stranger.send("POST", "signup/", {"email": address, "password": password}, expect=202)
    code = _extract(r"\b(\d{6})\b", mails.next_to(address), "code")
    stranger.send("POST", "email/verify/", {"email": address, "code": code}, expect=200)

    caller = _logged_in(url, certificate, address, password)
    me = caller.send("GET", "me/", expect=200)
    _check(me["email"] == address and me["email_verified"], "me/ does not return the signed-in user.")
    app = _enrolled(caller)
    mails.next_to(address)

    caller = _logged_in(url, certificate, address, password, app)
    sessions = caller.send("GET", "sessions/", expect=200)["results"]
    _check(
        len(sessions) > 1 and sum(session["current"] for session in sessions) == 1, "sessions/ returns a wrong list."
    )

    another = secrets.token_urlsafe(18)
    change = {"current_password": password, "new_password": another}
    caller.send("POST", "password/change/", change, expect=204)
    _check(len(caller.send("GET", "sessions/", expect=200)["results"]) == 1, "The other sessions did not end.")
    mails.next_to(address)

    stranger.send("POST", "password/forgot/", {"email": address}, expect=202)
    link = _extract(r"^(http\S+)$", mails.next_to(address), "link")
    _check(link.startswith(url), "The link points to another host.")
    third, token = secrets.token_urlsafe(18), urlsplit(link).path.rstrip("/").rpartition("/")[2]
    stranger.send("POST", "password/reset/", {"token": token, "password": third}, expect=200)
    stranger.send("POST", "password/reset/", {"token": token, "password": third}, expect=400)
    caller.send("GET", "me/", expect=401)

    caller = _logged_in(url, certificate, address, third, app)
    caller.send("POST", "logout/", {}, expect=204)
    caller.send("GET", "me/", expect=401)


def _logged_in(url: str, certificate: str, address: str, password: str, app: Authenticator | None = None) -> Caller:
    """Log in. The server must ask for a second factor if *app* is set, and only then."""
    caller = Caller(url, certificate)
    body = {"identifier": address, "password": password, "transport": "token"}
    outcome = caller.send("POST", "login/", body, expect=200 if app is None else 202)
    if app is not None:
        body = {"token": outcome["token"], "answer": {"code": app.code()}}
        outcome = caller.send("POST", "login/answer/", body, expect=200)
        _check(outcome["session"]["acr"] == "aal2", "Two factors are not AAL2.")
    caller.sign_in(outcome["credential"])
    return caller


def _enrolled(caller: Caller) -> Authenticator:
    begun = caller.send("POST", "mfa/totp/", {"name": "Demo"}, expect=201)
    app = Authenticator(begun["secret"])
    caller.send("POST", f"mfa/totp/{begun['id']}/confirm/", {"code": app.code()}, expect=200)
    return app


def _check(condition: bool, message: str) -> None:
    if not condition:
        raise Surprise(message)


def _extract(pattern: str, text: str, what: str) -> str:
    match = re.search(pattern, text, re.MULTILINE)
    if match is None:
        raise Surprise(f"The mail contains no {what}.")
    return match[1]


def _shown(body: Any) -> str:
    return json.dumps(_masked(body), ensure_ascii=False)


def _masked(value: Any, name: str = "") -> Any:
    if name in _MASKED and isinstance(value, str) and not _WORD.fullmatch(value):
        return "…"
    if isinstance(value, dict):
        return {key: _masked(nested, key) for key, nested in value.items()}
    return [_masked(nested) for nested in value] if isinstance(value, list) else value


@contextmanager
def own_server(mail_folder: Path) -> Iterator[str]:
    """Run a development server on a free port with its own database and mails. Yield its address."""
    with socket.socket() as probe, tempfile.TemporaryDirectory(prefix="demo-") as folder:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        url = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ,
            "DJANGO_SETTINGS_MODULE": os.environ.get("DJANGO_SETTINGS_MODULE", "enterprise_auth.settings.development"),
            "DATABASE_URL": f"sqlite:///{folder}/demo.sqlite3",
            "EMAIL_FILE_PATH": str(mail_folder),
            "PUBLIC_URL": url,
            "LOG_LEVEL": "ERROR",
        }
        manage = [sys.executable, str(ROOT / "project" / "manage.py")]
        subprocess.run([*manage, "migrate", "--verbosity", "0"], env=environment, check=True)
        command = [sys.executable, "-m", "enterprise_auth.web_server", "--host", "127.0.0.1", "--port", str(port)]
        environment["WEB_WORKERS"] = "1"
        log = subprocess.DEVNULL
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=ROOT / "project")
        try:
            _wait_for(url, server)
            yield url
        finally:
            # SIGTERM, because background processes of a shell and their children ignore SIGINT.
            server.terminate()
            server.wait(timeout=20)


def _wait_for(url: str, server: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and server.poll() is None:
        try:
            if requests.get(f"{url}/health/", timeout=2).status_code == 200:  # noqa: PLR2004 - HTTP's own number
                return
        except requests.RequestException:
            time.sleep(0.2)
    raise Surprise("The server did not start.")


def main() -> int:
    """Run the journey and return the exit status."""
    parser = argparse.ArgumentParser(prog="./dev demo", description="Run a complete user journey against a server.")
    parser.add_argument("--url", help="URL of the server. Default: start one on SQLite.")
    parser.add_argument("--mail-folder", type=Path, help="Folder of that server's mails (EMAIL_FILE_PATH).")
    parser.add_argument("--certificate", default="", help="Certificate to trust, for a local server.")
    options = parser.parse_args()
    if options.url and not options.mail_folder:
        parser.error("--url requires --mail-folder, because the mails contain the links and codes")
    try:
        if options.url:
            journey(options.url.rstrip("/"), Mailbox(options.mail_folder), options.certificate)
        else:
            with tempfile.TemporaryDirectory(prefix="demo-mails-") as folder, own_server(Path(folder)) as url:
                journey(url, Mailbox(Path(folder)))
    except (Surprise, requests.RequestException) as surprise:
        print(f"\n! {surprise}", file=sys.stderr)
        return 1
    print("\nThe journey is complete.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
