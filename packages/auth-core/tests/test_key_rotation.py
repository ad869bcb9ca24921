"""Rotation of field keys: every value is re-encrypted, none is lost, and none is printed."""

import base64
import itertools
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, models, transaction
from django.test.utils import isolate_apps

from auth_core import key_rotation
from auth_core.crypto.encryption import DecryptionFailed, decrypt
from auth_core.fields import EncryptedTextField, Sealed
from auth_core.ids import uuid7
from auth_core.messages import outbox
from auth_core.models import OutboxMessage
from auth_core.registries import EncryptedColumn, encrypted_fields, key_uses
from auth_core.testing.parallel import at_once
from auth_core.testing.plans import unindexed

SECRET = "JBSWY3DPEHPK3PXP"
OUTBOX = "auth_core.OutboxMessage.secret"
SEED = "auth_core.Rotated.seed"

#: The former and the current key. LIKE without escaping would confuse them.
OLD, NEW = "2025_x", "2025-x"
KEYS = {name: base64.urlsafe_b64encode(bytes([byte]) * 32).decode().rstrip("=") for byte, name in enumerate((OLD, NEW))}

with isolate_apps("auth_core"):

    class Rotated(models.Model):
        """A model with two secrets, one of them optional."""

        id = models.UUIDField(primary_key=True, default=uuid7)
        label = models.CharField(max_length=20, default="")
        seed = EncryptedTextField(purpose="tests.rotated.seed", null=True)
        other = EncryptedTextField(purpose="tests.rotated.other", null=True)

        class Meta:
            app_label = "auth_core"


@pytest.fixture
def table(transactional_db: None, monkeypatch: pytest.MonkeyPatch, settings: Any) -> Iterator[None]:
    with connection.schema_editor() as editor:
        editor.create_model(Rotated)
    own = {name: encrypted_fields.get(name) for name in (SEED, "auth_core.Rotated.other", OUTBOX)}
    monkeypatch.setattr(key_rotation, "columns", lambda: own)
    use_keys(settings, OLD)
    yield
    with connection.schema_editor() as editor:
        editor.delete_model(Rotated)


@pytest.fixture
def seeds(table: None, settings: Any) -> list[Rotated]:
    """Five rows under the former key."""
    made = [Rotated.objects.create(seed=f"{SECRET}{number}") for number in range(5)]
    use_keys(settings, NEW, OLD)
    return made


def use_keys(settings: Any, *names: str) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {name: KEYS[name] for name in names}}


def stored(name: str = "seed") -> list[str]:
    return [str(value) for value in Rotated.objects.order_by("pk").values_list(name, flat=True)]


def texts() -> list[str | None]:
    return [row.seed for row in Rotated.objects.order_by("pk")]


def post_message() -> OutboxMessage:
    with transaction.atomic():
        return outbox.post(channel="email", template="x", values={}, secret={"code": SECRET})


def column() -> EncryptedColumn:
    field = encrypted_fields.get(SEED)
    assert field is not None
    return field


def rotate(**options: Any) -> None:
    call_command("rotate_keys", "--fields", **options)


def rotated_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    rotate(json=True)
    report: dict[str, Any] = json.loads(capsys.readouterr().out)
    return report


@pytest.mark.asvs("11.2.2")
def test_every_encrypted_column_decrypts_without_the_former_key(seeds: list[Rotated], settings: Any) -> None:
    use_keys(settings, OLD)
    message = post_message()
    use_keys(settings, NEW, OLD)

    rotate()

    use_keys(settings, NEW)
    assert texts() == [f"{SECRET}{number}" for number in range(5)]
    message.refresh_from_db()
    assert message.secret.startswith(f"v1.{NEW}.")
    outbox.deliver(message.pk)
    message.refresh_from_db()
    assert message.problem != "DecryptionFailed"


def test_without_a_rotation_the_former_key_is_needed(seeds: list[Rotated], settings: Any) -> None:
    use_keys(settings, NEW)

    with pytest.raises(DecryptionFailed):
        texts()


def test_running_twice_changes_nothing(seeds: list[Rotated], capsys: pytest.CaptureFixture[str]) -> None:
    rotate()
    before = stored()

    again = rotated_json(capsys)

    assert stored() == before
    assert again["fields"][SEED] == {"found": 0, "done": 0, "changed": 0, "unreadable": 0, "unreadable_rows": []}


def test_empty_and_missing_values_are_skipped(table: None, settings: Any) -> None:
    Rotated.objects.create(seed=None)
    settled = post_message()
    OutboxMessage.objects.filter(pk=settled.pk).update(secret="")
    use_keys(settings, NEW, OLD)

    rotate()

    assert texts() == [None]
    assert OutboxMessage.objects.get().secret == ""


def test_progress_is_printed_by_column_and_batch(seeds: list[Rotated], capsys: pytest.CaptureFixture[str]) -> None:
    rotate(batch_size=2)

    output = [line for line in capsys.readouterr().out.splitlines() if line.startswith(SEED)]
    assert output == [f"{SEED}: {done} of 5 done." for done in (0, 2, 4, 5)]


def test_current_values_are_not_read(seeds: list[Rotated], monkeypatch: pytest.MonkeyPatch) -> None:
    list(itertools.islice(key_rotation.rotate(SEED, column(), batch_size=3), 2))
    read: list[str] = []
    real = key_rotation.decrypt
    monkeypatch.setattr(
        key_rotation, "decrypt", lambda *args, **kwargs: (read.append(args[1]), real(*args, **kwargs))[1]
    )

    rotate()

    assert len(read) == 2


def test_a_killed_rotation_continues_where_it_stopped(
    seeds: list[Rotated], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], settings: Any
) -> None:
    real, calls = key_rotation.encrypt, itertools.count(1)

    def die_at_the_fourth(*args: Any, **kwargs: Any) -> str:
        if next(calls) == 4:
            raise KeyboardInterrupt
        return real(*args, **kwargs)

    monkeypatch.setattr(key_rotation, "encrypt", die_at_the_fourth)
    with pytest.raises(KeyboardInterrupt):
        rotate(batch_size=5)
    monkeypatch.setattr(key_rotation, "encrypt", real)
    kept = [value for value in stored() if value.startswith(f"v1.{NEW}.")]

    report = rotated_json(capsys)

    assert len(kept) == 3
    assert report["fields"][SEED]["found"] == report["fields"][SEED]["done"] == 2
    assert set(kept) < set(stored())
    use_keys(settings, NEW)
    assert texts() == [f"{SECRET}{number}" for number in range(5)]


CHILD = f"""
import json, django
from django.conf import settings
django.setup()
settings.AUTH_CORE = {{**settings.AUTH_CORE, "FIELD_KEYS": json.loads({json.dumps(json.dumps({NEW: KEYS[NEW], OLD: KEYS[OLD]}))})}}
from django.core.management import call_command
call_command("rotate_keys", "--fields", batch_size=10)
"""


@pytest.mark.postgresql
def test_a_killed_process_leaves_every_row_intact(transactional_db: None, settings: Any) -> None:
    use_keys(settings, OLD)
    messages = [post_message() for _message in range(400)]
    use_keys(settings, NEW, OLD)
    environment = {**os.environ, "TEST_DATABASE_URL": own_database(), "DJANGO_SETTINGS_MODULE": "settings"}

    with subprocess.Popen(
        [sys.executable, "-u", "-c", CHILD],
        env=environment,
        cwd=Path(__file__).parent,
        stdout=subprocess.PIPE,
        text=True,
    ) as child:
        assert child.stdout is not None
        next(line for line in child.stdout if ": 20 of 400 done." in line)
        child.kill()

    done = OutboxMessage.objects.filter(secret__startswith=f"v1.{NEW}.").count()
    assert 20 <= done < 400
    rotate()
    use_keys(settings, NEW)
    assert {decrypt(outbox.SECRET.purpose, row.secret, context=str(row.pk)) for row in OutboxMessage.objects.all()} == {
        json.dumps({"code": SECRET}).encode()
    }
    assert OutboxMessage.objects.count() == len(messages)


def own_database() -> str:
    """Return the URL of the database of this test."""
    base, _slash, _name = os.environ["TEST_DATABASE_URL"].rpartition("/")
    return f"{base}/{connection.settings_dict['NAME']}"


def save_in_between(monkeypatch: pytest.MonkeyPatch, seeds: list[Rotated]) -> None:
    """Save the third row after the rotation has read it and before it writes."""
    real, calls = key_rotation.encrypt, itertools.count(1)

    def save() -> None:
        row = Rotated.objects.get(pk=seeds[2].pk)
        row.seed = "saved"
        row.save()

    def slowly(*args: Any, **kwargs: Any) -> str:
        if next(calls) == 3:
            assert at_once([save]) == [None]
        return real(*args, **kwargs)

    monkeypatch.setattr(key_rotation, "encrypt", slowly)


@pytest.mark.postgresql
@pytest.mark.asvs("15.4.2")
def test_a_concurrent_save_is_never_overwritten(
    seeds: list[Rotated], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_in_between(monkeypatch, seeds)

    report = rotated_json(capsys)

    assert texts()[2] == "saved"
    assert (report["fields"][SEED]["done"], report["fields"][SEED]["changed"]) == (4, 1)


@pytest.mark.postgresql
def test_without_the_condition_the_save_would_be_lost(seeds: list[Rotated], monkeypatch: pytest.MonkeyPatch) -> None:
    save_in_between(monkeypatch, seeds)
    real = key_rotation._rows

    def by_key_alone(column: EncryptedColumn) -> Any:
        rows = real(column)
        monkeypatch.setattr(rows, "filter", lambda condition: real(column).filter(pk=dict(condition.children)["pk"]))
        return rows

    monkeypatch.setattr(key_rotation, "_rows", by_key_alone)
    for row in seeds:
        key_rotation._renew(column(), row.pk, stored()[seeds.index(row)], dry_run=False)

    assert texts()[2] == f"{SECRET}2", "the planted defect must be caught"


def test_a_concurrently_wiped_message_stays_wiped(table: None, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    post_message()
    use_keys(settings, NEW, OLD)
    real = key_rotation.encrypt
    wiped = lambda *args, **kwargs: (OutboxMessage.objects.update(secret=""), real(*args, **kwargs))[1]  # noqa: E731 - one expression replaces the function
    monkeypatch.setattr(key_rotation, "encrypt", wiped)

    rotate()

    assert OutboxMessage.objects.get().secret == ""


def test_saving_an_instance_read_before_does_not_undo_the_rotation(seeds: list[Rotated]) -> None:
    before = Rotated.objects.order_by("pk").first()
    assert before is not None
    rotate()

    before.label = "changed"
    before.save()

    assert all(value.startswith(f"v1.{NEW}.") for value in stored())
    assert texts()[0] == f"{SECRET}0"


def test_saving_other_fields_keeps_an_unreadable_value(seeds: list[Rotated], settings: Any) -> None:
    use_keys(settings, NEW)
    before = stored()

    Rotated.objects.order_by("pk")[0].save()

    assert stored() == before


def break_some(seeds: list[Rotated]) -> None:
    """Give the second row the value of the first, and the third row an invalid value."""
    Rotated.objects.filter(pk=seeds[1].pk).update(seed=Sealed(stored()[0]))
    Rotated.objects.filter(pk=seeds[2].pk).update(seed=Sealed("nobody's at all"))


def test_an_unreadable_value_is_named_and_not_changed(seeds: list[Rotated], capsys: pytest.CaptureFixture[str]) -> None:
    break_some(seeds)
    before = stored()

    with pytest.raises(CommandError, match=r"^2 values cannot be decrypted") as ended:
        rotate(batch_size=1)

    output = capsys.readouterr()
    assert ended.value.returncode == 1
    assert stored()[1:3] == before[1:3]
    assert output.err.splitlines() == [f"{SEED} {row.pk}: cannot be decrypted." for row in seeds[1:3]]
    assert f"{SEED}: 3 of 5 done, 2 cannot be decrypted." in output.out


def test_nothing_secret_is_printed(seeds: list[Rotated], capsys: pytest.CaptureFixture[str], caplog: Any) -> None:
    break_some(seeds)
    values = stored()

    for options in ({"dry_run": True}, {"json": True}, {}):
        with pytest.raises(CommandError):
            rotate(**options)
    with pytest.raises(CommandError):
        call_command("rotate_keys", "--remaining")

    out, err = capsys.readouterr()
    output = out + err + caplog.text
    assert str(seeds[1].pk) in output
    for secret in (SECRET, *KEYS.values(), *values, *stored(), "nobody's"):
        assert secret not in output


def test_a_dry_run_decrypts_everything_and_writes_nothing(
    seeds: list[Rotated], capsys: pytest.CaptureFixture[str]
) -> None:
    break_some(seeds)
    before = stored()

    with pytest.raises(CommandError):
        rotate(dry_run=True)

    assert stored() == before
    assert f"{SEED}: 3 of 5 done, 2 cannot be decrypted." in capsys.readouterr().out


def test_it_shows_which_keys_are_in_use(seeds: list[Rotated], capsys: pytest.CaptureFixture[str]) -> None:
    rotate(batch_size=2)
    Rotated.objects.create(seed="another", other="one more")
    call_command("rotate_keys", "--remaining")

    output = capsys.readouterr().out
    assert f"{SEED}: 6 under '{NEW}' (current)." in output
    assert f"Can be removed: {OLD}." in output


def test_a_key_in_use_cannot_be_removed(
    seeds: list[Rotated], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    list(itertools.islice(key_rotation.rotate(SEED, column(), batch_size=2), 2))
    call_command("rotate_keys", "--remaining", json=True)

    report = json.loads(capsys.readouterr().out)
    assert report["in_use"][SEED] == {OLD: 3, NEW: 2}
    assert report["droppable"] == []


def test_a_key_with_permanent_signatures_cannot_be_removed(
    table: None, settings: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(settings, NEW, OLD)
    monkeypatch.setitem(key_uses._entries, "tests.macs", lambda: {OLD: 7})

    call_command("rotate_keys", "--remaining", json=True)

    report = json.loads(capsys.readouterr().out)
    assert report["in_use"]["tests.macs"] == {OLD: 7}
    assert report["droppable"] == []


def test_a_key_removed_too_early_is_named(
    seeds: list[Rotated], settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    break_some(seeds)
    use_keys(settings, NEW)

    with pytest.raises(CommandError, match="5 values"):
        call_command("rotate_keys", "--remaining")

    output = capsys.readouterr().out
    assert f"{SEED}: 1 under an unknown key, 4 under '{OLD}', which is not configured." in output


@pytest.mark.parametrize("arguments", [[], ["--fields", "--remaining"], ["--fields", "--batch-size=0"]])
def test_invalid_options_are_refused(arguments: list[str], table: None) -> None:
    with pytest.raises(CommandError):
        call_command("rotate_keys", *arguments)


def test_without_a_key_nothing_is_rotated(table: None, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {}}

    with pytest.raises(CommandError, match="no key"):
        rotate()


def test_the_columns_include_the_outbox_and_no_model_without_a_table() -> None:
    columns = key_rotation.columns()

    assert columns[OUTBOX].name == "secret"
    assert SEED not in columns


@pytest.mark.postgresql
def test_the_index_of_the_primary_key_serves_each_batch(seeds: list[Rotated]) -> None:
    waiting = key_rotation._not_current(column())

    assert unindexed(lambda: key_rotation._next(waiting, column(), seeds[0].pk, 2)) == []
    assert unindexed(lambda: key_rotation._renew(column(), seeds[0].pk, stored()[0], dry_run=False)) == []


@pytest.mark.postgresql
def test_two_rotations_at_once_lose_nothing(seeds: list[Rotated], settings: Any) -> None:
    barrier = threading.Barrier(2)

    def run() -> list[key_rotation.Progress]:
        barrier.wait(10)
        return list(key_rotation.rotate(SEED, column(), batch_size=1))

    both = [progress[-1] for progress in at_once([run, run])]

    assert sum(progress.done for progress in both) == 5
    use_keys(settings, NEW)
    assert texts() == [f"{SECRET}{number}" for number in range(5)]
