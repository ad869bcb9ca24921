"""Rotation of field keys: everything under the current one, nothing lost, nothing told."""

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

#: Former and current key; on purpose such that LIKE would take the one for the other.
OLD, NEW = "2025_x", "2025-x"
KEYS = {name: base64.urlsafe_b64encode(bytes([byte]) * 32).decode().rstrip("=") for byte, name in enumerate((OLD, NEW))}

with isolate_apps("auth_core"):

    class Rotated(models.Model):
        """A row with two secrets, one of which may be missing."""

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
    """Five rows under the former key, of a site whose current key is another by now."""
    made = [Rotated.objects.create(seed=f"{SECRET}{number}") for number in range(5)]
    use_keys(settings, NEW, OLD)
    return made


def use_keys(settings: Any, *names: str) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {name: KEYS[name] for name in names}}


def stored(name: str = "seed") -> list[str]:
    return [str(value) for value in Rotated.objects.order_by("pk").values_list(name, flat=True)]


def texts() -> list[str | None]:
    return [row.seed for row in Rotated.objects.order_by("pk")]


def post() -> OutboxMessage:
    with transaction.atomic():
        return outbox.post(channel="email", template="x", values={}, secret={"code": SECRET})


def column() -> EncryptedColumn:
    found = encrypted_fields.get(SEED)
    assert found is not None
    return found


def rotate(**options: Any) -> None:
    call_command("rotate_keys", "--fields", **options)


def rotated_json(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    capsys.readouterr()
    rotate(json=True)
    told: dict[str, Any] = json.loads(capsys.readouterr().out)
    return told


@pytest.mark.asvs("11.2.2")
def test_every_encrypted_column_is_opened_after_the_former_key_is_gone(seeds: list[Rotated], settings: Any) -> None:
    use_keys(settings, OLD)
    message = post()
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


def test_what_is_empty_or_missing_is_no_ciphertext(table: None, settings: Any) -> None:
    Rotated.objects.create(seed=None)
    settled = post()
    OutboxMessage.objects.filter(pk=settled.pk).update(secret="")
    use_keys(settings, NEW, OLD)

    rotate()

    assert texts() == [None]
    assert OutboxMessage.objects.get().secret == ""


def test_progress_is_told_by_column_and_batch(seeds: list[Rotated], capsys: pytest.CaptureFixture[str]) -> None:
    rotate(batch_size=2)

    told = [line for line in capsys.readouterr().out.splitlines() if line.startswith(SEED)]
    assert told == [f"{SEED}: {done} of 5 done." for done in (0, 2, 4, 5)]


def test_what_is_current_is_not_even_read(seeds: list[Rotated], monkeypatch: pytest.MonkeyPatch) -> None:
    list(itertools.islice(key_rotation.rotate(SEED, column(), batch_size=3), 2))
    read: list[str] = []
    real = key_rotation.decrypt
    monkeypatch.setattr(
        key_rotation, "decrypt", lambda *args, **kwargs: (read.append(args[1]), real(*args, **kwargs))[1]
    )

    rotate()

    assert len(read) == 2


def test_what_was_killed_half_way_goes_on_from_there(
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

    told = rotated_json(capsys)

    assert len(kept) == 3
    assert told["fields"][SEED]["found"] == told["fields"][SEED]["done"] == 2
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
def test_a_process_that_is_killed_leaves_every_row_whole(transactional_db: None, settings: Any) -> None:
    use_keys(settings, OLD)
    messages = [post() for _message in range(400)]
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
    """Return the address of the database that this test writes to."""
    base, _slash, _name = os.environ["TEST_DATABASE_URL"].rpartition("/")
    return f"{base}/{connection.settings_dict['NAME']}"


def save_in_between(monkeypatch: pytest.MonkeyPatch, seeds: list[Rotated]) -> None:
    """Have somebody save the third row after the rotation has read it, and before it writes."""
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
def test_a_save_in_between_is_never_overwritten(
    seeds: list[Rotated], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    save_in_between(monkeypatch, seeds)

    told = rotated_json(capsys)

    assert texts()[2] == "saved"
    assert (told["fields"][SEED]["done"], told["fields"][SEED]["changed"]) == (4, 1)


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

    assert texts()[2] == f"{SECRET}2", "the planted defect must be seen"


def test_a_message_that_was_wiped_in_between_stays_wiped(
    table: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    post()
    use_keys(settings, NEW, OLD)
    real = key_rotation.encrypt
    wiped = lambda *args, **kwargs: (OutboxMessage.objects.update(secret=""), real(*args, **kwargs))[1]  # noqa: E731 - one expression in place of the function
    monkeypatch.setattr(key_rotation, "encrypt", wiped)

    rotate()

    assert OutboxMessage.objects.get().secret == ""


def test_an_instance_read_before_does_not_undo_it(seeds: list[Rotated]) -> None:
    before = Rotated.objects.order_by("pk").first()
    assert before is not None
    rotate()

    before.label = "changed"
    before.save()

    assert all(value.startswith(f"v1.{NEW}.") for value in stored())
    assert texts()[0] == f"{SECRET}0"


def test_saving_the_rest_of_a_row_keeps_what_cannot_be_opened(seeds: list[Rotated], settings: Any) -> None:
    use_keys(settings, NEW)
    before = stored()

    Rotated.objects.order_by("pk")[0].save()

    assert stored() == before


def break_some(seeds: list[Rotated]) -> None:
    """The second row gets the value of the first, the third one that is nobody's."""
    Rotated.objects.filter(pk=seeds[1].pk).update(seed=Sealed(stored()[0]))
    Rotated.objects.filter(pk=seeds[2].pk).update(seed=Sealed("nobody's at all"))


def test_what_cannot_be_opened_is_named_and_left_alone(
    seeds: list[Rotated], capsys: pytest.CaptureFixture[str]
) -> None:
    break_some(seeds)
    before = stored()

    with pytest.raises(CommandError, match=r"^2 values cannot be opened") as ended:
        rotate(batch_size=1)

    told = capsys.readouterr()
    assert ended.value.returncode == 1
    assert stored()[1:3] == before[1:3]
    assert told.err.splitlines() == [f"{SEED} {row.pk}: cannot be opened." for row in seeds[1:3]]
    assert f"{SEED}: 3 of 5 done, 2 cannot be opened." in told.out


def test_nothing_secret_is_printed(seeds: list[Rotated], capsys: pytest.CaptureFixture[str], caplog: Any) -> None:
    break_some(seeds)
    values = stored()

    for options in ({"dry_run": True}, {"json": True}, {}):
        with pytest.raises(CommandError):
            rotate(**options)
    with pytest.raises(CommandError):
        call_command("rotate_keys", "--remaining")

    out, err = capsys.readouterr()
    told = out + err + caplog.text
    assert str(seeds[1].pk) in told
    for secret in (SECRET, *KEYS.values(), *values, *stored(), "nobody's"):
        assert secret not in told


def test_a_dry_run_opens_everything_and_writes_nothing(
    seeds: list[Rotated], capsys: pytest.CaptureFixture[str]
) -> None:
    break_some(seeds)
    before = stored()

    with pytest.raises(CommandError):
        rotate(dry_run=True)

    assert stored() == before
    assert f"{SEED}: 3 of 5 done, 2 cannot be opened." in capsys.readouterr().out


def test_it_says_which_keys_are_still_in_use(seeds: list[Rotated], capsys: pytest.CaptureFixture[str]) -> None:
    rotate(batch_size=2)
    Rotated.objects.create(seed="another", other="one more")
    call_command("rotate_keys", "--remaining")

    told = capsys.readouterr().out
    assert f"{SEED}: 6 under '{NEW}' (current)." in told
    assert f"May be dropped: {OLD}." in told


def test_a_key_that_something_is_under_may_not_be_dropped(
    seeds: list[Rotated], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    list(itertools.islice(key_rotation.rotate(SEED, column(), batch_size=2), 2))
    call_command("rotate_keys", "--remaining", json=True)

    told = json.loads(capsys.readouterr().out)
    assert told["in_use"][SEED] == {OLD: 3, NEW: 2}
    assert told["droppable"] == []


def test_a_key_that_signs_what_cannot_be_signed_again_may_not_be_dropped(
    table: None, settings: Any, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keys(settings, NEW, OLD)
    monkeypatch.setitem(key_uses._entries, "tests.macs", lambda: {OLD: 7})

    call_command("rotate_keys", "--remaining", json=True)

    told = json.loads(capsys.readouterr().out)
    assert told["in_use"]["tests.macs"] == {OLD: 7}
    assert told["droppable"] == []


def test_a_key_that_was_dropped_too_early_is_named(
    seeds: list[Rotated], settings: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    break_some(seeds)
    use_keys(settings, NEW)

    with pytest.raises(CommandError, match="5 values"):
        call_command("rotate_keys", "--remaining")

    told = capsys.readouterr().out
    assert f"{SEED}: 1 under no key of ours, 4 under '{OLD}', which is not configured." in told


@pytest.mark.parametrize("arguments", [[], ["--fields", "--remaining"], ["--fields", "--batch-size=0"]])
def test_what_makes_no_sense_is_refused(arguments: list[str], table: None) -> None:
    with pytest.raises(CommandError):
        call_command("rotate_keys", *arguments)


def test_without_a_key_nothing_is_rotated(table: None, settings: Any) -> None:
    settings.AUTH_CORE = {**settings.AUTH_CORE, "FIELD_KEYS": {}}

    with pytest.raises(CommandError, match="no key"):
        rotate()


def test_the_outbox_is_among_the_columns_and_a_model_without_a_table_is_not() -> None:
    found = key_rotation.columns()

    assert found[OUTBOX].name == "secret"
    assert SEED not in found


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
