"""Whatever is done to the trail without our keys is found, and named; what cannot be found is said."""

from collections.abc import Callable
from io import StringIO
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attacker import (
    CHECKPOINTS,
    ENTRIES,
    NODES,
    SEALS,
    TABLES,
    add,
    dump,
    key,
    make_hashes_fit,
    restore,
    run,
    unguarded,
)
from auth_audit.models import AuditEntry, Checkpoint, Seal
from auth_audit.offline_verifier import SIGNATURE_PREFIX, canonical_json, to_base64url
from auth_audit.seal import checkpoints
from auth_audit.seal.keys import signing_key
from auth_audit.testing.trail import seal_everything, without_guards
from auth_audit.verify.findings import Tampering, Verification
from auth_audit.verify.verification import verify
from auth_core.events import AuthEvent, Event, EventOutcome, record

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asvs("16.4.2")]


def append(count: int = 1) -> None:
    for number in range(count):
        record(Event(name=AuthEvent.LOGIN_FAILED, outcome=EventOutcome.FAILURE, reason=f"password{number}"))


@pytest.fixture
def trail(db: None) -> list[UUID]:
    """Twelve sealed entries in three batches; their ids, by number."""
    for _batch in range(3):
        append(4)
        seal_everything()
    return list(Seal.objects.order_by("number").values_list("entry_id", flat=True))


def found(result: Verification, what: Tampering) -> list[tuple[UUID | None, int | None, int | None]]:
    return [(finding.entry, finding.first, finding.last) for finding in result.findings if finding.what is what]


def newest() -> dict[str, Any]:
    checkpoint = checkpoints.latest("default")
    assert checkpoint is not None
    return checkpoint.signed


def test_what_nobody_touched_is_whole(trail: list[UUID]) -> None:
    append()

    result = verify(against=[newest()])

    assert (result.sealed, result.waiting, result.findings) == (12, 1, [])


@pytest.mark.parametrize("made_to_fit", [False, True], ids=["as it is", "with every unkeyed hash recomputed"])
@pytest.mark.parametrize(
    "change",
    ["reason = 'forged'", "subject_id = NULL, name = 'auth.login.succeeded'", "ip = '192.0.2.66'", "mac_key = ''"],
)
def test_an_update_names_the_entry(change: str, made_to_fit: bool, trail: list[UUID]) -> None:
    with unguarded():
        assert run(f"UPDATE {ENTRIES} SET {change} WHERE id = %s", [key(trail[5])]) == 1
        if made_to_fit:
            make_hashes_fit()

    result = verify()

    assert (trail[5], 5, 5) in found(result, Tampering.CHANGED)
    assert {entry for entry, _first, _last in found(result, Tampering.CHANGED) if entry} == {trail[5]}


@pytest.mark.postgresql
@pytest.mark.parametrize("change", ["recorded_at = recorded_at - interval '1 day'", "transaction_id = 7"])
def test_what_the_mac_does_not_cover_is_named_by_its_seal_and_made_to_fit_by_its_batch(
    change: str, trail: list[UUID]
) -> None:
    with unguarded():
        run(f"UPDATE {ENTRIES} SET {change} WHERE id = %s", [trail[5]])
    as_it_is = verify()
    with unguarded():
        make_hashes_fit()

    assert found(as_it_is, Tampering.CHANGED) == [(trail[5], 5, 5)]
    assert (None, 4, None) in found(verify(), Tampering.CHANGED), "checkpoints are not signed any more, from 4 on"


@pytest.mark.parametrize("with_its_seal", [False, True])
def test_a_delete_names_the_entry_or_its_number(with_its_seal: bool, trail: list[UUID]) -> None:
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(trail[6])])
        if with_its_seal:
            run(f"DELETE FROM {SEALS} WHERE number = 6")

    assert found(verify(), Tampering.REMOVED) == [(None if with_its_seal else trail[6], 6, 6)]


def test_a_delete_closed_up_and_made_to_fit_names_the_range(trail: list[UUID]) -> None:
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(trail[6])])
        run(f"DELETE FROM {SEALS} WHERE number = 6")
        for number in range(7, 12):
            run(f"UPDATE {SEALS} SET number = number - 1 WHERE number = %s", [number])

    result = verify()

    assert (None, 4, 7) in found(result, Tampering.CHANGED), "the batch in which it was"
    assert (None, 11, 11) in found(result, Tampering.REMOVED), "the last number has no seal any more"


def test_an_insert_names_the_entry(trail: list[UUID]) -> None:
    columns = ", ".join(field.column for field in AuditEntry._meta.fields if field.column not in ("id", "mac"))
    made = UUID(int=trail[3].int + 1)
    with unguarded():
        run(
            f"INSERT INTO {ENTRIES} (id, mac, {columns}) SELECT %s, '{'0' * 64}', {columns} FROM {ENTRIES} WHERE id = %s",
            [key(made), key(trail[3])],
        )

    assert found(verify(), Tampering.INSERTED) == [(made, None, None)]


def test_an_entry_that_was_copied_with_its_mac_is_named(trail: list[UUID]) -> None:
    columns = ", ".join(field.column for field in AuditEntry._meta.fields if field.column != "id")
    made = UUID(int=trail[3].int + 1)
    with unguarded():
        run(
            f"INSERT INTO {ENTRIES} (id, {columns}) SELECT %s, {columns} FROM {ENTRIES} WHERE id = %s",
            [key(made), key(trail[3])],
        )

    assert found(verify(), Tampering.INSERTED) == [(made, None, None)]


def test_a_sealed_insert_at_the_end_is_named(trail: list[UUID]) -> None:
    append()
    entry = AuditEntry.objects.latest("id")
    with unguarded():
        run(f"INSERT INTO {SEALS} (number, entry_id, leaf) VALUES (12, %s, %s)", [key(entry.pk), b"0" * 32])

    assert found(verify(), Tampering.INSERTED) == [(None, 12, 12)]
    assert found(verify(), Tampering.CHANGED) == [(entry.pk, 12, 12)]


def swap_seals(first: int, second: int) -> None:
    run(f"UPDATE {SEALS} SET number = -1 WHERE number = %s", [first])
    run(f"UPDATE {SEALS} SET number = %s WHERE number = %s", [first, second])
    run(f"UPDATE {SEALS} SET number = %s WHERE number = -1", [second])


def test_two_that_changed_places_are_named(trail: list[UUID]) -> None:
    with unguarded():
        swap_seals(5, 6)

    assert found(verify(), Tampering.REORDERED) == [(trail[6], 5, 5), (trail[5], 6, 6)]


def test_two_that_changed_places_between_batches_name_both_ranges(trail: list[UUID]) -> None:
    with unguarded():
        swap_seals(1, 9)

    assert found(verify(), Tampering.CHANGED) == [(None, 0, 3), (None, 8, 11)]


@pytest.mark.parametrize("emptied", [(ENTRIES,), (ENTRIES, SEALS), TABLES], ids=["entries", "and seals", "everything"])
def test_a_truncate_is_found_and_of_everything_by_a_checkpoint_from_elsewhere(
    emptied: tuple[str, ...], trail: list[UUID]
) -> None:
    kept = newest()
    with unguarded():
        for table in emptied:
            run(f"TRUNCATE {table}" if connection.vendor == "postgresql" else f"DELETE FROM {table}")

    alone, against = verify(), verify(against=[kept])

    if emptied == TABLES:
        assert alone.findings == [], "nothing is left that could tell"
        assert found(against, Tampering.TRUNCATED) == [(None, 0, 11)]
    else:
        assert [number for _entry, number, _last in found(alone, Tampering.REMOVED)] == list(range(12))


def cut_tail(number: int) -> None:
    """Cut everything from *number* on, which is where a batch begins; what is left is whole."""
    gone = list(Seal.objects.filter(number__gte=number).values_list("entry_id", flat=True))
    run(f"DELETE FROM {SEALS} WHERE number >= %s", [number])
    run(f"DELETE FROM {CHECKPOINTS} WHERE size > %s", [number])
    for entry in gone:
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(entry)])


def test_a_cut_tail_is_found_by_a_checkpoint_from_elsewhere_alone(trail: list[UUID]) -> None:
    kept = newest()
    with unguarded():
        cut_tail(8)

    assert verify().findings == [], "what is left is whole"
    assert found(verify(against=[kept]), Tampering.TRUNCATED) == [(None, 8, 11)]


def test_a_tail_cut_inside_a_batch_is_found_without(trail: list[UUID]) -> None:
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(trail[11])])
        run(f"DELETE FROM {SEALS} WHERE number = 11")

    assert found(verify(), Tampering.REMOVED) == [(None, 11, 11)]


def test_a_restored_older_backup_is_found_by_a_checkpoint_from_elsewhere(trail: list[UUID]) -> None:
    older, kept = dump(), newest()
    append(4)
    seal_everything()
    newer = newest()
    with unguarded():
        restore(older)

    assert verify(against=[kept]).findings == []
    assert found(verify(against=[kept, newer]), Tampering.TRUNCATED) == [(None, 12, 15)]


def test_a_restored_older_backup_that_went_on_is_found_too(trail: list[UUID]) -> None:
    older, kept = dump(), newest()
    append(4)
    seal_everything()
    newer = newest()
    with unguarded():
        restore(older)
    append(6)
    seal_everything()

    result = verify(against=[newer, kept])

    assert verify().findings == [], "it is a trail like any other"
    assert found(result, Tampering.CHANGED) == [(None, 12, 15)], "the range that was replaced"


def test_a_trail_that_was_sealed_anew_is_found_by_a_checkpoint_from_elsewhere(trail: list[UUID]) -> None:
    kept = newest()
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(trail[5])])
        for table in (SEALS, NODES, CHECKPOINTS):
            run(f"DELETE FROM {table}")
    append()
    seal_everything()

    assert verify().findings == [], "it is a trail like any other"
    assert found(verify(against=[kept]), Tampering.CHANGED) == [(None, 0, 11)]


def test_what_was_deleted_before_it_was_sealed_nothing_shows(trail: list[UUID]) -> None:
    """Said, because it is so: seals begin with the sealer; the stream of events outside has told of it."""
    append()
    with unguarded():
        run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(AuditEntry.objects.latest("id").pk)])

    assert verify(against=[newest()]).findings == []


def test_what_was_changed_before_it_was_sealed_is_named(trail: list[UUID]) -> None:
    append()
    entry = AuditEntry.objects.latest("id")
    with unguarded():
        run(f"UPDATE {ENTRIES} SET reason = 'forged' WHERE id = %s", [key(entry.pk)])
    seal_everything()

    assert found(verify(), Tampering.INSERTED) == [(entry.pk, None, None)]


@pytest.mark.postgresql
@pytest.mark.parametrize("transaction", [3, 2**60], ids=["long over", "not there yet"])
def test_an_entry_that_was_kept_from_the_sealer_is_named(transaction: int, trail: list[UUID]) -> None:
    append()
    entry = AuditEntry.objects.latest("id")
    with unguarded():
        run(f"UPDATE {ENTRIES} SET transaction_id = %s WHERE id = %s", [transaction, entry.pk])
    seal_everything()

    assert found(verify(), Tampering.WITHHELD) == [(entry.pk, None, None)]


def test_a_checkpoint_that_is_gone_names_what_it_covered(trail: list[UUID]) -> None:
    with unguarded():
        run(f"DELETE FROM {CHECKPOINTS} WHERE size = 8")

    assert found(verify(), Tampering.REMOVED) == [(None, 4, 7)]


def test_a_checkpoint_signed_with_another_key_is_no_checkpoint(trail: list[UUID], settings: Any) -> None:
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

    assert found(result, Tampering.CHANGED) == [(None, 8, None)]
    assert found(result, Tampering.INSERTED) == [(None, 8, 11)]


def test_batches_of_two_trails_that_were_put_together_are_found(trail: list[UUID]) -> None:
    """Both are signed by us: a copy of the service for tests may have the same keys."""
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

    assert found(verify(), Tampering.CHANGED) == [(None, 0, 11)]


def is_of_the_last_batch(table: str, row: tuple[Any, ...], dumped: dict[str, list[tuple[Any, ...]]]) -> bool:
    """Say whether a row belongs to the numbers 8 to 11."""
    seals = {seal[1] for seal in dumped[SEALS] if seal[0] >= 8}
    if table == ENTRIES:
        return row[0] in seals
    return bool(row[0] >= 8 if table == SEALS else row[0] > 8)


def test_a_node_that_was_changed_is_named() -> None:
    append(256)
    seal_everything()
    with unguarded():
        run(f"UPDATE {NODES} SET value = %s", [b"0" * 32])

    assert found(verify(), Tampering.CHANGED) == [(None, 0, 255)]


def test_a_node_too_many_is_found(trail: list[UUID]) -> None:
    with unguarded():
        run(f'INSERT INTO {NODES} (level, "index", value) VALUES (8, 0, %s)', [b"0" * 32])

    assert found(verify(), Tampering.INSERTED) == [(None, None, None)]


@pytest.mark.sqlite
@pytest.mark.parametrize("change", ["recorded_at = 'yesterday'", "data = '[1e999]'", "subject_id = 'nobody'"])
def test_nonsense_that_cannot_even_be_read_is_named(change: str, trail: list[UUID]) -> None:
    with unguarded():
        run(f"UPDATE {ENTRIES} SET {change} WHERE id = %s", [key(trail[5])])

    assert found(verify(), Tampering.CHANGED) == [(trail[5], 5, 5)]


def test_a_range_is_verified_alone(trail: list[UUID]) -> None:
    with unguarded():
        run(f"UPDATE {ENTRIES} SET reason = 'forged' WHERE id = %s", [key(trail[1])])

    assert found(verify(first=0, last=1), Tampering.CHANGED) == [(trail[1], 1, 1)]
    assert verify(first=4, last=7).findings == []
    assert verify(first=4, last=7).sealed == 4


def tamper_update(ids: list[UUID], place: int) -> None:
    run(f"UPDATE {ENTRIES} SET user_agent = 'tampered' WHERE id = %s", [key(ids[place])])


def tamper_delete(ids: list[UUID], place: int) -> None:
    run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(ids[place])])


def tamper_unseal(ids: list[UUID], place: int) -> None:
    run(f"DELETE FROM {SEALS} WHERE number = %s", [place])


def tamper_swap(ids: list[UUID], place: int) -> None:
    swap_seals(place, (place + 1) % len(ids))


def tamper_replace(ids: list[UUID], place: int) -> None:
    run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(ids[place])])
    copied = ids[(place + 1) % len(ids)]
    columns = ", ".join(field.column for field in AuditEntry._meta.fields if field.column != "id")
    run(
        f"INSERT INTO {ENTRIES} (id, {columns}) SELECT %s, {columns} FROM {ENTRIES} WHERE id = %s",
        [key(ids[place]), key(copied)],
    )


def tamper_cut(ids: list[UUID], place: int) -> None:
    cut_tail(place - place % 4)


TAMPERINGS = [tamper_update, tamper_delete, tamper_unseal, tamper_swap, tamper_replace, tamper_cut]


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_tampering_at_random_is_found(data: st.DataObject, db: None) -> None:
    for table in TABLES:
        with unguarded():
            run(f"DELETE FROM {table}")
    sizes = data.draw(st.lists(st.just(4), min_size=2, max_size=4))
    for size in sizes:
        append(size)
        seal_everything()
    ids = list(Seal.objects.order_by("number").values_list("entry_id", flat=True))
    kept = newest()
    assert verify(against=[kept]).findings == []
    tamper: Callable[[list[UUID], int], None] = data.draw(st.sampled_from(TAMPERINGS))
    fits = data.draw(st.booleans()) and tamper in (tamper_update, tamper_replace)

    with unguarded():
        tamper(ids, data.draw(st.integers(0, len(ids) - 1)))
        if fits:
            make_hashes_fit()

    assert verify(against=[kept]).findings != []


def test_the_command_says_so_and_fails(trail: list[UUID], tmp_path: Path) -> None:
    outside, out = tmp_path / "checkpoints", StringIO()
    outside.write_text(f"a line of a log\n{canonical_json(newest()).decode()}\n")
    call_command("audit_verify", "--against", str(outside), stdout=out)
    with unguarded():
        run(f"UPDATE {ENTRIES} SET reason = 'forged' WHERE id = %s", [key(trail[5])])
    named = StringIO()

    with pytest.raises(CommandError, match="1 findings"):
        call_command("audit_verify", stdout=named)

    assert "12 entries verified, 0 wait for the sealer; nothing was tampered with." in out.getvalue()
    assert f"changed: entry {trail[5]} number 5: it is not what was sealed" in named.getvalue()


def test_the_command_tells_of_guards_that_do_not_stand(trail: list[UUID]) -> None:
    out = StringIO()
    with without_guards():
        call_command("audit_verify", "--from", "0", "--to", "3", stdout=out)

    assert "does not stand" in out.getvalue()


@pytest.mark.parametrize("options", [["--against", "/nowhere"], ["--against", "/dev/null"]])
def test_a_file_without_checkpoints_is_an_error(options: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("audit_verify", *options)
    assert Checkpoint.objects.count() == 0
