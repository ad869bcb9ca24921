"""The blocks of the README work in a new site from ``django-admin startproject``."""

import json
from pathlib import Path

import pytest

from auth_core.testing.readme import FreshSite, blocks

README = Path(__file__).parents[1] / "README.md"

#: What a user does in the new site with a browser, after the site's own login.
VISIT = """
import json
from django.contrib.auth.models import User
from django.test import Client

User.objects.create_superuser("boss", "boss@example.org", "correct horse battery staple")
browser = Client(HTTP_HOST="localhost", REMOTE_ADDR="198.51.100.7", HTTP_USER_AGENT="Mozilla/5.0 Firefox/140.0")
password = {"username": "boss", "password": "correct horse battery staple"}
assert browser.post("/admin/login/", password).status_code == 302
page = browser.get("/account/sessions/")
(session,) = browser.get("/api/v1/sessions/").json()["results"]
print(json.dumps({"page": page.status_code, "session": session}))
"""


@pytest.mark.sqlite  # the site has its own database, so once is enough
def test_a_session_of_a_new_site_shows_its_address_and_browser(tmp_path: Path) -> None:
    site = FreshSite(tmp_path)
    site.follow(README)
    (migrate,) = blocks(README, "sh")

    site.sh(migrate)
    visited = json.loads(site.python(VISIT))

    assert visited["page"] == 200
    assert visited["session"]["ip"] == "198.51.100.7"
    assert "Firefox" in json.dumps(visited["session"])


@pytest.mark.sqlite  # as above
@pytest.mark.parametrize("options", blocks(README, "python options"))
def test_the_options_pass_the_checks_of_a_new_site(options: str, tmp_path: Path) -> None:
    site = FreshSite(tmp_path)
    site.follow(README)
    site.append("settings.py", options)

    site.manage("check")
