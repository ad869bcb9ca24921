"""The stage of every attack: the running service, its users, and the checks after an attack.

After each attack the stage counts the new entries of the trail, searches the log for the sent
secrets, and compares the tables with state to their previous content.
"""

import base64
import hashlib
import hmac
import json
import re
import secrets
import struct
import time
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode, urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from live.mailbox import Mailbox
from live.service import Service

PASSWORD = "correct horse battery staple"

#: The number of users. Each test takes its own.
PEOPLE = 90

#: Bookkeeping and the trail itself. Their effects are recorded elsewhere (auth_core.testing.tables).
_NO_STATE = re.compile(
    "auth_audit_|django_|auth_core_(guessbudget|identity|outboxmessage|pendinglogin|pendingsignup)"
    "|auth_mfa_(sentcode|smsprefix|factorhistory|webauthnchallenge)|auth_sessions_cacheepoch"
)
_TOUCHED = ("last_login", "last_seen_at", "last_used_at")


def _make_people(domain: str) -> str:
    return (
        "from auth_core.flows.account_creation import create_account\n"
        f"for number in range({PEOPLE}):\n"
        f'    create_account(email=f"person{{number}}@{domain}", password="{PASSWORD}", verified=True)\n'
    )


class Caller(requests.Session):
    """A client in a network of its own, so no attack spends the budgets of another.

    Args:
        number: The number of its network among the loopback addresses.
    """

    def __init__(self, service: Service, number: int) -> None:
        super().__init__()
        self.trust_env = False
        self.verify = str(service.certificate)
        self.ip = f"127.{1 + number // 250}.{1 + number % 250}.1"
        self.mount("https://", _From(self.ip))
        self._url = service.url
        self.headers["Origin"] = service.url

    def request(self, method: Any, url: Any, *args: Any, **options: Any) -> requests.Response:
        """Send a request to a path of the service, without following redirects."""
        options.setdefault("timeout", 60)
        options["allow_redirects"] = False
        return super().request(method, self._url + url, *args, **options)

    def api(self, method: str, path: str, body: Any = None, **options: Any) -> requests.Response:
        """Call the API with a JSON body."""
        return self.request(method, f"/api/v1/{path}", json=body, **options)

    def log_in(self, address: str, password: str = PASSWORD, **options: Any) -> requests.Response:
        """Begin a login with the token transport."""
        body = {"identifier": address, "password": password, "transport": "token"}
        return self.api("POST", "login/", body, **options)

    def answer(self, token: str, code: str) -> requests.Response:
        """Answer the challenge of a login."""
        return self.api("POST", "login/answer/", {"token": token, "answer": {"code": code}})

    def sign_in(self, person: "Person") -> "Caller":
        """Log in completely and send the credential from now on."""
        outcome = self.log_in(person.address).json()
        if outcome["status"] == "challenged":
            outcome = self.answer(outcome["token"], person.code()).json()
        self.credential = str(outcome["credential"])
        self.headers["Authorization"] = f"Session {self.credential}"
        return self

    @property
    def own_url(self) -> str:
        """The URL of the service."""
        return f"{self._url}/"

    @staticmethod
    def query(**values: str) -> str:
        """Return a query string."""
        return urlencode(values)

    def stays_on_site(self, location: str) -> bool:
        """Return whether a browser that follows *location* stays on the service, by the rules of the WHATWG."""
        plain = re.sub(r"[\t\r\n]", "", location.strip()).replace("\\", "/")
        joined = urlsplit(urljoin(self.own_url, plain))
        return (joined.scheme, joined.netloc) == tuple(urlsplit(self._url)[:2]) and not plain.startswith("//")

    def fetch_csrf(self) -> "Caller":
        """Fetch a CSRF token and send it from now on, as a browser does."""
        self.headers["X-CSRFToken"] = self.api("GET", "csrf/").json()["csrf_token"]
        return self

    def submit(self, path: str, *, shown_at: str = "", **fields: str) -> requests.Response:
        """Submit the form of a page, as a browser does. *shown_at* is the page with the form, if it is another."""
        match = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', self.get(shown_at or path).text)
        token = {"csrfmiddlewaretoken": match[1]} if match else {}
        return self.post(path, data={**token, **fields}, headers={"Referer": self._url + path})


class _From(HTTPAdapter):
    """An adapter that binds each connection to an address."""

    def __init__(self, ip: str) -> None:
        self._ip = ip
        super().__init__()

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Open connections from the address."""
        super().init_poolmanager(*args, source_address=(self._ip, 0), **options)


@dataclass
class Person:
    """A user with an account."""

    address: str
    id: str
    secret: str = ""
    used: int = 0

    def code(self, *, fresh: bool = True) -> str:
        """Return an unused code of their authenticator, or the last one again (RFC 6238)."""
        now, late = int(time.time() // 30), time.time() % 30 > 20
        step = max(self.used, now - (1 if late else 2)) + 1 if fresh else self.used
        if fresh and step > now + 1:
            time.sleep(30 - time.time() % 30 + 0.1)
        self.used = step
        key = base64.b32decode(self.secret + "=" * (-len(self.secret) % 8))
        digest = hmac.new(key, struct.pack(">Q", step), hashlib.sha1).digest()
        offset = digest[19] & 0x0F
        return f"{(struct.unpack('>I', digest[offset : offset + 4])[0] & 0x7FFFFFFF) % 10**6:06d}"

    def wrong_code(self) -> str:
        """Return a code that is invalid now and in the near future."""
        now = int(time.time() // 30)
        last_used, codes = self.used, set()
        for step in range(now - 3, now + 5):
            self.used = step
            codes.add(self.code(fresh=False))
        self.used = last_used
        return next(code for code in (f"{number:06d}" for number in range(100)) if code not in codes)


@dataclass
class Traces:
    """The traces of an attack."""

    entries: Counter[str] = field(default_factory=Counter)
    log: str = ""
    changed: set[str] = field(default_factory=set)
    allowed: tuple[str, ...] = ()

    def may_leave(self, *events: str) -> None:
        """Allow entries whose names begin with one of *events*. The test counts the relevant ones itself."""
        self.allowed = events


class Stage:
    """The service, its users, and the traces of attacks."""

    def __init__(self, service: Service, mails: Mailbox) -> None:
        self.service = service
        self.mails = mails
        self._callers = count(1)
        self._shared: Person | None = None
        self._uses = 0
        self._domain = domain = f"{secrets.token_hex(4)}.example.org"
        service.manage("shell", "--command", _make_people(domain))
        rows = service.query(
            "SELECT u.email, i.subject_id::text FROM auth_accounts_user u LEFT JOIN auth_core_identity i"
            f" ON i.user_id = u.id WHERE u.email LIKE '%@{domain}' ORDER BY u.id"
        )
        self._people = iter([Person(str(address), str(subject or "")) for address, subject in rows])

    def caller(self) -> Caller:
        """Return a new client."""
        return Caller(self.service, next(self._callers))

    def address(self, name: str) -> str:
        """Return an address without an account."""
        return f"{name}@{self._domain}"

    def person(self, *, totp: bool = False) -> Person:
        """Return a user that no other test uses, optionally with an authenticator app."""
        person = next(self._people)
        if totp:
            caller = self.caller().sign_in(person)
            enrolment = caller.api("POST", "mfa/totp/", {"name": "App"}).json()
            person.secret = enrolment["secret"]
            confirmed = caller.api("POST", f"mfa/totp/{enrolment['id']}/confirm/", {"code": person.code()})
            assert confirmed.ok, confirmed.text
        return person

    def shared_person(self) -> Person:
        """Return a user that several harmless attacks share."""
        if self._shared is None or self._uses >= 4:
            self._shared, self._uses = self.person(), 0
        self._uses += 1
        return self._shared

    def lock(self, person: Person) -> None:
        """Lock an account, as an administrator does."""
        user = f"get_user_model().objects.get(email='{person.address}')"
        imports = "from django.contrib.auth import get_user_model; from auth_core.people.locking import lock_account"
        self.service.manage("shell", "--command", f"{imports}\nlock_account(user={user})")

    def disable(self, person: Person) -> None:
        """Disable an account, as an administrator does."""
        user = f"get_user_model().objects.get(email='{person.address}')"
        imports = "from django.contrib.auth import get_user_model; from auth_core.people.locking import disable_account"
        self.service.manage("shell", "--command", f"{imports}\ndisable_account(user={user})")

    def newest(self, column: str, event: str) -> Any:
        """Return a column of the newest entry of *event*."""
        sql = f"SELECT {column} FROM auth_audit_auditentry WHERE name = '{event}' ORDER BY id DESC LIMIT 1"
        return self.service.query(sql)[0][0]

    def last_addresses(self, number: int) -> set[str]:
        """Return the client addresses in the last entries of the trail."""
        code = f"""
from auth_audit.models import AuditEntry
from auth_audit.personal.readable_entry import read
print(*(entry.ip for entry in read(AuditEntry.objects.order_by("-id")[:{number}]).values()))
"""
        return set(self.service.manage("shell", "--no-imports", "--command", code).split())

    def role(self, caller: Caller, name: str, **fields: Any) -> str:
        """Create a role that no other test uses, and return its id."""
        created = caller.api("POST", "roles/", {"name": f"{name} {secrets.token_hex(4)}", **fields})
        assert created.ok, created.text
        return str(created.json()["id"])

    def administrator(self) -> "Person":
        """Return a superuser with an authenticator app."""
        person = self.person(totp=True)
        self.execute(
            "UPDATE auth_accounts_user SET is_staff = true, is_superuser = true WHERE email = %s", person.address
        )
        return person

    @contextmanager
    def no_superuser(self) -> Iterator[None]:
        """Remove all superusers for the duration of the context."""
        rows = self.service.query("SELECT id FROM auth_accounts_user WHERE is_superuser")
        self.service.remove_superusers()
        try:
            yield
        finally:
            self.execute(
                "UPDATE auth_accounts_user SET is_superuser = true, is_staff = true WHERE id = ANY(%s)",
                [key for (key,) in rows],
            )

    def execute(self, sql: str, *values: Any) -> None:
        """Change the service's database."""
        self.service.execute(sql, *values)

    @contextmanager
    def attack(
        self,
        *sent: str,
        leaves: Mapping[str, int] | str,
        changes: Collection[str] = (),
    ) -> Iterator[Traces]:
        """Watch an attack, and check that it left its trace and nothing else.

        Args:
            sent: Secrets that must not be in the log.
            leaves: The expected entries of the trail, by event. For an anonymous attack: a text that the log contains.
            changes: Tables that may change.
        """
        entries, before, offset = self._entries(), self._digests(), len(self.service.log)
        traces = Traces()
        yield traces
        after = self._digests()
        traces.changed = {table for table in after if after[table] != before.get(table)} - set(changes)
        traces.log = self.service.log[offset:]
        traces.entries = self._entries() - entries

        assert traces.changed == set(), "the attack changed state"
        counted = Counter(
            {
                name: number
                for name, number in traces.entries.items()
                if not (traces.allowed and name.startswith(traces.allowed))
            }
        )
        if isinstance(leaves, str):
            assert counted == Counter(), "an anonymous attack leaves no entry"
            assert leaves in traces.log, traces.log[-3000:]
        else:
            assert counted == Counter(leaves)
            assert traces.entries or traces.allowed, "the attack left no trace"
        for secret in sent:
            for spelling in {secret, quote(secret, safe=""), json.dumps(secret)[1:-1]}:
                assert spelling not in traces.log, "the log contains a secret"

    def _entries(self) -> Counter[str]:
        # A busy machine may lose Redis for a moment. The service records it, but the attack did not cause it.
        rows = self.service.query(
            "SELECT name, count(*) FROM auth_audit_auditentry WHERE name NOT LIKE 'auth.control.%' GROUP BY name"
        )
        return Counter({str(name): int(number) for name, number in rows})

    def _digests(self) -> dict[str, str]:
        names = self.service.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        tables = sorted(str(name) for (name,) in names if not _NO_STATE.match(str(name)))
        columns = "".join(f" - '{column}'" for column in _TOUCHED)
        sql = " UNION ALL ".join(
            f"SELECT '{table}', md5(coalesce(string_agg(row, ',' ORDER BY row), ''))"
            f' FROM (SELECT (to_jsonb(t){columns})::text AS row FROM "{table}" t) AS rows'
            for table in tables
        )
        return {str(table): str(digest) for table, digest in self.service.query(sql)}


def mail_folder(folder: Path) -> Path:
    """Create the folder for the mails of the service."""
    mails = folder / "mails"
    mails.mkdir()
    return mails
