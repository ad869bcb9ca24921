"""Killing writers, the sealer and PostgreSQL at random loses no acknowledged change, number or proof."""

import multiprocessing
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.db import Error as DatabaseError
from django.db import connections, transaction

from auth_audit.models import AuditEntry, Seal
from auth_audit.seal import sealer
from auth_audit.seal.checkpoints import SealsBroken
from auth_audit.testing.trail import seal_everything
from auth_audit.verify.proofs import Prover, State
from auth_audit.verify.verification import verify
from auth_core.events import AuthEvent, Event, record
from auth_core.testing.postgresql import OwnPostgreSQL, as_default_database

pytestmark = [pytest.mark.faults, pytest.mark.postgresql, pytest.mark.django_db(transaction=True)]

WRITERS = 4


def note(journal: Path, word: str, change: str = "") -> None:
    """Write a line that survives the death of the process."""
    descriptor = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{word} {change}\n".encode())
    os.close(descriptor)


def keep_writing(journal: Path, planted: bool) -> None:
    """Repeat a change with its record. Note when it begins and when it is acknowledged."""
    while True:
        change = str(uuid4())
        note(journal, "begun", change)
        try:
            if planted:  # two transactions, one for the change and one for its entry
                Group.objects.create(name=change)
                time.sleep(0.02)
                record(Event(name=AuthEvent.EMAIL_VERIFIED, target=("change", change)))
            else:
                with transaction.atomic():
                    Group.objects.create(name=change)
                    record(Event(name=AuthEvent.EMAIL_VERIFIED, target=("change", change)))
        except DatabaseError:
            connections.close_all()
            note(journal, "failed", change)
            time.sleep(0.02)
        else:
            note(journal, "done", change)


def keep_sealing(journal: Path, planted: bool) -> None:
    """Seal in a loop."""
    while True:
        note(journal, "begun")
        try:
            sealer.seal()
        except DatabaseError:
            connections.close_all()
            time.sleep(0.02)
        except SealsBroken as problem:
            note(journal, "broken", str(problem))
        note(journal, "done")
        time.sleep(0.005)


@dataclass
class Crew:
    """The worker processes, each with its own journal."""

    folder: Path
    server: OwnPostgreSQL
    planted: bool = False
    processes: dict[str, Any] = field(default_factory=dict)
    killed: Counter[str] = field(default_factory=Counter)
    in_flight: int = 0

    def start(self, name: str) -> None:
        """Fork one worker without inheriting connections."""
        connections.close_all()
        work = keep_sealing if name == "sealer" else keep_writing
        process = multiprocessing.get_context("fork").Process(
            target=work, args=(self.folder / name, self.planted), daemon=True
        )
        process.start()
        self.processes[name] = process

    def kill(self, name: str) -> None:
        """Kill a worker with SIGKILL, and count whether it was busy."""
        process = self.processes.pop(name)
        os.kill(process.pid, signal.SIGKILL)
        process.join()
        self.in_flight += self._was_busy(name)
        self.killed[name.split("-", maxsplit=1)[0]] += 1

    def kill_postgresql(self) -> None:
        """Kill the server with all its processes. It recovers from its log."""
        self.in_flight += any(self._was_busy(name) for name in self.processes)
        self.server.kill()
        self.killed["postgresql"] += 1
        self.server.start()

    def stop(self) -> None:
        """Kill the remaining workers without counting."""
        for process in self.processes.values():
            os.kill(process.pid, signal.SIGKILL)
            process.join()
        self.processes.clear()

    def acknowledged(self) -> list[str]:
        """Return the changes that workers noted as done."""
        journals = [path for path in self.folder.iterdir() if path.name != "sealer"]
        lines = [line.split() for path in journals for line in path.read_text().splitlines()]
        return [change for word, *rest in lines if word == "done" for change in rest]

    def _was_busy(self, name: str) -> bool:
        path = self.folder / name
        lines = path.read_text().splitlines() if path.exists() else []
        return bool(lines) and lines[-1].startswith("begun")


@pytest.fixture
def server(own_postgresql: OwnPostgreSQL) -> Iterator[OwnPostgreSQL]:
    with as_default_database(own_postgresql):
        call_command("migrate", verbosity=0)
        yield own_postgresql


def kill_at_random(crew: Crew, rounds: int) -> None:
    names = [*(f"writer-{number}" for number in range(WRITERS)), "sealer"]
    for name in names:
        crew.start(name)
    for number in range(rounds):
        time.sleep(random.uniform(0.05, 0.4))
        victim = "postgresql" if number % 4 == 0 else "sealer" if number % 4 == 1 else random.choice(names[:-1])
        if victim == "postgresql":
            crew.kill_postgresql()
        else:
            crew.kill(victim)
            crew.start(victim)
    time.sleep(0.3)
    crew.stop()
    connections.close_all()


def without_entry(changes: set[str], entries: Counter[str]) -> set[str]:
    return {change for change in changes if entries[change] != 1}


@pytest.mark.parametrize("rounds", [12, pytest.param(100, marks=pytest.mark.long)])
def test_no_acknowledged_change_is_lost_when_processes_are_killed(
    server: OwnPostgreSQL, tmp_path: Path, rounds: int
) -> None:
    crew = Crew(tmp_path, server)

    kill_at_random(crew, rounds)

    seal_everything()
    entries = Counter(AuditEntry.objects.filter(target_kind="change").values_list("target_id", flat=True))
    changes = set(Group.objects.values_list("name", flat=True))
    acknowledged = crew.acknowledged()
    print(f"{rounds} rounds, killed {dict(crew.killed)}, {crew.in_flight} busy; {len(acknowledged)} acknowledged,"
          f" {len(changes)} changes, {sum(entries.values())} entries")  # fmt: skip
    assert sum(crew.killed.values()) == rounds
    assert crew.in_flight * 3 >= rounds
    assert len(acknowledged) > rounds
    assert set(acknowledged) <= changes
    assert without_entry(changes, entries) == set()
    assert set(entries) == changes
    assert "broken" not in (tmp_path / "sealer").read_text()
    assert_is_whole()


def assert_is_whole() -> None:
    """Check that every number is used once, every entry is sealed, and every proof leads to the last checkpoint."""
    numbers = list(Seal.objects.order_by("number").values_list("number", flat=True))
    assert numbers == list(range(AuditEntry.objects.count()))
    result = verify()
    assert (result.findings, result.waiting) == ([], 0)
    prover = Prover()
    entries = list(AuditEntry.objects.order_by("?")[:200])
    seals = prover.seals(entries)
    assert {prover.proof(entry, seals[entry.pk]).state for entry in entries} == {State.PROVEN}


def test_a_separate_transaction_for_the_entry_is_detected(server: OwnPostgreSQL, tmp_path: Path) -> None:
    """The planted defect: a process killed in between leaves a change without its entry."""
    crew = Crew(tmp_path, server, planted=True)

    kill_at_random(crew, 12)

    entries = Counter(AuditEntry.objects.filter(target_kind="change").values_list("target_id", flat=True))
    assert without_entry(set(Group.objects.values_list("name", flat=True)), entries)
