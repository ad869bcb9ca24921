"""Checkpoints and entries are delivered in order, and a sink that was unavailable misses nothing."""

import json
import socket
import threading
from pathlib import Path
from typing import Any

import pytest

from auth_audit import checks
from auth_audit.deliver import delivery, sinks
from auth_audit.management.commands.audit_verify import _read
from auth_audit.models import Checkpoint, Delivery
from auth_audit.offline_verifier import canonical_json, leaf_hash, root_hash, verify_checkpoint
from auth_audit.seal.keys import trusted_keys
from auth_audit.testing.trail import seal_everything
from auth_audit.verify.verification import verify
from auth_core.events import AuthEvent, Event, record
from auth_core.registries import sweeps

pytestmark = pytest.mark.django_db(transaction=True)


def append(count: int = 1) -> None:
    for _number in range(count):
        record(Event(name=AuthEvent.EMAIL_VERIFIED))
    seal_everything()


@pytest.fixture
def sink_file(tmp_path: Path, settings: Any) -> Path:
    """The file of a sink that receives entries and checkpoints."""
    path = tmp_path / "trail.jsonl"
    settings.AUTH_AUDIT = {"SINKS": [{"kind": "file", "path": str(path), "entries": "yes"}]}
    return path


def lines_of(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text().splitlines()]


@pytest.mark.asvs("16.4.3")
def test_a_file_receives_entries_and_checkpoints_that_prove_them(sink_file: Path) -> None:
    append(3)
    delivery.deliver()
    append(1)
    dict(sweeps.items())["auth_audit.seal"]()

    lines = lines_of(sink_file)

    assert [line.get("number", "checkpoint") for line in lines] == [0, 1, 2, "checkpoint", 3, "checkpoint"]
    leaves = [leaf_hash(canonical_json(line["entry"])) for line in lines if "entry" in line]
    assert verify_checkpoint(lines[-1], trusted_keys()).root == root_hash(leaves)
    assert verify(against=_read(sink_file)).findings == []


@pytest.mark.asvs("16.4.3")
def test_a_sink_that_failed_receives_everything_it_missed(tmp_path: Path, settings: Any, caplog: Any) -> None:
    folder = tmp_path / "away"
    settings.AUTH_AUDIT = {
        "SINKS": [{"kind": "file", "path": str(folder / "a")}, {"kind": "file", "path": str(tmp_path / "b")}]
    }
    append()
    first = delivery.deliver()
    append()
    delivery.deliver()
    folder.mkdir()

    caught_up = delivery.deliver()

    assert (first, caught_up) == (1, 2)
    assert (
        lines_of(folder / "a")
        == lines_of(tmp_path / "b")
        == [row.signed for row in Checkpoint.objects.order_by("size")]
    )
    assert "Delivery to the sink" in caplog.text


def test_nothing_is_delivered_twice(sink_file: Path) -> None:
    append(2)

    assert [delivery.deliver(), delivery.deliver()] == [1, 0]
    assert Delivery.objects.get().size == 2


def test_the_log_sink_logs_checkpoints(settings: Any, caplog: pytest.LogCaptureFixture) -> None:
    settings.AUTH_AUDIT = {"SINKS": [{"kind": "log"}]}
    append()

    with caplog.at_level("INFO", logger="auth_audit.seal.checkpoints"):
        delivery.deliver()

    (line,) = [record.line for record in caplog.records if record.name == "auth_audit.seal.checkpoints"]  # type: ignore[attr-defined]  # an attribute set by the sink
    assert verify_checkpoint(json.loads(line), trusted_keys()).size == 1


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
def test_syslog_receives_checkpoints(protocol: str, settings: Any) -> None:
    kind = socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM
    received: list[bytes] = []
    with socket.socket(socket.AF_INET, kind) as server:
        server.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{server.getsockname()[1]}"
        settings.AUTH_AUDIT = {"SINKS": [{"kind": "syslog", "address": address, "protocol": protocol}]}
        append()
        listener = threading.Thread(target=_receive, args=(server, protocol, received))
        if protocol == "tcp":
            server.listen()
        listener.start()

        delivery.deliver()
        listener.join(timeout=10)

    priority, _bracket, line = received[0].decode().partition(">")
    assert priority == "<86"
    assert verify_checkpoint(json.loads(line), trusted_keys()).size == 1


def _receive(server: socket.socket, protocol: str, received: list[bytes]) -> None:
    server.settimeout(10)
    if protocol == "udp":
        received.append(server.recv(65_536))
        return
    connection, _address = server.accept()
    with connection:
        data = b""
        while part := connection.recv(65_536):
            data += part
        received.append(data)


def test_an_unreachable_syslog_does_not_stop_sealing(settings: Any, caplog: Any) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
    settings.AUTH_AUDIT = {"SINKS": [{"kind": "syslog", "address": address}]}
    append()

    assert delivery.seal_and_deliver() == 0
    assert "Delivery to the sink" in caplog.text
    assert not Delivery.objects.filter(size__gt=0).exists()


@pytest.mark.parametrize("config", [{}, {"kind": "file"}, {"kind": "pigeon"}, {"kind": "syslog"}])
def test_an_invalid_sink_is_reported_at_start(config: dict[str, str], settings: Any) -> None:
    settings.AUTH_AUDIT = {"SINKS": [config]}

    assert [error.id for error in checks.check_sinks()] == ["auth_audit.E004"]
    assert sinks.sink_problem({"kind": "log"}) is None
