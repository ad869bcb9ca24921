"""Changes of lists are recorded in full. Every other truncation is noted with the digest of the whole value."""

import json
from hashlib import sha256
from typing import Any

import pytest
from django.contrib.auth.models import Group, Permission
from django.test import Client as Browser
from django.test import RequestFactory
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import attacker
from attacker import ENTRIES, run, unguarded
from auth_audit.append import change_parts, column_values, digests
from auth_audit.append.bounds import Bounds, digest_of
from auth_audit.append.macs import verifies
from auth_audit.models import AuditEntry
from auth_audit.testing.trail import readable, recorded, seal_everything
from auth_audit.verify.findings import Tampering
from auth_audit.verify.verification import verify
from auth_core.events import AuthEvent, Event, record
from auth_core.request.client import Client, client_of
from auth_core.request.context import Context, bound
from auth_core.testing.factories import make_administrator
from auth_core.testing.sessions import sign_in

NAMES = [f"shop.view_thing{number:05}" for number in range(20_000)]


def record_change(**changes: Any) -> list[AuditEntry]:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, changes=changes))
    return recorded("auth.email.verified")


def bounds_of(entry: AuditEntry) -> dict[str, Any]:
    bounds: dict[str, Any] | None = entry.bounds
    assert bounds is not None
    return bounds


def merged(entries: list[AuditEntry]) -> dict[str, Any]:
    """Merge the parts of one event."""
    whole: dict[str, Any] = {}
    for entry in entries:
        for name, change in entry.changes.items():
            for key, value in change.items():
                if isinstance(value, list):
                    whole.setdefault(name, {}).setdefault(key, []).extend(value)
                else:
                    whole.setdefault(name, {})[key] = value
    return whole


@pytest.mark.django_db
def test_the_34th_permission_of_a_role_is_recorded() -> None:
    (entry,) = record_change(permissions={"before": NAMES[:33], "after": NAMES[:34]})

    assert entry.changes == {"permissions": {"added": [NAMES[33]], "removed": []}}
    assert entry.bounds is None


@pytest.mark.django_db
def test_changes_of_long_lists_are_recorded_in_full_over_several_entries() -> None:
    before, after = NAMES[:12_000], NAMES[4_000:]

    entries = record_change(permissions={"before": before, "after": after}, name={"before": "a", "after": "b"})

    assert len(entries) > 1
    assert all(len(json.dumps(entry.changes)) <= column_values.LONGEST_JSON for entry in entries)
    assert merged(entries) == {
        "permissions": {"added": NAMES[12_000:], "removed": NAMES[:4_000]},
        "name": {"before": "a", "after": "b"},
    }


@pytest.mark.django_db
def test_each_part_has_its_number_and_the_digest_of_the_whole() -> None:
    entries = record_change(permissions={"before": [], "after": NAMES[:3_000]})

    parts = [bounds_of(entry)["part"] for entry in entries]
    assert [(part["number"], part["of"]) for part in parts] == [(n, len(entries)) for n in range(1, len(entries) + 1)]
    assert {part["first"] for part in parts} == {str(entries[0].pk)}
    assert {part["sha256"] for part in parts} == {digest_of(merged(entries))}


@pytest.mark.django_db(transaction=True)
def test_the_column_bounds_is_covered_by_mac_and_seal() -> None:
    entries = record_change(permissions={"before": [], "after": [*NAMES[:3_000], "x" * 600]})
    seal_everything()

    assert all(verifies(entry) for entry in entries)
    changed = entries[-1]
    assert bounds_of(changed)["cut"]
    with unguarded():
        run(f"UPDATE {ENTRIES} SET bounds = NULL WHERE id = %s", [attacker.key(changed.pk)])
    assert not verifies(AuditEntry.objects.get(pk=changed.pk))
    assert [(finding.what, finding.entry) for finding in verify().findings] == [(Tampering.CHANGED, changed.pk)]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("change", "stored"),
    [
        ({"before": ["a", "b"], "after": ["b", "c"]}, {"added": ["c"], "removed": ["a"]}),
        ({"after": ["a"]}, {"added": ["a"]}),
        ({"before": ["a"]}, {"removed": ["a"]}),
        ({"after": []}, {"added": []}),
        ({"before": None, "after": ("a",)}, {"added": ["a"], "removed": []}),
        ({"before": ["a", "a"], "after": ["a"]}, {"added": [], "removed": ["a"]}),
        ({"before": ["a", "b"], "after": ["b", "a"]}, {"before": ["a", "b"], "after": ["b", "a"]}),
        ({"before": [1], "after": [True]}, {"added": [True], "removed": [1]}),
        ({"before": [{"k": 1}], "after": [{"k": 2}]}, {"added": [{"k": 2}], "removed": [{"k": 1}]}),
        ({"before": "x", "after": ["a"]}, {"before": "x", "after": ["a"]}),
        ({"before": "x", "after": "y"}, {"before": "x", "after": "y"}),
        ({"before": {"a": 1}, "after": None}, {"before": {"a": 1}, "after": None}),
        ("no mapping", "no mapping"),
    ],
)
def test_a_changed_list_is_recorded_as_added_and_removed_members(change: Any, stored: Any) -> None:
    (entry,) = record_change(field=change)

    assert json.dumps(entry.changes["field"], sort_keys=True) == json.dumps(stored, sort_keys=True)


@pytest.mark.django_db
def test_long_values_that_differ_at_their_end_have_different_digests() -> None:
    one, other = "x" * 600 + "a", "x" * 600 + "b"

    (entry,) = record_change(note={"before": one, "after": other})

    assert entry.changes["note"]["after"] == "x" * 499 + "…"
    assert bounds_of(entry)["cut"] == {
        "changes/note/before": {"length": 601, "sha256": sha256(one.encode()).hexdigest()},
        "changes/note/after": {"length": 601, "sha256": sha256(other.encode()).hexdigest()},
    }


@pytest.mark.django_db
@pytest.mark.parametrize("column", ["reason", "target_kind", "target_id", "client_request_id"])
@pytest.mark.parametrize("text", ["x" * 2_000, "\x1b" * 512, "é" * 513], ids=["long", "escaped", "no ASCII"])
def test_every_truncated_text_is_noted(column: str, text: str) -> None:
    target = (text, "x") if column == "target_kind" else ("x", text) if column == "target_id" else None
    with bound(Context("c", client_request_id=text if column == "client_request_id" else "")):
        reason = text if column == "reason" else ""
        record(Event(name=AuthEvent.EMAIL_VERIFIED, reason=reason, target=target))

    (entry,) = recorded("auth.email.verified")
    assert entry.bounds == {"cut": {column: {"length": len(text), "sha256": sha256(text.encode()).hexdigest()}}}
    assert getattr(entry, column).endswith("…")
    assert len(getattr(entry, column)) <= AuditEntry._meta.get_field(column).max_length  # type: ignore[operator,union-attr]  # the column has a length


@pytest.mark.django_db
@pytest.mark.parametrize(("column", "longest"), [("user_agent", 512), ("network", 49)])
@pytest.mark.parametrize("text", ["x" * 2_000, "\x1b" * 512, "é" * 513], ids=["long", "escaped", "no ASCII"])
def test_every_truncated_personal_text_is_noted_beside_it(column: str, longest: int, text: str) -> None:
    record(Event(name=AuthEvent.EMAIL_VERIFIED, client=Client(**{column: text})))  # type: ignore[arg-type]  # a text

    (read,) = readable("auth.email.verified")
    assert read.bounds == {"cut": {column: {"length": len(text), "sha256": sha256(text.encode()).hexdigest()}}}
    assert read.entry.bounds is None, "a digest without a key would reveal a personal value"
    assert getattr(read, column).endswith("…")
    assert len(getattr(read, column)) <= longest


@pytest.mark.django_db
def test_values_that_fit_leave_bounds_empty() -> None:
    exact = {"kind": "x" * 500}
    record(Event(name=AuthEvent.LOGIN_CHALLENGED, data=exact, client=Client(user_agent="x" * 512), reason="x" * 64))

    (entry,) = recorded("auth.login.challenged")
    assert entry.data == exact
    assert entry.bounds is None


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("value", "pointers"),
    [
        ("x" * 501, ["data/kind"]),
        (list(range(33)), ["data/kind"]),
        ({str(number): number for number in range(33)}, ["data/kind"]),
        ([[[["deep"]]]], ["data/kind/0/0/0"]),
        ({"a/b": ["x" * 501]}, ["data/kind/a~1b/0"]),
        ({"x" * 501: 1}, ["data/kind"]),
        (10**600, ["data/kind"]),
        (["x" * 499] * 32, []),
        ([["x" * 400] * 32] * 2, ["data"]),
        ([[[[0]] * 20] * 20] * 20, ["data"]),
    ],
    ids=lambda value: repr(value)[:20],
)
def test_every_truncation_in_data_is_noted(value: Any, pointers: list[str]) -> None:
    record(Event(name=AuthEvent.LOGIN_CHALLENGED, data={"kind": value}))

    (entry,) = recorded("auth.login.challenged")
    cut = (entry.bounds or {"cut": {}})["cut"]
    assert list(cut) == pointers
    if pointers == ["data"]:
        assert cut["data"]["sha256"] == digest_of({"kind": value})


def test_the_size_of_the_notes_is_limited() -> None:
    bounds = Bounds()
    stored = column_values.json_object({"kind": [[[[0]] * 10] * 10] * 10}, bounds, "data")

    assert list(stored) == ["kind"], "the value itself is not truncated"

    notes = bounds.to_json() or {}
    assert list(notes["cut"]) == ["data"]
    assert len(json.dumps(notes)) < 200


def test_a_text_is_truncated_again_after_escaping() -> None:
    assert column_values.text("\x1b" * 500, 500) == "\\u001b" * 83 + "\\…"


@pytest.mark.parametrize(
    "value",
    [{"a": [1, None, True, 0.5, "é"], "b": {}}, [], {"b": 1, "a": [[[[[[1]]]]]]}],
)
def test_the_digest_of_a_value_is_that_of_its_canonical_json(value: Any) -> None:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":")).encode()

    assert digest_of(value) == sha256(canonical).hexdigest()


def test_deep_huge_and_circular_values_have_a_digest() -> None:
    deep: Any = "bottom"
    for _level in range(100_000):
        deep = [deep]
    circle: list[Any] = []
    circle.append(circle)

    assert len({digest_of(each) for each in (deep, [deep], circle, [10**10_000], {1, 2}, "\ud800")}) == 6
    assert digest_of({"b", "a", "c"}) == digest_of({"c", "b", "a"})


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    before=st.lists(st.text(max_size=3) | st.integers(0, 2), max_size=50),
    after=st.lists(st.text(max_size=3) | st.integers(0, 2), max_size=50),
)
def test_added_and_removed_members_reproduce_the_new_list(before: list[Any], after: list[Any]) -> None:
    ((changes, bounds),) = change_parts.split_changes({"field": {"before": before, "after": after}})

    change = changes["field"]
    if "added" in change:
        remaining = before
        for member in change["removed"]:
            remaining = _without(remaining, member)
        assert sorted(map(_stored, [*remaining, *change["added"]])) == sorted(map(_stored, after))
    else:
        assert sorted(map(_stored, before)) == sorted(map(_stored, after))
    assert bounds.to_json() is None


def _stored(value: Any) -> str:
    return json.dumps(column_values.json_object({"value": value}))


def _without(members: list[Any], member: Any) -> list[Any]:
    index = next(number for number, other in enumerate(members) if _stored(other) == _stored(member))
    return members[:index] + members[index + 1 :]


@pytest.mark.django_db
def test_a_user_agent_truncated_by_the_request_is_noted() -> None:
    text = "Firefox " + "x" * 1_000
    request = RequestFactory().get("/", HTTP_USER_AGENT=text)

    record(Event(name=AuthEvent.EMAIL_VERIFIED, client=client_of(request)))

    (read,) = readable("auth.email.verified")
    assert read.bounds == {"cut": {"user_agent": {"length": 1_008, "sha256": sha256(text.encode()).hexdigest()}}}


@pytest.mark.django_db
def test_the_admin_records_the_34th_permission_of_a_group() -> None:
    boss = make_administrator("boss@example.org")
    permissions = list(Permission.objects.order_by("pk")[:40])
    group = Group.objects.create(name="editors")
    group.permissions.set(permissions[:33])
    browser: Browser = sign_in(boss)

    form = {"name": "editors", "permissions": [permission.pk for permission in permissions[:34]]}
    assert browser.post(f"/admin/auth/group/{group.pk}/change/", form).status_code == 302

    (entry,) = recorded("audit.object.changed")
    assert entry.changes == {"permissions": {"added": [str(permissions[33].pk)], "removed": []}}


def test_long_identifiers_that_differ_at_their_end_have_different_digests() -> None:
    assert digests.digest_of_today("x" * 400 + "a") != digests.digest_of_today("x" * 400 + "b")
    assert digests.digest_of_today("X" * 320) == digests.digest_of_today("x" * 320)


@pytest.mark.django_db
def test_the_api_shows_the_notes_about_truncations(auditor: Browser) -> None:
    record_change(note={"before": "", "after": "x" * 501})

    (body,) = auditor.get("/api/v1/audit/entries/?name=auth.email.verified").json()["results"]
    assert list(body["bounds"]["cut"]) == ["changes/note/after"]
