"""The package in a fresh `django-admin startproject` site, with the README's blocks for a site that has a login."""

import base64
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, OpenerDirector, build_opener

import pytest

from auth_core.testing.factories import PASSWORD
from auth_core.testing.readme import FreshSite
from auth_mfa import oath

# The site has its own database, so one run is enough.
pytestmark = [pytest.mark.live, pytest.mark.sqlite]

README = Path(__file__).parents[1] / "README.md"

#: The site's own code: Django's login, and a view without access control.
SITE_URLS = """
from django.contrib.auth.views import LoginView
from django.http import HttpResponse

urlpatterns += [
    path("accounts/login/", LoginView.as_view()),
    path("accounts/profile/", lambda request: HttpResponse(f"hello {request.user.get_username() or 'nobody'}")),
]
"""

SITE_SETTINGS = """
TEMPLATES[0]["DIRS"] = [BASE_DIR / "templates"]
"""

#: The same site without the middleware, as the planted defect.
UNGUARDED = """
from mysite.settings import *

MIDDLEWARE = [name for name in MIDDLEWARE if not name.startswith("auth_mfa.")]
"""

SERVER = """
import os, sys
from wsgiref.simple_server import make_server
os.environ["DJANGO_SETTINGS_MODULE"] = sys.argv[1]
from mysite.wsgi import application
server = make_server("127.0.0.1", 0, application)
print(server.server_port, flush=True)
server.serve_forever()
"""


@dataclass
class Person:
    """A minimal browser."""

    site: str
    opener: OpenerDirector = field(default_factory=lambda: build_opener(HTTPCookieProcessor(CookieJar())))
    address: str = ""
    page: str = ""

    def get(self, path: str) -> str:
        return self._open(f"{self.site}{path}", None)

    def submit(self, **typed: str) -> str:
        """Submit the form of the current page."""
        token = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', self.page)
        assert token is not None, self.page
        return self._open(self.address, urlencode({"csrfmiddlewaretoken": token[1], **typed}).encode())

    def _open(self, address: str, data: bytes | None) -> str:
        with self.opener.open(address, data, timeout=30) as response:
            self.address, self.page = response.geturl(), response.read().decode()
        return self.page


@pytest.fixture(scope="module")
def plain_site(tmp_path_factory: pytest.TempPathFactory) -> FreshSite:
    """A fresh site with the blocks of the README for a site that has a login."""
    folder = tmp_path_factory.mktemp("plain")
    site = FreshSite(folder)
    site.append("settings.py", SITE_SETTINGS)
    site.append("urls.py", SITE_URLS)
    site.follow(README, number=1)
    template = folder / "templates" / "registration" / "login.html"
    template.parent.mkdir(parents=True)
    template.write_text('<form method="post">{% csrf_token %}{{ form }}</form>', encoding="utf-8")
    (folder / "mysite" / "unguarded.py").write_text(UNGUARDED, encoding="utf-8")
    (folder / "server.py").write_text(SERVER, encoding="utf-8")
    site.manage("migrate", "--verbosity", "0")
    code = f"for name in ('alice', 'bob'): User.objects.create_user(name, password={PASSWORD!r})"
    site.python(f"from django.contrib.auth.models import User\n{code}")
    return site


@contextmanager
def served(site: FreshSite, settings: str = "mysite.settings") -> Iterator[str]:
    """Serve *site* in its own process and yield its address."""
    log = site.folder / "server.log"
    with log.open("w") as errors:
        process = subprocess.Popen(
            [sys.executable, "server.py", settings],
            cwd=site.folder,
            env=site.environment,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
    assert process.stdout is not None
    try:
        port = process.stdout.readline().strip()
        assert port, log.read_text()
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=30)
        process.stdout.close()


def test_the_site_passes_its_checks(plain_site: FreshSite) -> None:
    assert "no issues" in plain_site.manage("check")
    assert "No changes" in plain_site.manage("makemigrations", "--check", "--dry-run")


def test_an_undecorated_view_is_closed_after_the_password_and_open_after_the_code(plain_site: FreshSite) -> None:
    with served(plain_site) as address:
        key = add_an_app(person_in(address, "alice"))
        person = person_in(address, "alice")
        led_to, between = person.address, person.get("/accounts/profile/")
        person.get("/account/second-factors/prove/")
        person.submit()
        # The previous step was spent when the app was added.
        afterwards = person.submit(code=oath.code_at(key, oath.step_at(time.time()) + 1))

    assert led_to == f"{address}/account/second-factors/prove/?next=%2Faccounts%2Fprofile%2F"
    assert between == "hello nobody"
    assert afterwards == "hello alice"


def test_without_the_middleware_the_password_alone_opens_the_view(plain_site: FreshSite) -> None:
    """The planted defect that the test above detects."""
    with served(plain_site) as address:
        add_an_app(person_in(address, "bob"))
    with served(plain_site, "mysite.unguarded") as address:
        opened = person_in(address, "bob").get("/accounts/profile/")

    assert opened == "hello bob"
    assert "auth_mfa.W010" in plain_site.sh("python manage.py check --settings mysite.unguarded 2>&1")


def person_in(address: str, name: str) -> Person:
    """Return the browser of a user who signed in with Django's own login."""
    person = Person(address)
    assert person.get("/accounts/profile/") == "hello nobody"
    person.get("/accounts/login/")
    person.submit(username=name, password=PASSWORD)
    return person


def add_an_app(person: Person) -> bytes:
    """Add an authenticator app on the pages and return its key."""
    person.get("/account/second-factors/add/")
    person.submit()
    match = re.search(r"secret=([A-Z2-7]+)", person.page)
    assert match is not None, person.page
    key = base64.b32decode(match[1] + "=" * (-len(match[1]) % 8))
    person.submit(code=oath.code_at(key, oath.step_at(time.time())))
    return key
