"""``./dev serve`` in a copy of the repository, and the calls of the README against it."""

import html
import json
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from auth_mfa import oath
from auth_mfa.testing.factors import current_code
from live.service import free_port
from oauth_clients.sites import Guide, django_site, node_application
from test_customer_commands import ROOT, Copy, answers, wait_for

pytestmark = [pytest.mark.live, pytest.mark.sqlite]

EMAIL, PASSWORD = "you@example.org", "a long passphrase of yours"

#: Lines of a terminal.
SCREEN = 24

#: The calls of the README: fenced blocks of a shell that begin with curl.
CALLS = re.findall(r"```sh\n(curl .*?)```", (ROOT / "README.md").read_text(), re.DOTALL)


@dataclass
class Served:
    """A running ``./dev serve``."""

    url: str
    output: Path
    copy: Copy

    def window(self) -> requests.Session:
        """Return a browser without scripts."""
        window = requests.Session()
        window.trust_env = False
        window.headers["Origin"] = self.url
        return window

    def submit(self, window: requests.Session, address: str, **fields: str) -> requests.Response:
        """Fill the form of a page and submit it. Follow the redirect."""
        return self.submit_page(window, window.get(f"{self.url}{address}", timeout=120), **fields)

    def submit_page(self, window: requests.Session, page: requests.Response, **fields: str) -> requests.Response:
        """Submit the form of *page*. Follow the redirect."""
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page.text)
        assert token, page.text
        body = {"csrfmiddlewaretoken": token[1], **fields}
        return window.post(page.url, data=body, timeout=120)

    def call(self, text: str, **replaced: str) -> Any:
        """Run a call of the README with the values that its reader replaces."""
        for placeholder, value in {"http://localhost:8000": self.url, **replaced}.items():
            assert placeholder in text
            text = text.replace(placeholder, value)
        done = subprocess.run(["bash", "-euc", text], check=True, capture_output=True, timeout=1200)
        return json.loads(done.stdout)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    copy, port = Copy(tmp_path_factory.mktemp("serve") / "copy"), free_port()
    with copy.running("python", "tools/serve.py", "--port", str(port)) as output:
        assert answers(port, output)
        yield Served(f"http://localhost:{port}", output, copy)


def sign_up(served: Served, address: str) -> None:
    """Create an account on the pages, with the code from the terminal."""
    window = served.window()
    code_page = served.submit(window, "/signup/", email=address, password=PASSWORD)
    wait_for(served.output, f"To: {address}")
    wait_for(served.output, "-" * 79, after=f"To: {address}")
    mail = served.output.read_text().rpartition(f"To: {address}")[2]
    code = re.search(r"signed up: (\d{6})$", mail, re.MULTILINE)
    assert code, mail
    confirmed = served.submit_page(window, code_page, email=address, code=code[1])
    assert confirmed.status_code == 200


@pytest.fixture(scope="module")
def account(served: Served) -> str:
    """The address of the account that the README's calls use. They add a second factor to it."""
    sign_up(served, EMAIL)
    return EMAIL


@pytest.fixture(scope="module")
def reader(served: Served) -> str:
    """The address of an account with a password alone."""
    sign_up(served, "reader@example.org")
    return "reader@example.org"


def test_it_prints_where_it_serves_and_no_warning_on_one_screen(served: Served) -> None:
    printed = served.output.read_text().split("\n\n")[0].splitlines()

    assert len(printed) < SCREEN
    assert printed[0].startswith(f"Enterprise Auth is served at {served.url}/.")
    assert not [line for line in printed if "WARN" in line or "127.0.0.1" in line]
    links = [line.strip() for line in printed if "/setup/" in line]
    assert [link.startswith(f"{served.url}/setup/elf_") for link in links] == [True]


def test_the_root_leads_to_the_login(served: Served) -> None:
    page = served.window().get(f"{served.url}/", timeout=120)

    assert (page.status_code, urlsplit(page.url).path) == (200, "/login/")


def test_mails_link_to_its_port(served: Served, account: str) -> None:
    links = re.findall(r"http\S+/signup/confirm/", served.output.read_text())

    assert set(links) == {f"{served.url}/signup/confirm/"}


def test_the_calls_of_the_readme_work_without_and_with_a_second_factor(served: Served, account: str) -> None:
    login, answer, me = CALLS

    granted = served.call(login)
    credential = granted["credential"]
    assert served.call(me, **{"the credential": credential})["email"] == account

    begun = api(served, credential, "mfa/totp/", name="Phone")
    key = oath.from_base32(begun["secret"])
    api(served, credential, f"mfa/totp/{begun['id']}/confirm/", code=current_code(key, steps=-1))
    challenged = served.call(login)
    assert challenged["status"] == "challenged"
    proved = served.call(answer, **{"the token": challenged["token"], "123456": current_code(key)})
    assert served.call(me, **{"the credential": proved["credential"]})["acr"] == "aal2"


@pytest.mark.parametrize("kind", ["django", "node"])
def test_the_applications_of_the_guide_sign_people_in(kind: str, served: Served, reader: str, tmp_path: Path) -> None:
    """As docs/openid-connect.md has them: over plain HTTP, with this service."""
    port, run = free_port(), django_site if kind == "django" else node_application
    guide = Guide(issuer=served.url, port=port)
    command = guide.registration(f"sh register-{kind}")
    printed = served.copy.run("python", "manage.py", *command, PUBLIC_URL=served.url).stdout
    made = dict(line.split(": ") for line in printed.splitlines())
    window = served.window()
    with run(
        guide, port=port, folder=tmp_path, client_id=made["client_id"], client_secret=made["client_secret"]
    ) as home:
        login = window.get(f"{home}login{'/' if kind == 'django' else ''}", timeout=120)
        consent = served.submit_page(window, login, identifier=reader, password=PASSWORD)
        (shown,) = re.findall(r'name="shown" value="([^"]+)"', consent.text)
        leaving = served.submit_page(window, consent, shown=shown, decision="allow")
        (callback,) = re.findall(r'http-equiv="refresh" content="0;url=([^"]+)"', leaving.text)
        welcome = window.get(html.unescape(callback), timeout=120)

    assert (welcome.url, f"You are {reader}." in welcome.text) == (home, True)


def test_passkeys_are_bound_to_localhost(served: Served) -> None:
    window = served.window()
    options = window.post(f"{served.url}/api/v1/mfa/passkeys/login/", json={"transport": "token"}, timeout=120).json()

    assert options["options"]["rpId"] == "localhost"
    checked = served.copy.run("python", "manage.py", "check", PUBLIC_URL=served.url)
    assert "no issues" in checked.stdout + checked.stderr


def test_the_first_administrator_needs_no_mail(served: Served) -> None:
    link = next(line.strip() for line in served.output.read_text().splitlines() if "/setup/" in line)
    mails = served.output.read_text().count("To: ")

    page = served.submit(served.window(), urlsplit(link).path, email="root@example.org", password=PASSWORD)

    assert "Add an authenticator app" in page.text
    assert served.output.read_text().count("To: root@example.org") == 0, mails


def test_a_port_in_use_is_refused(served: Served) -> None:
    port = urlsplit(served.url).port

    refused = served.copy.run("python", "tools/serve.py", "--port", str(port))

    assert refused.returncode == 1
    assert refused.stderr.startswith(f"Port {port} is in use.")


def api(served: Served, credential: str, path: str, **body: str) -> Any:
    """Call the API with curl, as the login did. Another client would have to prove itself again."""
    command = ["curl", "-s", f"{served.url}/api/v1/{path}", "-H", "Content-Type: application/json"]
    command += ["-H", f"Authorization: Session {credential}", "-d", json.dumps(body)]
    return json.loads(subprocess.run(command, check=True, capture_output=True, timeout=1200).stdout)
