"""Where the trail is told outside: a file, syslog, the stream of logs.

Somebody who owns the database cannot reach back there. A sink takes lines, or raises.
"""

import logging
import os
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from logging.handlers import SysLogHandler
from pathlib import Path
from typing import Any, Protocol, cast

logger = logging.getLogger("auth_audit.seal.checkpoints")

#: An answer that does not come must not keep the sealer.
_TIMEOUT_SECONDS = 5.0

_DEFAULT_PORT = 514


class SinkMisconfigured(Exception):
    """What settings say of a sink names no sink."""


class Sink(Protocol):
    """Somebody outside who is told."""

    def send(self, lines: Sequence[str]) -> None:
        """Take *lines*, each one JSON object.

        Raises:
            OSError: they were not taken, or not all; all of them are sent again.
        """


@dataclass(frozen=True)
class FileSink:
    """Appends to a file, which another account should own, on another disk, append-only if the system can."""

    path: str

    def send(self, lines: Sequence[str]) -> None:
        """Write, and wait for the disk."""
        with Path(self.path).open("a", encoding="utf-8", newline="\n") as file:
            file.writelines(f"{line}\n" for line in lines)
            file.flush()
            os.fsync(file.fileno())


class _Loud(SysLogHandler):
    """The library's handler writes a failure to stderr and goes on; ours is to be told."""

    append_nul = False  # over TCP a line ends a message (RFC 6587 section 3.4.2)

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - the library's name
        """Let whoever sends know."""
        raise  # noqa: PLE0704 - called in the handler of the exception


@dataclass(frozen=True)
class SyslogSink:
    """Sends to syslog, facility authpriv: a socket's path, or ``host:port`` over TCP or, if asked, UDP."""

    address: str
    protocol: str

    def send(self, lines: Sequence[str]) -> None:
        """Send line by line."""
        handler = self._handler()
        try:
            for line in lines:
                ending = "\n" if self.protocol == "tcp" and not self.address.startswith("/") else ""
                handler.emit(logging.LogRecord("auth_audit", logging.INFO, "", 0, line + ending, None, None))
        finally:
            handler.close()

    def _handler(self) -> SysLogHandler:
        facility = SysLogHandler.LOG_AUTHPRIV
        if self.address.startswith("/"):
            return _Loud(self.address, facility)
        host, _colon, port = self.address.partition(":")
        kind = socket.SOCK_STREAM if self.protocol == "tcp" else socket.SOCK_DGRAM
        handler = _Loud((host, int(port or _DEFAULT_PORT)), facility, kind)
        # The library's stubs do not know the socket that it documents.
        cast(Any, handler).socket.settimeout(_TIMEOUT_SECONDS)
        return handler


@dataclass(frozen=True)
class LogSink:
    """Writes to the logger ``auth_audit.seal.checkpoints``: wherever the site's logs go, these go, too."""

    def send(self, lines: Sequence[str]) -> None:
        """Log each line."""
        for line in lines:
            logger.info("checkpoint", extra={"told": line})


def sink_of(told: Mapping[str, str]) -> Sink:
    """Return the sink that settings describe.

    Raises:
        SinkMisconfigured: they do not describe one.
    """
    match dict(told):
        case {"kind": "file", "path": path}:
            return FileSink(path)
        case {"kind": "syslog", "address": address}:
            return SyslogSink(address, told.get("protocol", "tcp"))
        case {"kind": "log"}:
            return LogSink()
        case _:
            raise SinkMisconfigured(f"{dict(told)} is no sink: kind is file with path, syslog with address, or log.")


def problem_of(told: Mapping[str, str]) -> SinkMisconfigured | None:
    """Return what is wrong with what settings say of a sink."""
    try:
        sink_of(told)
    except SinkMisconfigured as problem:
        return problem
    return None


def name_of(told: Mapping[str, str]) -> str:
    """Return what a sink is called, by which is remembered how far it was told."""
    return ":".join(filter(None, (told.get("kind", ""), told.get("path", told.get("address", "")))))
