"""Sealing assigns consecutive numbers, skips no entry, and never signs an entry without a valid MAC."""

import threading
import time
from typing import Any

import pytest
from django.db import connection, transaction

from attacker import key
from auth_audit.models import AuditEntry, Checkpoint, Seal, TreeNode
from auth_audit.offline_verifier import is_included, root_hash, to_base64url, verify_checkpoint
from auth_audit.seal import checkpoints, keys, merkle, sealer, transaction_horizon
from auth_audit.seal.checkpoints import SealsBroken
from auth_audit.seal.tree import StoredTree
from auth_audit.storage.test_databases import without_guards
from auth_audit.testing.trail import another_writer, seal_everything
from auth_core.crypto.encryption import KeysMissing
from auth_core.events import AuthEvent, Event, record
from auth_core.testing.parallel import at_once, tally

pytestmark = pytest.mark.django_db(transaction=True)


def append(count: int = 1) -> None:
    for _number in range(count):
        record(Event(name=AuthEvent.EMAIL_VERIFIED))


def numbers() -> list[int]:
    return list(Seal.objects.order_by("number").values_list("number", flat=True))


def run(sql: str, parameters: Any = None) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql, parameters)


def test_entries_are_numbered_without_gaps_in_order_of_transactions() -> None:
    append(3)
    first = seal_everything()
    append(2)

    assert (first, seal_everything(), sealer.seal()) == (3, 2, 0)
    assert numbers() == [0, 1, 2, 3, 4]
    assert list(Seal.objects.order_by("number").values_list("entry_id", flat=True)) == list(
        AuditEntry.objects.order_by("id").values_list("id", flat=True)
    )


def test_a_checkpoint_covers_all_sealed_entries(settings: Any) -> None:
    append(3)
    seal_everything()
    append(2)
    seal_everything()

    last = checkpoints.latest("default")

    assert last is not None
    verified = verify_checkpoint(last.signed, keys.trusted_keys())
    leaves = [bytes(leaf) for leaf in Seal.objects.order_by("number").values_list("leaf", flat=True)]
    assert (verified.size, verified.root) == (5, root_hash(leaves))
    assert (verified.body["previous"], verified.body["batch"]) == (3, root_hash(leaves[3:]).hex())
    assert len({checkpoint.signed["checkpoint"]["trail"] for checkpoint in Checkpoint.objects.all()}) == 1


def test_the_size_of_a_batch_is_limited(settings: Any) -> None:
    settings.AUTH_AUDIT = {"BATCH": 4}
    with transaction.atomic():
        append(10)

    assert seal_everything() == 10
    append(1)
    assert seal_everything() == 1
    assert numbers() == list(range(11))
    assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [4, 8, 10, 11]


def test_a_tree_of_several_levels_proves_every_entry(settings: Any) -> None:
    settings.AUTH_AUDIT = {"BATCH": 70}
    with transaction.atomic():
        append(600)
    sealer.seal()
    tree, leaves = StoredTree("default"), [bytes(seal.leaf) for seal in Seal.objects.order_by("number")]

    assert list(TreeNode.objects.values_list("level", "index")) == [(8, 0), (8, 1)]
    assert bytes(TreeNode.objects.get(index=1).value) == root_hash(leaves[256:512])
    for number in (0, 255, 256, 511, 512, 599):
        path = merkle.inclusion_path(number, 600, tree.node)
        assert is_included(leaves[number], number, 600, path, root_hash(leaves))


@pytest.mark.postgresql
def test_entries_after_a_running_transaction_are_not_sealed() -> None:
    append()
    seal_everything()
    with another_writer() as pid:
        append(3)

        sealed_meanwhile, culprit = sealer.seal(), transaction_horizon.culprit("default")

    assert sealed_meanwhile == 0
    assert culprit is not None
    assert culprit.pid == pid
    assert seal_everything() == 3


@pytest.mark.postgresql
@pytest.mark.parametrize("is_horizon_ignored", [False, True], ids=["as it is", "without the horizon"])
def test_a_transaction_open_during_a_thousand_others_is_sealed_late_and_not_skipped(
    is_horizon_ignored: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    append()
    seal_everything()
    if is_horizon_ignored:
        ignore_horizon(monkeypatch)
    is_open, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            record(Event(name=AuthEvent.PASSWORD_CHANGED))
            is_open.set()
            may_commit.wait(timeout=60)

    def write_a_thousand() -> list[int]:
        is_open.wait(timeout=60)
        append(500)
        sealed = [sealer.seal()]
        append(500)
        may_commit.set()
        return sealed

    results = at_once([write_slowly, write_a_thousand])
    append()
    seal_everything()

    late = AuditEntry.objects.get(name="auth.password.changed")
    was_sealed = Seal.objects.filter(entry_id=late.pk).exists()
    assert was_sealed != is_horizon_ignored
    if not is_horizon_ignored:
        assert results[1] == [0], "nothing is sealed while it is open"
        assert numbers() == list(range(1003))
        assert Seal.objects.get(entry_id=late.pk).number == 1, "in the order of transactions"


@pytest.mark.postgresql
def test_entries_of_a_slow_writer_are_in_the_next_batch() -> None:
    append()
    seal_everything()
    append()
    wait_for_earlier_transactions()
    is_open, may_commit = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with transaction.atomic():
            record(Event(name=AuthEvent.PASSWORD_CHANGED))
            is_open.set()
            may_commit.wait(timeout=60)

    def seal_meanwhile() -> int:
        is_open.wait(timeout=60)
        append(2)
        sealed = sealer.seal()
        may_commit.set()
        return sealed

    assert at_once([write_slowly, seal_meanwhile]) == [None, 1], "one entry is sealed while the writer is open"
    seal_everything()

    late = AuditEntry.objects.get(name="auth.password.changed")
    assert list(Seal.objects.filter(entry_id=late.pk).values_list("number", flat=True)) == [2]
    assert numbers() == [0, 1, 2, 3, 4]


def wait_for_earlier_transactions() -> None:
    """Wait until earlier transactions have finished, also those of other databases of the cluster."""
    target, deadline = transaction_horizon.current_horizon("default").next_id or 0, time.monotonic() + 30
    while (transaction_horizon.current_horizon("default").oldest or 0) < target and time.monotonic() < deadline:
        time.sleep(0.05)


def test_a_transaction_larger_than_a_batch_is_sealed_by_one_call(settings: Any) -> None:
    append()
    seal_everything()
    settings.AUTH_AUDIT = {"BATCH": 4}
    with transaction.atomic():
        append(10)
    append(2)
    wait_for_earlier_transactions()

    assert sealer.seal() == 12
    assert numbers() == list(range(13))
    assert list(Checkpoint.objects.order_by("size").values_list("size", flat=True)) == [1, 5, 9, 13]


def ignore_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ignore running transactions, as a sealer without `pg_snapshot_xmin` would."""
    sql = transaction_horizon._HORIZON.replace("pg_snapshot_xmin", "pg_snapshot_xmax")
    monkeypatch.setattr(transaction_horizon, "_HORIZON", sql)


@pytest.mark.postgresql
def test_parallel_sealers_assign_each_number_once() -> None:
    append(50)

    results = at_once([sealer.seal] * 4)
    seal_everything()

    assert set(tally(results)) == {"int"}
    assert numbers() == list(range(50))


def test_an_entry_without_a_valid_mac_is_never_sealed(caplog: pytest.LogCaptureFixture) -> None:
    append()
    forge()
    append()

    assert seal_everything() == 2
    assert "is not valid. The entry is not sealed." in caplog.text


def forge() -> None:
    """Insert an entry directly, without the key of the MAC."""
    columns = ", ".join(field.column for field in AuditEntry._meta.fields if field.column not in ("id", "mac"))
    new_id = "gen_random_uuid()" if connection.vendor == "postgresql" else "lower(hex(randomblob(16)))"
    run(
        f"INSERT INTO auth_audit_auditentry (id, mac, {columns})"
        f" SELECT {new_id}, '{'0' * 64}', {columns} FROM auth_audit_auditentry LIMIT 1"
    )


@pytest.mark.parametrize(
    "tampering",
    [
        "DELETE FROM auth_audit_seal WHERE number = 2",
        "DELETE FROM auth_audit_seal WHERE number = 4",
        "UPDATE auth_audit_seal SET leaf = (SELECT leaf FROM auth_audit_seal WHERE number = 1) WHERE number = 0",
        "UPDATE auth_audit_checkpoint SET body = replace(body, '\"size\":5', '\"size\":6')",
        "UPDATE auth_audit_checkpoint SET signature = 'AAAA'",
        "UPDATE auth_audit_checkpoint SET body = '[]'",
        "DELETE FROM auth_audit_checkpoint",
    ],
)
def test_a_tampered_tree_stops_sealing(tampering: str) -> None:
    append(5)
    sealer.seal()
    with without_guards():
        run(tampering)
    append()

    with pytest.raises(SealsBroken):
        sealer.seal()
    assert sealer.sweep() == 0


@pytest.mark.postgresql
@pytest.mark.parametrize("restore_into", ["another cluster", "this one, set back"])
def test_a_restored_cluster_starts_an_epoch_and_skips_nothing(
    restore_into: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    append(2)
    sealer.seal()
    append(1)
    horizon = transaction_horizon.current_horizon("default")
    cluster = "other" if restore_into == "another cluster" else horizon.cluster
    restored = transaction_horizon.Horizon(cluster, 700, 700, horizon.now)  # transaction ids start again
    monkeypatch.setattr(sealer, "current_horizon", lambda alias: restored)

    assert sealer.seal() == 1
    assert sealer.seal() == 0

    bodies = [checkpoint.signed["checkpoint"] for checkpoint in Checkpoint.objects.order_by("size")]
    assert [(body["epoch"], body["cluster"] == cluster) for body in bodies] == [
        (1, restore_into != "another cluster"),
        (2, True),
    ]
    assert bodies[1]["horizon"] == 700


def test_nothing_is_sealed_without_a_key(settings: Any) -> None:
    append()
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {}}

    with pytest.raises(KeysMissing):
        keys.signing_key()
    assert keys.problems()


def test_sealing_waits_for_a_missing_field_key(settings: Any, caplog: Any) -> None:
    append()
    seal_everything()
    old_settings = settings.AUTH_CORE
    newer = {"newer": "b3RoZXItb25seS1vdGhlci1vbmx5LW90aGVyLTMyMzI"}
    append(2)
    settings.AUTH_CORE = {**old_settings, "FIELD_KEYS": newer | old_settings["FIELD_KEYS"]}
    append(2)
    settings.AUTH_CORE = old_settings  # the sealer still has the old settings

    sealed_without = seal_everything()
    settings.AUTH_CORE = {**old_settings, "FIELD_KEYS": old_settings["FIELD_KEYS"] | newer}

    assert (sealed_without, seal_everything()) == (2, 2)
    assert "Sealing waits for it." in caplog.text


def test_a_search_seals_entries_left_behind() -> None:
    append()
    seal_everything()
    append(2)
    entry = AuditEntry.objects.latest("id")
    with without_guards():
        run("UPDATE auth_audit_auditentry SET transaction_id = 3 WHERE reason = '' AND id = %s", [key(entry.pk)])

    seal_everything()
    sealer.seal(search=True)

    assert Seal.objects.filter(entry_id=entry.pk).exists()
    assert numbers() == [0, 1, 2]


def test_signing_keys_replace_derived_keys(settings: Any) -> None:
    append()
    sealer.seal()
    derived = keys.trusted_keys()
    settings.AUTH_AUDIT = {"SIGNING_KEYS": {"2026": "A" * 43}}
    append()

    with pytest.raises(SealsBroken):
        sealer.seal()
    settings.AUTH_AUDIT["VERIFYING_KEYS"] = {name: to_base64url(key) for name, key in derived.items()}

    assert seal_everything() == 1
    assert Checkpoint.objects.get(size=2).signed["checkpoint"]["signer"] == "2026"


@pytest.mark.postgresql
def test_a_batch_is_read_with_an_index() -> None:
    append(3)
    sealer.seal()
    before = checkpoints.verified_body(checkpoints.latest("default"), StoredTree("default"), "default")  # type: ignore[arg-type]  # a checkpoint exists
    with transaction.atomic():
        run("SET LOCAL enable_seqscan = off")
        run("SET LOCAL enable_hashjoin = off")
        plan = sealer._by_transaction(before, transaction_horizon.current_horizon("default"), "default").explain()

    assert "transaction_id" in plan
    assert "Seq Scan" not in plan
