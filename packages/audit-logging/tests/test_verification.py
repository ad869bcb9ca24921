"""Tampering without the keys is found and named. The tests also show what cannot be found."""

from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection

from attacker import (
    CHECKPOINTS,
    ENTRIES,
    NODES,
    SEALS,
    TABLES,
    add,
    append,
    cut_tail,
    dump,
    key,
    newest,
    recompute_hashes,
    restore,
    run,
    swap_seals,
    unguarded,
)
from auth_audit.models import AuditEntry, Checkpoint, Seal
from auth_audit.offline_verifier import SIGNATURE_PREFIX, canonical_json, to_base64url
from auth_audit.seal.keys import signing_key
from auth_audit.storage.test_databases import without_guards
from auth_audit.testing.trail import seal_everything
from auth_audit.verify.findings import Tampering, Verification
from auth_audit.verify.verification import verify

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asvs("16.4.2")]


@pytest.fixture
def trail(db: None) -> list[UUID]:
    """Twelve sealed entries in three batches. Return their ids, by number."""
    for _batch in range(3):
        append(4)
        seal_everything()
    return list(Seal.objects.order_by("number").values_list("entry_id", flat=True))


def ranges_of(result: Verification, what: Tampering) -> list[tuple[UUID | None, int | None, int | None]]:
    return [(finding.entry, finding.first, finding.last) for finding in result.findings if finding.what is what]


def test_an_untouched_trail_has_no_findings(trail: list[UUID]) -> None:
    append()

    result = verify(against=[newest()])

    assert (result.sealed, result.waiting, result.findings) == (12, 1, [])


@pytest.mark.parametrize("made_to_fit", [False, True], ids=["as it is", "with every unkeyed hash recomputed"])
@pytest.mark.parametrize(
    "change",
    [
        "reason = 'forged'",
        "subject_id = NULL, name = 'auth.login.succeeded'",
        "personal = '[\"v1.x\"]'",
        "mac_key = ''",
    ],
)
def test_an_update_names_the_entry(change: str, made_to_fit: bool, trail: list[UUID]) -> None:
    with unguarded():
        assert run(f"UPDATE {ENTRIES} SET {change} WHERE id = %s", [key(trail[5])]) == 1
        if made_to_fit:
            recompute_hashes()

    result = verify()

    assert (trail[5], 5, 5) in ranges_of(result, Tampering.CHANGED)
    assert {entry for entry, _first, _last in ranges_of(result, Tampering.CHANGED) if entry} == {trail[5]}


@pytest.mark.postgresql
@pytest.mark.parametrize("change", ["recorded_at = recorded_at - interval '1 day'", "transaction_id = 7"])
def test_a_change_of_time_or_transaction_is_found_by_seal_or_batch(change: str, trail: list[UUID]) -> None:
    with unguarded():
        run(f"UPDATE {ENTRIES} SET {change} WHERE id = %s", [trail[5]])
    as_it_is = verify()
    with unguarded():
        recompute_hashes()

    assert ranges_of(as_it_is, Tampering.CHANGED) == [(trail[5], 5, 5)]
    assert (None, 4, None) in ranges_of(verify(), Tampering.CHANGED), "from 4 on, no checkpoint has a valid signature"


@pytest.mark.parametrize("with_its_seal", [False, True])
def test_a_delete_names_the_entry_or_its_number(with_its_seal: bool, trail: list[UUID]) -> None:
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(trail[6])])
        if with_its_seal:
            run(f"DELETE FROM {SEALS} WHERE number = 6")

    assert ranges_of(verify(), Tampering.REMOVED) == [(None if with_its_seal else trail[6], 6, 6)]


def test_a_delete_with_renumbered_seals_names_the_range(trail: list[UUID]) -> None:
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(trail[6])])
        run(f"DELETE FROM {SEALS} WHERE number = 6")
        for number in range(7, 12):
            run(f"UPDATE {SEALS} SET number = number - 1 WHERE number = %s", [number])

    result = verify()

    assert (None, 4, 7) in ranges_of(result, Tampering.CHANGED), "its batch"
    assert (None, 11, 11) in ranges_of(result, Tampering.REMOVED), "the last number has no seal"


def test_an_insert_names_the_entry(trail: list[UUID]) -> None:
    columns = ", ".join(field.column for field in AuditEntry._meta.fields if field.column not in ("id", "mac"))
    new_id = UUID(int=trail[3].int + 1)
    with unguarded():
        run(
            f"INSERT INTO {ENTRIES} (id, mac, {columns}) SELECT %s, '{'0' * 64}', {columns} FROM {ENTRIES} WHERE id = %s",
            [key(new_id), key(trail[3])],
        )

    assert ranges_of(verify(), Tampering.INSERTED) == [(new_id, None, None)]


def test_a_copied_entry_is_named(trail: list[UUID]) -> None:
    columns = ", ".join(field.column for field in AuditEntry._meta.fields if field.column != "id")
    new_id = UUID(int=trail[3].int + 1)
    with unguarded():
        run(
            f"INSERT INTO {ENTRIES} (id, {columns}) SELECT %s, {columns} FROM {ENTRIES} WHERE id = %s",
            [key(new_id), key(trail[3])],
        )

    assert ranges_of(verify(), Tampering.INSERTED) == [(new_id, None, None)]


def test_an_inserted_entry_with_a_forged_seal_is_named(trail: list[UUID]) -> None:
    append()
    entry = AuditEntry.objects.latest("id")
    with unguarded():
        run(f"INSERT INTO {SEALS} (number, entry_id, leaf) VALUES (12, %s, %s)", [key(entry.pk), b"0" * 32])

    assert ranges_of(verify(), Tampering.INSERTED) == [(None, 12, 12)]
    assert ranges_of(verify(), Tampering.CHANGED) == [(entry.pk, 12, 12)]


def test_swapped_entries_are_named(trail: list[UUID]) -> None:
    with unguarded():
        swap_seals(5, 6)

    assert ranges_of(verify(), Tampering.REORDERED) == [(trail[6], 5, 5), (trail[5], 6, 6)]


def test_a_swap_between_batches_names_both_ranges(trail: list[UUID]) -> None:
    with unguarded():
        swap_seals(1, 9)

    assert ranges_of(verify(), Tampering.CHANGED) == [(None, 0, 3), (None, 8, 11)]


@pytest.mark.parametrize("emptied", [(ENTRIES,), (ENTRIES, SEALS), TABLES], ids=["entries", "and seals", "everything"])
def test_emptying_every_table_is_found_only_by_a_checkpoint_stored_elsewhere(
    emptied: tuple[str, ...], trail: list[UUID]
) -> None:
    stored_checkpoint = newest()
    with unguarded():
        for table in emptied:
            run(f"TRUNCATE {table}" if connection.vendor == "postgresql" else f"DELETE FROM {table}")

    alone, against = verify(), verify(against=[stored_checkpoint])

    if emptied == TABLES:
        assert alone.findings == [], "no evidence is left"
        assert ranges_of(against, Tampering.TRUNCATED) == [(None, 0, 11)]
    else:
        assert [number for _entry, number, _last in ranges_of(alone, Tampering.REMOVED)] == list(range(12))


def test_a_deleted_tail_is_found_only_by_a_checkpoint_stored_elsewhere(trail: list[UUID]) -> None:
    stored_checkpoint = newest()
    with unguarded():
        cut_tail(8)

    assert verify().findings == [], "the rest is consistent"
    assert ranges_of(verify(against=[stored_checkpoint]), Tampering.TRUNCATED) == [(None, 8, 11)]


def test_a_tail_deleted_inside_a_batch_is_found(trail: list[UUID]) -> None:
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(trail[11])])
        run(f"DELETE FROM {SEALS} WHERE number = 11")

    assert ranges_of(verify(), Tampering.REMOVED) == [(None, 11, 11)]


def test_a_restored_backup_is_found_by_a_checkpoint_stored_elsewhere(trail: list[UUID]) -> None:
    older, stored_checkpoint = dump(), newest()
    append(4)
    seal_everything()
    newer = newest()
    with unguarded():
        restore(older)

    assert verify(against=[stored_checkpoint]).findings == []
    assert ranges_of(verify(against=[stored_checkpoint, newer]), Tampering.TRUNCATED) == [(None, 12, 15)]


def test_a_restored_backup_with_newer_entries_is_found(trail: list[UUID]) -> None:
    older, stored_checkpoint = dump(), newest()
    append(4)
    seal_everything()
    newer = newest()
    with unguarded():
        restore(older)
    append(6)
    seal_everything()

    result = verify(against=[newer, stored_checkpoint])

    assert verify().findings == [], "the trail is consistent"
    assert ranges_of(result, Tampering.CHANGED) == [(None, 12, 15)], "the replaced range"


def test_a_trail_sealed_again_is_found_by_a_checkpoint_stored_elsewhere(trail: list[UUID]) -> None:
    stored_checkpoint = newest()
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(trail[5])])
        for table in (SEALS, NODES, CHECKPOINTS):
            run(f"DELETE FROM {table}")
    append()
    seal_everything()

    assert verify().findings == [], "the trail is consistent"
    assert ranges_of(verify(against=[stored_checkpoint]), Tampering.CHANGED) == [(None, 0, 11)]


def test_a_delete_before_sealing_is_not_found(trail: list[UUID]) -> None:
    """A documented limit: an unsealed entry is protected only by the stream of events outside."""
    append()
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(AuditEntry.objects.latest("id").pk)])

    assert verify(against=[newest()]).findings == []


def test_a_change_before_sealing_is_named(trail: list[UUID]) -> None:
    append()
    entry = AuditEntry.objects.latest("id")
    with unguarded():
        run(f"UPDATE {ENTRIES} SET reason = 'forged' WHERE id = %s", [key(entry.pk)])
    seal_everything()

    assert ranges_of(verify(), Tampering.INSERTED) == [(entry.pk, None, None)]


@pytest.mark.postgresql
@pytest.mark.parametrize("transaction", [3, 2**60], ids=["long finished", "in the future"])
def test_an_entry_withheld_from_the_sealer_is_named(transaction: int, trail: list[UUID]) -> None:
    append()
    entry = AuditEntry.objects.latest("id")
    with unguarded():
        run(f"UPDATE {ENTRIES} SET transaction_id = %s WHERE id = %s", [transaction, entry.pk])
    seal_everything()

    assert ranges_of(verify(), Tampering.WITHHELD) == [(entry.pk, None, None)]


def test_a_missing_checkpoint_names_its_range(trail: list[UUID]) -> None:
    with unguarded():
        run(f"DELETE FROM {CHECKPOINTS} WHERE size = 8")

    assert ranges_of(verify(), Tampering.REMOVED) == [(None, 4, 7)]


def test_a_checkpoint_signed_with_another_key_is_refused(trail: list[UUID], settings: Any) -> None:
    settings.AUTH_AUDIT = {"SIGNING_KEYS": {"mallory": "B" * 43}}
    body = newest()["checkpoint"] | {"signer": "mallory"}
    forged = to_base64url(signing_key().key.sign(SIGNATURE_PREFIX + canonical_json(body)))
    settings.AUTH_AUDIT = {}
    with unguarded():
        run(
            f"UPDATE {CHECKPOINTS} SET body = %s, signature = %s WHERE size = 12",
            [canonical_json(body).decode(), forged],
        )

    result = verify()

    assert ranges_of(result, Tampering.CHANGED) == [(None, 8, None)]
    assert ranges_of(result, Tampering.INSERTED) == [(None, 8, 11)]


def test_batches_of_another_trail_are_found(trail: list[UUID]) -> None:
    """Both trails are signed with our keys, as by a copy of the service for tests."""
    ours = dump()
    with unguarded():
        restore({table: [] for table in TABLES})
    for _batch in range(3):
        append(4)
        seal_everything()
    theirs = dump()
    last = {table: [row for row in rows if is_of_the_last_batch(table, row, theirs)] for table, rows in theirs.items()}
    with unguarded():
        restore({table: [] for table in TABLES})
        restore(
            {table: [row for row in rows if not is_of_the_last_batch(table, row, ours)] for table, rows in ours.items()}
        )
        add(last)

    assert ranges_of(verify(), Tampering.CHANGED) == [(None, 0, 11)]


def is_of_the_last_batch(table: str, row: tuple[Any, ...], dumped: dict[str, list[tuple[Any, ...]]]) -> bool:
    """Return whether a row belongs to the numbers 8 to 11."""
    seals = {seal[1] for seal in dumped[SEALS] if seal[0] >= 8}
    if table == ENTRIES:
        return row[0] in seals
    return bool(row[0] >= 8 if table == SEALS else row[0] > 8)


def test_a_changed_node_is_named() -> None:
    append(256)
    seal_everything()
    with unguarded():
        run(f"UPDATE {NODES} SET value = %s", [b"0" * 32])

    assert ranges_of(verify(), Tampering.CHANGED) == [(None, 0, 255)]


def test_an_extra_node_is_found(trail: list[UUID]) -> None:
    with unguarded():
        run(f'INSERT INTO {NODES} (level, "index", value) VALUES (8, 0, %s)', [b"0" * 32])

    assert ranges_of(verify(), Tampering.INSERTED) == [(None, None, None)]


@pytest.mark.sqlite
@pytest.mark.parametrize("change", ["recorded_at = 'yesterday'", "data = '[1e999]'", "subject_id = 'nobody'"])
def test_unreadable_values_are_named(change: str, trail: list[UUID]) -> None:
    with unguarded():
        run(f"UPDATE {ENTRIES} SET {change} WHERE id = %s", [key(trail[5])])

    assert ranges_of(verify(), Tampering.CHANGED) == [(trail[5], 5, 5)]


def test_a_range_can_be_verified_alone(trail: list[UUID]) -> None:
    with unguarded():
        run(f"UPDATE {ENTRIES} SET reason = 'forged' WHERE id = %s", [key(trail[1])])

    assert ranges_of(verify(first=0, last=1), Tampering.CHANGED) == [(trail[1], 1, 1)]
    assert verify(first=4, last=7).findings == []
    assert verify(first=4, last=7).sealed == 4


def test_the_command_prints_findings_and_fails(trail: list[UUID], tmp_path: Path) -> None:
    stored, out = tmp_path / "checkpoints", StringIO()
    stored.write_text(f"a line of a log\n{canonical_json(newest()).decode()}\n")
    call_command("audit_verify", "--against", str(stored), stdout=out)
    with unguarded():
        run(f"UPDATE {ENTRIES} SET reason = 'forged' WHERE id = %s", [key(trail[5])])
    failed_out = StringIO()

    with pytest.raises(CommandError, match="1 findings"):
        call_command("audit_verify", stdout=failed_out)

    assert "12 entries verified, 0 not yet sealed, 0 with erased personal values. No tampering found." in out.getvalue()
    assert f"changed: entry {trail[5]} number 5: it does not match its seal" in failed_out.getvalue()


def test_the_command_reports_missing_guards(trail: list[UUID]) -> None:
    out = StringIO()
    with without_guards():
        call_command("audit_verify", "--from", "0", "--to", "3", stdout=out)

    assert "missing guard" in out.getvalue()


@pytest.mark.parametrize("options", [["--against", "/nowhere"], ["--against", "/dev/null"]])
def test_a_file_without_checkpoints_is_an_error(options: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("audit_verify", *options)
    assert Checkpoint.objects.count() == 0
