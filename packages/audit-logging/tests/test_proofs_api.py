"""Proofs, checkpoints, exports and the activity of a person over the API. The verifier checks the output."""

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client as Browser
from django.test.utils import CaptureQueriesContext

from attacker import ENTRIES, SEALS, TABLES, key, run, unguarded
from auth_audit import offline_verifier
from auth_audit.api.bodies import EntryFilters
from auth_audit.deliver import exports
from auth_audit.models import AuditEntry, Seal
from auth_audit.offline_verifier import (
    canonical_json,
    is_consistent,
    is_included,
    leaf_hash,
    to_base64url,
    verify_checkpoint,
    verify_export,
)
from auth_audit.seal.keys import trusted_keys
from auth_audit.search import activity_of, search
from auth_audit.testing.trail import readable, recorded, seal_everything
from auth_core.events import AuthEvent, Event, EventOutcome, record
from auth_core.request.client import Client
from auth_core.testing.plans import unindexed

pytestmark = pytest.mark.django_db(transaction=True)

API = "/api/v1/audit"


def append(count: int = 1, **details: Any) -> None:
    for _number in range(count):
        record(Event(name=AuthEvent.EMAIL_VERIFIED, **details))


def exported(browser: Browser, **body: Any) -> str:
    answer = browser.post(f"{API}/exports/", {"format": "jsonl", **body}, content_type="application/json")
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content).decode()  # type: ignore[attr-defined]  # a streaming response


def checked(text: str, **more: Any) -> offline_verifier.Report:
    return verify_export(text.splitlines(), trusted_keys(), **more)


@pytest.fixture
def sealed(auditor: Browser) -> Browser:
    append(5)
    seal_everything()
    return auditor


def test_each_proof_is_accepted_by_the_verifier(sealed: Browser) -> None:
    append(3)
    seal_everything()

    for seal in Seal.objects.order_by("number"):
        body = sealed.get(f"{API}/entries/{seal.entry_id}/proof/").json()
        checkpoint = verify_checkpoint(body["checkpoint"], trusted_keys())
        path = [bytes.fromhex(step) for step in body["path"]]
        assert is_included(
            leaf_hash(canonical_json(body["entry"])), body["number"], checkpoint.size, path, checkpoint.root
        )
        assert (body["number"], body["state"]) == (seal.number, "proven")


def test_an_unsealed_entry_has_the_state_waiting(auditor: Browser) -> None:
    append()

    body = auditor.get(f"{API}/entries/{recorded()[-1].pk}/proof/").json()

    assert (body["state"], body["number"], body["path"]) == ("waiting", None, [])


def test_a_changed_entry_has_the_state_tampered(sealed: Browser) -> None:
    entry = recorded()[-1]
    with unguarded():
        run(f"UPDATE {ENTRIES} SET reason = 'forged' WHERE id = %s", [key(entry.pk)])

    assert sealed.get(f"{API}/entries/{entry.pk}/proof/").json()["state"] == "tampered"
    with unguarded():
        run(f"DELETE FROM {SEALS} WHERE number = 0")
    assert sealed.get(f"{API}/entries/{entry.pk}/proof/").json()["state"] == "tampered"


def test_an_unknown_entry_id_has_no_proof(auditor: Browser) -> None:
    assert auditor.get(f"{API}/entries/01900000-0000-7000-8000-000000000000/proof/").status_code == 404


def test_checkpoints_are_listed_and_consistent(sealed: Browser) -> None:
    append(4)
    seal_everything()

    page = sealed.get(f"{API}/checkpoints/").json()
    newer, older = page["results"]
    first, size = older["checkpoint"]["size"], newer["checkpoint"]["size"]
    body = sealed.get(f"{API}/checkpoints/{size}/?first={first}").json()

    new, old = verify_checkpoint(body, trusted_keys()), verify_checkpoint(older, trusted_keys())
    path = [bytes.fromhex(step) for step in body["consistency"]]
    assert is_consistent(old.size, new.size, old.root, new.root, path)
    assert sealed.get(f"{API}/checkpoints/{size}/").json()["consistency"] == []


@pytest.mark.parametrize(("address", "status"), [("999/", 404), ("{size}/?first=999", 404), ("{size}/?first=x", 400)])
def test_an_unknown_checkpoint_is_refused(address: str, status: int, sealed: Browser) -> None:
    size = sealed.get(f"{API}/checkpoints/").json()["results"][0]["checkpoint"]["size"]

    assert sealed.get(f"{API}/checkpoints/{address.format(size=size)}").status_code == status


def test_an_export_is_accepted_by_the_verifier(sealed: Browser) -> None:
    append()
    text = exported(sealed)

    report = checked(text)

    assert report.problems == []
    assert (report.proven, report.unsealed) == (Seal.objects.count(), 2)


def test_an_export_is_itself_recorded(sealed: Browser) -> None:
    exported(sealed, name="auth.email.verified")

    (read,) = readable("audit.export.created")
    assert read.data == {"format": "jsonl", "filters": {"name": "auth.email.verified"}}
    assert read.entry.data == {"format": "jsonl", "filters": None}
    assert read.entry.actor_id == User.objects.get(email="auditor@example.org").auth_identity.subject_id  # type: ignore[attr-defined]  # created on first access


@pytest.mark.asvs("16.5.3")
def test_an_export_that_cannot_be_recorded_is_refused(sealed: Browser, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {}}
    sealed.raise_request_exception = False

    answer = sealed.post(f"{API}/exports/", {"format": "jsonl"}, content_type="application/json")

    assert answer.status_code == 500


def changed(lines: list[str]) -> list[str]:
    return [line.replace("auth.email.verified", "auth.email.revoked") for line in lines]


TAMPERED: dict[str, Callable[[list[str]], list[str]]] = {
    "changed": changed,
    "removed": lambda lines: lines[:2] + lines[3:],
    "cut": lambda lines: lines[:-3],
    "inserted": lambda lines: [*lines, lines[-3].replace('"number":', '"number":1')],
    "doubled": lambda lines: [*lines, lines[1]],
    "renumbered": lambda lines: [line.replace('"number":1', '"number":2') for line in lines],
    "no json": lambda lines: [*lines, "{"],
    "no checkpoint": lambda lines: lines[1:],
    "empty": lambda lines: [],
    "another size": lambda lines: [lines[0].replace('"size":', '"size":1'), *lines[1:]],
}


@pytest.mark.parametrize("how", TAMPERED)
def test_a_changed_export_has_problems(how: str, sealed: Browser) -> None:
    lines = exported(sealed).splitlines()

    report = checked("\n".join(TAMPERED[how](lines)))

    assert report.problems != []


def test_an_export_is_compared_with_a_checkpoint_stored_elsewhere(sealed: Browser) -> None:
    early = exported(sealed)
    older = sealed.get(f"{API}/checkpoints/").json()["results"][0]
    append(3)
    seal_everything()
    newer = sealed.get(f"{API}/checkpoints/").json()["results"][0]

    assert checked(early, against=older).problems == []
    assert "truncated" in checked(early, against=newer).problems[0]
    assert checked(exported(sealed), against=older).problems == []
    assert "only a complete export" in checked(exported(sealed, name="auth.email.verified"), against=older).problems[0]


def test_an_export_of_a_trail_sealed_again_does_not_match_an_older_checkpoint(sealed: Browser) -> None:
    older = sealed.get(f"{API}/checkpoints/").json()["results"][0]
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(recorded()[0].pk)])
        for table in TABLES[1:]:
            run(f"DELETE FROM {table}")
    append(3)
    seal_everything()

    assert checked(exported(sealed)).problems == []
    assert "do not match the other checkpoint" in checked(exported(sealed), against=older).problems[0]


def test_the_command_line_verifies_a_file(sealed: Browser, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    good, bad, stored = tmp_path / "good", tmp_path / "bad", tmp_path / "kept"
    text = exported(sealed)
    good.write_text(text)
    bad.write_text("\n".join(changed(text.splitlines())))
    stored.write_text(json.dumps(json.loads(text.splitlines()[0])["checkpoint"]))
    keys = [f"--key={name}:{to_base64url(public)}" for name, public in trusted_keys().items()]

    statuses = [offline_verifier.main([str(path), "--against", str(stored), *keys]) for path in (good, bad)]

    assert statuses == [0, 1]
    assert "does not match the checkpoint" in capsys.readouterr().out


@pytest.mark.asvs("1.2.10")
@pytest.mark.parametrize("is_disabled", [False, True], ids=["as it is", "with the guard disabled"])
@pytest.mark.parametrize("text", ["=cmd|' /C calc'!A0", "+1+1", "-2+3", "@SUM(1)", "\uff1d1"])
def test_no_csv_cell_is_a_formula(
    text: str, is_disabled: bool, auditor: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(client=Client(ip="192.0.2.1", user_agent=text), target=("x", text), reason=text)
    if is_disabled:
        monkeypatch.setattr(exports, "_FORMULA", ("\x00",))

    rows = list(csv.reader(io.StringIO(exported(auditor, format="csv", name="auth.email.verified"))))

    cells = [cell for row in rows[1:] for cell in row]
    begins = [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\uff1d"))]
    assert bool(begins) == is_disabled
    assert is_disabled or cells.count(f"'{text}") == 3
    assert rows[0][:3] == ["number", "id", "name"]


@pytest.mark.asvs("16.4.1")
@pytest.mark.parametrize("text", ['a\r\n{"entry":1}', "\x1b[31m", '","x":"', "\u2028", "x" * 100_000])
def test_an_export_has_one_line_per_entry(text: str, auditor: Browser) -> None:
    append(client=Client(user_agent=text), reason=text)
    seal_everything()

    lines = exported(auditor, name="auth.email.verified").split("\n")

    assert len(lines) == 3
    assert lines[2] == ""
    assert len(lines[1]) < 20_000
    assert "\x1b" not in lines[1]


def test_an_export_is_read_chunk_by_chunk(auditor: Browser, monkeypatch: pytest.MonkeyPatch) -> None:
    append(7)
    monkeypatch.setattr(exports, "_CHUNK", 2)

    assert len(exported(auditor, name="auth.email.verified").splitlines()) == 8


@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("path", ["exports/", "checkpoints/", "checkpoints/1/"])
def test_exporting_requires_the_permission_to_read(method: str, path: str, alice: Any) -> None:
    browser = Browser()
    assert getattr(browser, method)(f"{API}/{path}").status_code in (401, 405)
    browser.force_login(alice, backend="auth_core.backends.IdentifierBackend")

    assert getattr(browser, method)(f"{API}/{path}", {}, content_type="application/json").status_code in (403, 405)


@pytest.mark.parametrize(
    "body", [{}, {"format": "xml"}, {"format": "csv", "colour": "red"}, {"format": "csv", "network": "here"}]
)
def test_an_invalid_export_request_is_refused_and_not_recorded(body: dict[str, str], auditor: Browser) -> None:
    assert auditor.post(f"{API}/exports/", body, content_type="application/json").status_code == 400
    assert recorded("audit.export.created") == []


@pytest.mark.parametrize(
    ("network", "count"),
    [
        ("192.0.2.0/24", 2), ("192.0.2.7", 1), ("192.0.2.128/25", 1), ("198.51.100.0/24", 0), ("2001:db8::/32", 1),
        ("0.0.0.0/0", 2),
    ],
)  # fmt: skip
def test_entries_can_be_filtered_by_network(network: str, count: int, auditor: Browser) -> None:
    for address in ("192.0.2.7", "192.0.2.200", "2001:db8::1"):
        append(client=Client(ip=address))
    append()

    page = auditor.get(f"{API}/entries/?name=auth.email.verified&network={network}").json()

    assert len(page["results"]) == count


@pytest.mark.postgresql
def test_network_filter_and_activity_use_an_index(alice: Any) -> None:
    subject = alice.auth_identity.subject_id
    filters = EntryFilters._checked({"network": "192.0.2.0/24"})

    assert unindexed(lambda: list(search(filters).order_by("-id")[:50])) == []
    assert unindexed(lambda: list(activity_of(subject).order_by("-id")[:50])) == []


def test_activity_shows_a_persons_own_events(alice: Any, signed_in: Any) -> None:
    helper = User.objects.create_user("helper")
    browser = signed_in(alice)
    record(Event(name=AuthEvent.PASSWORD_CHANGED, subject=alice, client=Client(ip="192.0.2.1", user_agent="Firefox")))
    record(Event(name=AuthEvent.ACCOUNT_LOCKED, subject=alice, actor=helper, client=Client(ip="192.0.2.9")))
    record(Event(name=AuthEvent.ACCOUNT_LOCKED, subject=helper))

    locked, changed_password = browser.get("/api/v1/me/activity/").json()["results"][:2]

    assert (changed_password["what"], changed_password["by"]) == (
        "A password was changed, and other sessions end.",
        "you",
    )
    assert (changed_password["ip"], changed_password["user_agent"]) == ("192.0.2.1", "Firefox")
    assert (locked["what"], locked["by"], locked["ip"]) == ("An account was locked.", "somebody_else", None)


def test_the_actor_of_a_failed_login_is_unknown(alice: Any, signed_in: Any) -> None:
    browser = signed_in(alice)
    failed = Event(
        name=AuthEvent.LOGIN_FAILED, subject=alice, outcome=EventOutcome.FAILURE, client=Client(ip="192.0.2.66")
    )
    record(failed)

    newest = browser.get("/api/v1/me/activity/").json()["results"][0]

    assert (newest["by"], newest["ip"], newest["outcome"]) == ("unknown", "192.0.2.66", "failure")


def test_activity_requires_a_login() -> None:
    assert Browser().get("/api/v1/me/activity/").status_code == 401


def test_listing_activity_runs_no_count(alice: Any, signed_in: Any) -> None:
    browser = signed_in(alice)

    with CaptureQueriesContext(connection) as queries:
        browser.get("/api/v1/me/activity/")

    assert not any("COUNT(" in query["sql"] for query in queries)
    assert AuditEntry.objects.exists()
