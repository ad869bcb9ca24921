"""The blocks of the README about the provider work in a new site of Django."""

import json
from pathlib import Path

import pytest

from auth_core.testing.readme import FreshSite, blocks

README = Path(__file__).parents[2] / "README.md"

VISIT = """
from django.test import Client
browser = Client(HTTP_HOST="localhost")
body = "grant_type=client_credentials&client_id={client_id}&client_secret={client_secret}"
form = "application/x-www-form-urlencoded"
print(browser.get("/.well-known/openid-configuration").json()["issuer"])
print(browser.post("/oauth/token", body, form).status_code, browser.get("/api/v1/applications/").status_code)
"""


def block(kind: str, name: str) -> str:
    return next(text for text in blocks(README, kind) if name in text)


@pytest.mark.sqlite  # the site has its own database, so once is enough
def test_the_provider_works_in_a_fresh_site(tmp_path: Path) -> None:
    site = FreshSite(tmp_path)
    site.follow(README)
    site.append("settings.py", block("python settings", "toolkit_settings"))
    site.append("urls.py", block("python urls", "auth_core.oauth.urls"))
    site.manage("migrate")

    assert "no issues" in site.manage("check", "--database", "default")
    grant = ("--grant", "client_credentials", "--json")
    made = json.loads(site.manage("create_application", "--name", "Robot", *grant))

    assert site.python(VISIT.format(**made)).splitlines() == ["http://localhost:8000", "200 401"]
