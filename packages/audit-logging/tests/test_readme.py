"""The code blocks of the README work in a new Django project with Django's user model."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from auth_audit.conf import AuditSettings
from auth_audit.personal.readable_entry import PersonalState
from auth_audit.testing.trail import readable, recorded
from auth_core.events import AuthEvent, Event, catalogue, record
from auth_core.request.client import Client
from auth_core.testing.readme import FreshSite, blocks

README = Path(__file__).parents[1] / "README.md"

#: What a user does in the new site with a browser. Prints the entries and writes the export.
VISIT = """
import json
from django.contrib.auth.models import Group, User
from django.test import Client
from auth_audit.models import AuditEntry
from auth_audit.personal.readable_entry import read_one
from auth_audit.testing.trail import seal_everything

boss = User.objects.create_superuser("boss", "boss@example.org", "correct horse battery staple")
browser = Client(HTTP_HOST="localhost")
browser.post("/admin/login/", {"username": "boss", "password": "wrong"})
assert browser.post("/admin/login/", {"username": "boss", "password": "correct horse battery staple"}).status_code == 302
assert browser.post("/admin/auth/group/add/", {"name": "editors"}).status_code == 302
group = Group.objects.get()
assert browser.post(f"/admin/auth/group/{group.pk}/change/", {"name": "readers"}).status_code == 302
seal_everything()
answer = browser.post("/api/v1/audit/exports/", {"format": "jsonl"}, content_type="application/json")
assert answer.status_code == 200, answer.content
open("export.jsonl", "wb").write(b"".join(answer.streaming_content))
mine = browser.get("/api/v1/me/activity/").json()["results"]
changes = read_one(AuditEntry.objects.get(name="audit.object.changed")).changes
print(json.dumps({"names": [entry.name for entry in AuditEntry.objects.order_by("id")], "changes": changes, "mine": len(mine)}))
"""


class Order:
    pk = 7
    is_cancelled = False

    def cancel(self) -> None:
        self.is_cancelled = True


@pytest.mark.django_db
def test_an_event_of_the_site_is_recorded(alice: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(catalogue, "_entries", dict(catalogue.items()))
    (example,) = blocks(README, "python shop")
    names: dict[str, Any] = {}
    exec(example, names)

    names["cancel"](Order(), alice)

    entry = recorded("shop.order.cancelled")[0]
    assert entry.subject_id == alice.auth_identity.subject_id
    assert (entry.target_kind, entry.target_id, entry.severity) == ("order", "7", "notice")


@pytest.mark.django_db
def test_the_personal_values_of_a_person_can_be_erased(alice: Any) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, subject=alice, client=Client(ip="192.0.2.1")))
    (example,) = blocks(README, "python erase")

    exec(example, {"subject_id": alice.auth_identity.subject_id})

    assert [entry.personal for entry in readable("auth.email.verified")] == [PersonalState.ERASED]


@pytest.mark.asvs("16.3.1")
@pytest.mark.sqlite  # the site has its own database, so once is enough
def test_every_block_works_in_a_new_site(tmp_path: Path) -> None:
    site = FreshSite(tmp_path)
    site.follow(README)
    migrate, seal, verify_export = blocks(README, "sh")

    site.sh(migrate)
    visited = json.loads(site.python(VISIT))
    seal_output = site.sh(seal)
    public = site.sh("python manage.py audit_seal --keys").strip()
    verifier_output = site.sh(verify_export, KEY=public)

    assert visited["names"] == [
        "audit.account.created",
        "auth.login.failed",
        "auth.login.succeeded",
        "audit.object.added",
        "audit.object.changed",
        "audit.export.created",
    ]
    assert visited["changes"] == {"name": {"before": "editors", "after": "readers"}}
    assert visited["mine"] == 6
    assert "No tampering found." in seal_output
    assert "5 proven, 1 not yet sealed, 0 problems" in verifier_output


def test_every_setting_is_in_the_readme() -> None:
    documented = re.findall(r"^\| `([A-Z_]+)` \|", README.read_text(encoding="utf-8"), re.MULTILINE)

    assert set(documented) == set(AuditSettings.options)
