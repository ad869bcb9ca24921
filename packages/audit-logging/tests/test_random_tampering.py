"""Random tampering is found."""

from collections.abc import Callable
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from attacker import ENTRIES, SEALS, TABLES, append, cut_tail, key, newest, recompute_hashes, run, swap_seals, unguarded
from auth_audit.models import AuditEntry, Seal
from auth_audit.testing.trail import seal_everything
from auth_audit.verify.verification import verify

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.asvs("16.4.2")]


def tamper_update(ids: list[UUID], number: int) -> None:
    run(f"UPDATE {ENTRIES} SET correlation_id = 'tampered' WHERE id = %s", [key(ids[number])])


def tamper_delete(ids: list[UUID], number: int) -> None:
    run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(ids[number])])


def tamper_unseal(ids: list[UUID], number: int) -> None:
    run(f"DELETE FROM {SEALS} WHERE number = %s", [number])


def tamper_swap(ids: list[UUID], number: int) -> None:
    swap_seals(number, (number + 1) % len(ids))


def tamper_replace(ids: list[UUID], number: int) -> None:
    run(f"DELETE FROM {ENTRIES} WHERE id = %s", [key(ids[number])])
    copied = ids[(number + 1) % len(ids)]
    columns = ", ".join(field.column for field in AuditEntry._meta.fields if field.column != "id")
    run(
        f"INSERT INTO {ENTRIES} (id, {columns}) SELECT %s, {columns} FROM {ENTRIES} WHERE id = %s",
        [key(ids[number]), key(copied)],
    )


def tamper_cut(ids: list[UUID], number: int) -> None:
    cut_tail(number - number % 4)


TAMPERINGS = [tamper_update, tamper_delete, tamper_unseal, tamper_swap, tamper_replace, tamper_cut]


@given(data=st.data())
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_random_tampering_is_found(data: st.DataObject, db: None) -> None:
    for table in TABLES:
        with unguarded():
            run(f"DELETE FROM {table}")
    sizes = data.draw(st.lists(st.just(4), min_size=2, max_size=4))
    for size in sizes:
        append(size)
        seal_everything()
    ids = list(Seal.objects.order_by("number").values_list("entry_id", flat=True))
    stored_checkpoint = newest()
    assert verify(against=[stored_checkpoint]).findings == []
    tamper: Callable[[list[UUID], int], None] = data.draw(st.sampled_from(TAMPERINGS))
    fits = data.draw(st.booleans()) and tamper in (tamper_update, tamper_replace)

    with unguarded():
        tamper(ids, data.draw(st.integers(0, len(ids) - 1)))
        if fits:
            recompute_hashes()

    assert verify(against=[stored_checkpoint]).findings != []
