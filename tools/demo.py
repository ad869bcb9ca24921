"""What ``./dev demo`` does: a person's whole journey against a running server, over HTTP alone.

Prints each request and its answer, secrets masked, and ends with status 1 at the first
surprise.
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

#: Fields whose value is not printed.
_MASKED = frozenset({"password", "current_password", "new_password", "token", "code", "credential", "secret", "uri",
                     "qr_svg", "csrf_token"})  # fmt: skip


#: The code of a refusal is a word, and no secret.
_WORD = re.compile(r"[a-z_]+")


class Surprise(Exception):
    """The server did not do what it should; the message says what and where."""


class Caller:
    """One browser or program: its cookies, its CSRF token, its credential."""

    def __init__(self, url: str, certificate: str) -> None:
        self.url = url
        self._session = requests.Session()
        self._session.trust_env = False
        self._session.verify = certificate or True
        self._session.headers["Origin"] = url

    def fetch_csrf(self) -> None:
        """Ask for the token that anonymous requests send along."""
        answer = self.send("GET", "csrf/", expect=200)
        self._session.headers["X-CSRFToken"] = answer["csrf_token"]

    def sign_in(self, credential: str) -> None:
        """Send *credential* from now on, and no cookie."""
        self._session.cookies.clear()
        self._session.headers.pop("X-CSRFToken", None)
        self._session.headers["Authorization"] = f"Session {credential}"

    def send(self, method: str, path: str, body: dict[str, Any] | None = None, *, expect: int) -> Any:
        """Send a request, print it and its answer, and return the answer's body.

        Raises:
            Surprise: the status is another than *expect*.
        """
        print(f"\n> {method} /api/v1/{path}" + (f"  {_shown(body)}" if body is not None else ""))
        answer = self._session.request(method, f"{self.url}/api/v1/{path}", json=body, timeout=30)
        told = answer.json() if answer.content else None
        print(f"< {answer.status_code}" + (f"  {_shown(told)}" if told is not None else ""))
        if answer.status_code != expect:
            raise Surprise(f"{method} {path} was answered with {answer.status_code}, not with {expect}.")
        return told


class Mailbox:
    """The folder into which the server writes its mails."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: set[str] = set()

    def next_to(self, address: str) -> str:
        """Wait for the next mail to *address*, and return its text.

        Raises:
            Surprise: none comes within fifteen seconds.
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
        raise Surprise(f"No mail came to {address}.")

    def _mails(self) -> Iterator[email.message.EmailMessage]:
        for path in sorted(self._folder.glob("*.log"), key=lambda path: path.stat().st_mtime):
            for text in re.split(r"^-{79}$", path.read_text(), flags=re.MULTILINE):
                if text.strip():
                    yield email.message_from_string(text.lstrip("\n"), policy=email.policy.default)


class Authenticator:
    """An authenticator app: the code of each time step, once (RFC 6238)."""

    def __init__(self, secret: str) -> None:
        self._key = base64.b32decode(secret + "=" * (-len(secret) % 8))
        self._used = int(time.time() // 30) - 2

    def code(self) -> str:
        """Return a code that was not used; the steps around now are good, too, so that nobody waits for long."""
        step = max(self._used, int(time.time() // 30) - 2) + 1
        while step > int(time.time() // 30) + 1:
            print("\n. waiting for the next time step: each code is good once")
            time.sleep(30 - time.time() % 30 + 0.1)
        self._used = step
        digest = hmac.new(self._key, struct.pack(">Q", step), hashlib.sha1).digest()
        offset = digest[19] & 0x0F
        return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"


def journey(url: str, mails: Mailbox, certificate: str = "") -> None:
    """Sign up, prove the address, log in, add a factor, use it, change and reset the password, log out.

    Raises:
        Surprise: at the first answer that is not what it should be.
    """
    address, password = f"demo-{secrets.token_hex(4)}@example.org", secrets.token_urlsafe(18)
    stranger = Caller(url, certificate)
    stranger.fetch_csrf()

    stranger.send("POST", "signup/", {"email": address, "password": password}, expect=202)
    code = _found(r"\b(\d{6})\b", mails.next_to(address), "code")
    stranger.send("POST", "email/verify/", {"email": address, "code": code}, expect=200)

    caller = _logged_in(url, certificate, address, password)
    me = caller.send("GET", "me/", expect=200)
    _check(me["email"] == address and me["email_verified"], "me/ does not say who it is.")
    app = _enrolled(caller)
    mails.next_to(address)

    caller = _logged_in(url, certificate, address, password, app)
    sessions = caller.send("GET", "sessions/", expect=200)["results"]
    _check(len(sessions) > 1 and sum(session["current"] for session in sessions) == 1, "sessions/ lists them wrongly.")

    another = secrets.token_urlsafe(18)
    change = {"current_password": password, "new_password": another}
    caller.send("POST", "password/change/", change, expect=204)
    _check(len(caller.send("GET", "sessions/", expect=200)["results"]) == 1, "The other sessions did not end.")
    mails.next_to(address)

    stranger.send("POST", "password/forgot/", {"email": address}, expect=202)
    link = _found(r"^(http\S+)$", mails.next_to(address), "link")
    _check(link.startswith(url), "The link leads elsewhere.")
    third, token = secrets.token_urlsafe(18), urlsplit(link).path.rstrip("/").rpartition("/")[2]
    stranger.send("POST", "password/reset/", {"token": token, "password": third}, expect=200)
    stranger.send("POST", "password/reset/", {"token": token, "password": third}, expect=400)
    caller.send("GET", "me/", expect=401)

    caller = _logged_in(url, certificate, address, third, app)
    caller.send("POST", "logout/", {}, expect=204)
    caller.send("GET", "me/", expect=401)


def _logged_in(url: str, certificate: str, address: str, password: str, app: Authenticator | None = None) -> Caller:
    """Log in; with *app* the second factor must be asked for, without it must not."""
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


def _check(holds: bool, otherwise: str) -> None:
    if not holds:
        raise Surprise(otherwise)


def _found(pattern: str, text: str, what: str) -> str:
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise Surprise(f"There is no {what} in the mail.")
    return found[1]


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
    """Run a development server on a free port, with a database and mails of its own; yield its address."""
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
            # Not SIGINT: what was started in the background by a shell ignores it, and so do its children.
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
    raise Surprise("The server does not start.")


def main() -> int:
    """Run the journey; return the status to end with."""
    parser = argparse.ArgumentParser(prog="./dev demo", description="Drive a running server through a whole journey.")
    parser.add_argument("--url", help="The server; left out: one of its own, on SQLite.")
    parser.add_argument("--mail-folder", type=Path, help="Where that server writes its mails (EMAIL_FILE_PATH).")
    parser.add_argument("--certificate", default="", help="A certificate to trust, for a server on this machine.")
    options = parser.parse_args()
    if options.url and not options.mail_folder:
        parser.error("--url needs --mail-folder: the links and codes stand in the mails")
    try:
        if options.url:
            journey(options.url.rstrip("/"), Mailbox(options.mail_folder), options.certificate)
        else:
            with tempfile.TemporaryDirectory(prefix="demo-mails-") as folder, own_server(Path(folder)) as url:
                journey(url, Mailbox(Path(folder)))
    except (Surprise, requests.RequestException) as surprise:
        print(f"\n! {surprise}", file=sys.stderr)
        return 1
    print("\nAll of it went as it should.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
