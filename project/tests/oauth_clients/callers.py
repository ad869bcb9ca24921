"""Applications and people without a browser, at any process of the service."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import requests

from attacks.stage import PASSWORD, Caller
from auth_core.oauth.grants.code import s256
from live.mailbox import Mailbox
from live.service import Service

REDIRECT_URI = "https://rp.example/callback"

#: The number of people, and of applications. Each test takes its own.
PEOPLE = 20

VERIFIER = "a-verifier-of-at-least-forty-three-characters"

_HEARS = """UPDATE auth_oauth_applicationpolicy SET backchannel_logout_uri = %s
WHERE application_id = (SELECT id FROM oauth2_provider_application WHERE client_id = %s)"""

_numbers = count()


def caller(service: Service) -> Caller:
    """Return a client of this process, in a network of its own."""
    return Caller(service, next(_numbers))


@dataclass
class Application:
    """A registered application.

    Args:
        id: Its client id.
        secret: Its secret.
    """

    id: str
    secret: str = field(repr=False)

    @classmethod
    def register(cls, service: Service, command: Sequence[str]) -> "Application":
        """Register one with a complete command."""
        made = json.loads(service.manage(*command, "--json"))
        return cls(made["client_id"], made["client_secret"])

    def asked(self, **parameters: str) -> dict[str, str]:
        """Return the parameters of an authorization request."""
        return {
            "client_id": self.id, "redirect_uri": REDIRECT_URI, "response_type": "code", "scope": "openid profile email",
            "state": "state-1", "nonce": "nonce-1", "code_challenge": s256(VERIFIER), "code_challenge_method": "S256",
            **parameters,
        }  # fmt: skip

    def post(self, at: Caller, path: str, **parameters: str) -> requests.Response:
        """Post a form as this application."""
        return at.post(path, data=parameters, auth=(self.id, self.secret))

    def hear_at(self, service: Service, address: str) -> None:
        """Be told of logouts at an address of this machine, which the command refuses without https."""
        service.execute(_HEARS, address, self.id)

    def exchange(self, at: Caller, code: str, **parameters: str) -> requests.Response:
        """Exchange a code."""
        fields = {"code": code, "code_verifier": VERIFIER, "redirect_uri": REDIRECT_URI, **parameters}
        return self.post(at, "/oauth/token", grant_type="authorization_code", **fields)

    def refresh(self, at: Caller, token: str) -> requests.Response:
        """Refresh a token."""
        return self.post(at, "/oauth/token", grant_type="refresh_token", refresh_token=token)

    def is_active(self, at: Caller, token: str) -> bool:
        """Return what introspection says."""
        answer = self.post(at, "/oauth/introspect", token=token)
        assert answer.status_code == 200, answer.text
        return bool(answer.json()["active"])


#: Creates people and applications at once, because each command takes seconds to start.
_MAKE = """
import json, sys
from auth_core.flows.account_creation import create_account
from auth_core.oauth.clients.registration import create_application
emails = ["person%d@example.org" % number for number in range({people})]
for email in emails:
    create_account(email=email, password={password!r}, verified=True)
made = [create_application(name="Example", **options) for options in {applications!r}]
print(json.dumps([emails, [[one.client_id, one.secret] for one in made]]))
"""


def make(
    service: Service, *, people: int, applications: Sequence[Mapping[str, Any]]
) -> tuple[list[str], list[Application]]:
    """Create people, and applications with these arguments of `create_application`. Return addresses and applications."""
    code = _MAKE.format(people=people, password=PASSWORD, applications=list(applications))
    emails, pairs = json.loads(service.manage("shell", "--no-imports", "--command", code))
    return emails, [Application(*pair) for pair in pairs]


@dataclass
class Nodes:
    """Processes of one service.

    Args:
        first: Where people sign in and things change.
        early: With the layer before Django.
        late: Without it.
        mails: The mails of all.
    """

    first: Service
    early: Service
    late: Service
    mails: Mailbox

    def __post_init__(self) -> None:
        options = {
            "redirect_uris": [REDIRECT_URI],
            "grants": ["authorization_code", "refresh_token", "client_credentials"],
            "is_first_party": True,
        }
        #: People and applications that no test has taken yet.
        self.people, self.applications = make(self.first, people=PEOPLE, applications=[options] * PEOPLE)

    def change(self, code: str) -> str:
        """Run Python code in another process, as an administrator does. Return what it prints."""
        return self.first.manage("shell", "--no-imports", "--command", code)


def sign_in(browser: Caller, email: str, password: str = PASSWORD) -> requests.Response:
    """Sign in on the page."""
    return browser.submit("/login/", identifier=email, password=password)


def authorize(browser: Caller, application: Application) -> str:
    """Send a person who is signed in to an application of the operator, and return the code that it gets."""
    answer = browser.get(f"/oauth/authorize?{urlencode(application.asked())}")
    assert answer.status_code == 303, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["Location"]).query))["code"]


def tokens(browser: Caller, application: Application, **parameters: str) -> dict[str, Any]:
    """Return what an application of the operator gets for a person who is signed in."""
    answer = application.exchange(browser, authorize(browser, application), **parameters)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


def bearer(at: Caller, path: str, token: str) -> int:
    """Return the status of a request with an access token."""
    return at.get(path, headers={"Authorization": f"Bearer {token}"}).status_code


def csrf_in(page: str) -> str:
    """Return the token of the form of a page."""
    match = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
    assert match, page
    return match[1]
