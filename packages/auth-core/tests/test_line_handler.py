"""The log handler: whole lines, one system call for each, and nothing lost at the end of the process."""

import io
import logging
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from auth_core.observability.logs import LineHandler


def record_of(text: str) -> logging.LogRecord:
    return logging.makeLogRecord({"msg": text, "levelno": logging.INFO})


def test_a_line_is_one_system_call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[bytes] = []
    monkeypatch.setattr(os, "write", lambda _number, line: written.append(bytes(line)) or len(line))

    with (tmp_path / "log").open("w", encoding="utf-8") as stream:
        LineHandler(stream).handle(record_of("é"))

    assert written == ["é\n".encode()]


def test_lines_of_threads_are_whole(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("w") as stream:
        handler = LineHandler(stream)
        work = [
            threading.Thread(
                target=lambda letter=letter: [handler.handle(record_of(letter * 5000)) for _line in range(50)]
            )
            for letter in "abcd"
        ]
        for thread in work:
            thread.start()
        for thread in work:
            thread.join()

    lines = path.read_text().splitlines()
    assert len(lines) == 200
    assert {(len(line), len(set(line))) for line in lines} == {(5000, 1)}


def test_a_full_pipe_loses_nothing() -> None:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    received = bytearray()

    def read_everything() -> None:
        while block := os.read(reader, 65_536):
            received.extend(block)

    with os.fdopen(writer, "w") as stream:
        handler = LineHandler(stream)
        thread = threading.Thread(target=read_everything)
        thread.start()
        for _line in range(100):
            handler.handle(record_of("x" * 10_000))
    thread.join()
    os.close(reader)

    assert bytes(received) == (b"x" * 10_000 + b"\n") * 100


def test_nothing_is_lost_when_the_process_ends_at_once() -> None:
    script = (
        "import logging, os, sys\n"
        "from auth_core.observability.logs import LineHandler\n"
        "logging.basicConfig(handlers=[LineHandler(sys.stderr)], format='%(message)s', level='INFO')\n"
        "for number in range(1000): logging.info('line %s', number)\n"
        "os._exit(3)\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)

    assert done.stderr.splitlines() == [f"line {number}" for number in range(1000)]


def test_a_stream_without_a_file_is_written_as_text() -> None:
    stream = io.StringIO()

    LineHandler(stream).handle(record_of("line"))

    assert stream.getvalue() == "line\n"


def test_the_lock_is_not_held_while_a_record_is_formatted(tmp_path: Path) -> None:
    class Waits(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            """Wait until the other thread formats its record, too."""
            both.wait(timeout=10)
            return super().format(record)

    both = threading.Barrier(2)
    with (tmp_path / "log").open("w") as stream:
        handler = LineHandler(stream)
        handler.setFormatter(Waits())
        thread = threading.Thread(target=handler.handle, args=[record_of("one")])
        thread.start()
        handler.handle(record_of("two"))
        thread.join()

    assert sorted((tmp_path / "log").read_text().split()) == ["one", "two"]


def test_an_error_in_the_formatter_is_reported_and_stops_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.makeLogRecord({"msg": "%s %s", "args": ("one",), "levelno": logging.INFO})

    assert LineHandler(io.StringIO()).handle(record)

    assert "Logging error" in capsys.readouterr().err
