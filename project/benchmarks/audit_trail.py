"""The trail at a million entries: appending, sealing, verifying, one proof, one search, against a plain INSERT.

    python project/benchmarks/audit_trail.py [--entries 1000000] [--database postgres://postgres@127.0.0.1:5432/postgres]

Creates its own database in the cluster in `--database`, and drops it. Rates are medians of
rounds interleaved with those of the plain INSERT, so compare the ratios. The table of the
plain row has only a primary key: no other index, no trigger, no partition, no MAC. It is
measured once unprepared, as Django sends statements, and once prepared, like the trail's own
statement.
"""

# ruff: noqa: PLC0415, S101, S608 - Django is set up at run time, it checks itself, the SQL contains only its own names

import argparse
import json
import multiprocessing
import os
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import django
import psycopg
from django.conf import settings

MONTHS, ROUNDS, SECONDS, ACTORS = 12, 3, 4.0, 1000
COPIED_AT_ONCE = 10_000
ACTOR_IDS = [UUID(int=(0x7 << 76) | (2 << 62) | number) for number in range(ACTORS)]


def configure(url: str, name: str) -> None:
    """Set up a site with only the trail."""
    parts = urlsplit(url)
    settings.configure(
        SECRET_KEY="b" * 50,
        USE_TZ=True,
        INSTALLED_APPS=[
            "django.contrib.contenttypes",
            "django.contrib.auth",
            "rest_framework",
            "auth_core",
            "auth_audit",
        ],
        AUTH_CORE={"FIELD_KEYS": {"bench": "YmVuY2gtb25seS1iZW5jaC1vbmx5LWJlbmNoLW9ubHk"}},
        DATABASES={
            "default": {
                "ENGINE": "django.db.backends.postgresql",
                "NAME": name,
                "USER": parts.username,
                "HOST": parts.hostname,
                "PORT": str(parts.port or 5432),
            }
        },
        LOGGING_CONFIG=None,
    )
    django.setup()


@contextmanager
def own_database(url: str) -> Iterator[str]:
    """Create a database, and drop it afterwards."""
    name = f"bench_audit_{os.getpid()}"
    address = url.replace("postgres://", "postgresql://")
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    try:
        yield name
    finally:
        with psycopg.connect(address, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)")


def an_event(number: int) -> Any:
    """Return an event like that of a login."""
    from auth_core.events import AuthEvent, Event
    from auth_core.request.client import Client

    actor = SimpleNamespace(pk=1, auth_identity=SimpleNamespace(subject_id=ACTOR_IDS[number % ACTORS]))
    return Event(
        name=AuthEvent.LOGIN_SUCCEEDED,
        subject=actor,
        actor=actor,
        session=uuid4(),
        client=Client(ip=f"192.0.2.{number % 250}", network="192.0.2.0", user_agent="Mozilla/5.0 (X11; Linux x86_64)"),
        data={"purpose": "login", "acr": "aal2", "methods": ["password", "totp"]},
    )


def append_for(seconds: float, number: int) -> int:
    """Append entries, each in its own transaction, and return their number."""
    from auth_audit.append.append import append

    return _repeat_for(seconds, lambda count: append(an_event(count + number)))


def insert_for(seconds: float, number: int, threshold: int | None = None) -> int:
    """Insert the same row into a plain table, each in its own transaction, and return their number."""
    from django.db import connection

    sql, make = plain_insert()
    with psycopg.connect(**connection.get_connection_params() | {"cursor_factory": psycopg.Cursor}) as plain:
        plain.autocommit, plain.prepare_threshold = True, threshold
        return _repeat_for(seconds, lambda count: plain.execute(sql, make(count + number)))


def insert_prepared_for(seconds: float, number: int) -> int:
    """Insert with a prepared statement, see `insert_for`."""
    return insert_for(seconds, number, threshold=1)


def plain_insert() -> tuple[str, Callable[[int], list[Any]]]:
    """Return the statement, and a function that returns the computed values of one row."""
    from auth_audit.models import AuditEntry

    entry = AuditEntry.objects.order_by("id").values_list().first()
    columns = [field.column for field in AuditEntry._meta.concrete_fields]
    values = [json.dumps(value) if isinstance(value, dict | list) else value for value in entry or ()]
    marks = ", ".join(["%s"] * len(columns))
    return f"INSERT INTO plain ({', '.join(columns)}) VALUES ({marks})", lambda _number: [uuid4(), *values[1:]]


def _repeat_for(seconds: float, run: Callable[[int], Any]) -> int:
    end, count = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        run(count)
        count += 1
    return count


def rate(work: Callable[[float, int], int], writers: int) -> float:
    """Return the rate of *writers* processes per second."""
    if writers == 1:
        return work(SECONDS, 0) / SECONDS
    from django.db import connections

    connections.close_all()
    with multiprocessing.get_context("fork").Pool(writers) as pool:
        return sum(pool.starmap(work, [(SECONDS, number) for number in range(writers)])) / SECONDS


def fill(count: int) -> None:
    """Append *count* signed entries, spread over the previous months, by COPY."""
    from django.db import connection

    from auth_audit.append import insert_statement, macs
    from auth_audit.personal import envelope
    from auth_audit.storage import partitions
    from auth_core.ids import first_uuid7_at

    now = datetime.now(tz=UTC)
    month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    for _number in range(MONTHS):
        month = (month - timedelta(days=1)).replace(day=1)
        partitions.make(month, "default")
    step = (now - month) / count
    names = [field.attname for field in insert_statement.written_fields()]
    rows: list[list[Any]] = []
    keys: list[list[Any]] = []
    with connection.cursor() as cursor:
        for number in range(count):
            event = an_event(number)
            subject = str(event.subject.auth_identity.subject_id)
            entry_id = UUID(int=first_uuid7_at(month + step * number).int | number)
            client = {name: getattr(event.client, name) for name in ("ip", "network", "user_agent")}
            ciphertexts, new_keys = envelope.encrypt_values(entry_id, [envelope.Owned(subject, client)])
            row = dict.fromkeys(names, "") | {
                "id": str(entry_id),
                "name": event.name.value, "severity": "info", "retention": "security", "outcome": "success",
                "subject_id": subject, "actor_id": subject, "on_behalf_of": None, "application_id": None,
                "session_id": str(event.session), "correlation_id": str(uuid4()),
                "data": dict(event.data), "changes": {}, "bounds": None, "personal": ciphertexts,
            }  # fmt: skip
            values = map(macs.with_mac(row).get, names)
            rows.append([json.dumps(value) if isinstance(value, dict | list) else value for value in values])
            keys += [list(key) for key in new_keys]
            if len(rows) == COPIED_AT_ONCE or number == count - 1:
                copy_rows(cursor, f"auth_audit_auditentry ({', '.join(names)})", rows)
                copy_rows(cursor, "auth_audit_personalkey (id, person_id, address, key)", keys)
        cursor.execute("ANALYZE auth_audit_auditentry, auth_audit_personalkey")


def copy_rows(cursor: Any, table: str, rows: list[list[Any]]) -> None:
    """Write *rows* by COPY, and empty the list."""
    with cursor.copy(f"COPY {table} FROM STDIN") as copy:
        for row in rows:
            copy.write_row(row)
    rows.clear()


def timed(run: Callable[[], Any]) -> tuple[float, Any]:
    """Return the duration of *run* in seconds, and its result."""
    began = time.perf_counter()
    result = run()
    return time.perf_counter() - began, result


def say(what: str, value: str) -> None:
    """Print one figure."""
    sys.stdout.write(f"{what:<58} {value}\n")
    sys.stdout.flush()


def measure_appending() -> None:
    """Compare appending with the plain INSERT, for one and for eight writers."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE plain (LIKE auth_audit_auditentry); ALTER TABLE plain ADD PRIMARY KEY (id)")
        cursor.execute("CHECKPOINT")
    for writers in (1, 8):
        rates: dict[str, list[float]] = {"a plain INSERT": [], "a prepared plain INSERT": []}
        appended = []
        for _round in range(ROUNDS):
            rates["a plain INSERT"].append(rate(insert_for, writers))
            appended.append(rate(append_for, writers))
            rates["a prepared plain INSERT"].append(rate(insert_prepared_for, writers))
        for what, plain in rates.items():
            ratio = statistics.median(a / p for a, p in zip(appended, plain, strict=True))
            say(
                f"append, {writers} writer(s), against {what}",
                f"{statistics.median(appended):,.0f}/s against {statistics.median(plain):,.0f}/s, ratio {ratio:.2f}",
            )


def measure_sealing(count: int) -> None:
    """Seal and verify everything."""
    from auth_audit.seal.sealer import seal
    from auth_audit.verify.verification import verify

    took, sealed = timed(seal)
    say("sealing", f"{sealed:,} in {took:.0f} s, {sealed / took:,.0f}/s")
    took, result = timed(verify)
    say(
        "verification",
        f"{result.sealed:,} in {took:.0f} s, {result.sealed / took:,.0f}/s, {len(result.findings)} findings",
    )
    assert result.sealed >= count, "all entries must be sealed"


def measure_reading() -> None:
    """Prove one entry, search a month by actor, and print the plans."""
    from auth_audit.models import AuditEntry
    from auth_audit.search import search
    from auth_audit.verify.proofs import State, proof_of

    entries = list(AuditEntry.objects.order_by("id")[500:550])
    times = []
    for entry in entries:
        took, proof = timed(lambda entry=entry: proof_of(entry))
        assert proof.state is State.PROVEN
        times.append(took)
    say("one proof (median of 50, checked)", f"{statistics.median(times) * 1000:.1f} ms")
    month = datetime.now(tz=UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0) - timedelta(days=60)
    month = month.replace(day=1)
    criteria = SimpleNamespace(actor=ACTOR_IDS[7], since=month, until=month + timedelta(days=28), network=None)
    times = [timed(lambda: list(search(criteria).order_by("-id")[:50]))[0] for _round in range(50)]
    say("a month by actor, one page (median of 50)", f"{statistics.median(times) * 1000:.2f} ms")
    plan = search(criteria).order_by("-id")[:50].explain(analyze=True)
    sys.stdout.write(f"{plan}\n")
    network = SimpleNamespace(since=month, until=month + timedelta(days=28), network=ip_network("192.0.2.7"))
    sys.stdout.write(f"{search(network).order_by('-id')[:50].explain(analyze=True)}\n")


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--database", default="postgres://postgres@127.0.0.1:5432/postgres")
    parser.add_argument("--only-appending", action="store_true", help="skip sealing, verification and reading")
    arguments = parser.parse_args()
    with own_database(arguments.database) as name:
        configure(arguments.database, name)
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        took, _nothing = timed(lambda: fill(arguments.entries))
        say("filling by COPY, signed", f"{arguments.entries:,} in {took:.0f} s")
        measure_appending()
        if not arguments.only_appending:
            measure_sealing(arguments.entries)
            measure_reading()
        connections.close_all()


if __name__ == "__main__":
    main()
